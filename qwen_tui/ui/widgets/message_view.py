"""Text that grows while it streams, drawn as Markdown.

The rest of the screen knows `append`, `finish` and `text` only, so what draws
behind them can be replaced.
"""

import asyncio
import logging
from collections.abc import Callable

from markdown_it import MarkdownIt
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown, Static

from qwen_tui.sanitize import sanitize
from qwen_tui.ui.widgets.markdown_rules import build_parser

_REDRAW_PAUSE_S = 0.3  # drawing everything anew is dear

_log = logging.getLogger(__name__)


class _Blocks(Markdown):
    """The stock widget with bullets of a certain width and no live links."""

    BULLETS = ["- ", "* ", "+ ", "- ", "* "]

    def __init__(self, parser_factory: Callable[[], MarkdownIt]) -> None:
        super().__init__(parser_factory=parser_factory, open_links=False)


class MessageView(Vertical):
    """One message's text; raw in, sanitized at the screen."""

    def __init__(
        self, text: str = "", *, parser_factory: Callable[[], MarkdownIt] = build_parser
    ) -> None:
        super().__init__()
        self._text = text
        self._drawn = 0
        self._drawing = False
        self._ready = False
        self._torn = False
        """`append` failed once: the stock widget then loses track of open blocks."""
        self._saved = bool(text)
        self._finished = bool(text)
        self._plain: Static | None = None
        self._blocks = _Blocks(parser_factory)

    @property
    def text(self) -> str:
        """Everything appended so far, raw."""
        return self._text

    @property
    def settled(self) -> bool:
        """Everything that can be drawn so far has been drawn."""
        return not self._drawing and self._drawn == self._safe_end()

    def compose(self) -> ComposeResult:
        yield self._blocks

    def on_mount(self) -> None:
        self._ready = True  # `is_mounted` holds only after this handler
        self._pump()

    def append(self, text: str) -> None:
        """Add `text` at the end; never raises, whatever it holds."""
        self._text += text
        self._pump()

    def finish(self) -> None:
        """Draw what was held back: nothing more will come."""
        self._finished = True
        self._pump()

    def _pump(self) -> None:
        """Draw what is not drawn yet, one drawing at a time."""
        if self._ready and not self._drawing and self._drawn < self._safe_end():
            self._drawing = True
            self.run_worker(self._draw_rest(), group="draw", exit_on_error=False)

    async def _draw_rest(self) -> None:
        try:
            while self._drawn < self._safe_end() and self.is_attached:
                start, end = self._drawn, self._safe_end()
                self._drawn = end
                await self._draw(start, end)
        finally:
            self._drawing = False

    def _safe_end(self) -> int:
        """Where drawing may stop: never between the CR and the LF of one line end."""
        held_back = not self._finished and self._text.endswith("\r")
        return len(self._text) - held_back

    async def _draw(self, start: int, end: int) -> None:
        if self._plain is not None:
            self._plain.update(Content(sanitize(self._text[:end])))
            return
        if self._torn:
            await self._redraw(end)
            await asyncio.sleep(_REDRAW_PAUSE_S)
            return
        try:
            if start == 0 and self._saved:
                await self._blocks.update(sanitize(self._text[:end]))
            else:
                await self._blocks.append(sanitize(self._text[start:end]))
        except Exception:  # noqa: BLE001 - Textual 8.2.8 raises on some valid Markdown
            _log.debug("markdown append failed; drawing the message anew")
            await self._redraw(end)

    async def _redraw(self, end: int) -> None:
        self._torn = True
        try:
            await self._blocks.update(sanitize(self._text[:end]))
        except Exception:  # noqa: BLE001 - as above; the text must be seen in any case
            _log.warning("markdown failed; showing the message as plain text")
            await self._show_plain(end)

    async def _show_plain(self, end: int) -> None:
        self._plain = Static(Content(sanitize(self._text[:end])), markup=False)
        await self._blocks.remove()
        await self.mount(self._plain)
