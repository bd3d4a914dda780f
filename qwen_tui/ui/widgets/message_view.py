"""Text that grows while it streams, drawn row by row.

The rest of the screen knows `append`, `finish` and `text` only, so what draws
behind them can be replaced.
"""

import time

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from qwen_tui.ui.markdown.document import Document, PlainText, Rows
from qwen_tui.ui.markdown.rows import Row
from qwen_tui.ui.widgets.typesetter import SLICE_S, Typesetter

_SLOW_S = 0.015  # who takes longer to draw what came rests before the next time
_REST = 8  # times as long
_LOOKS = [
    "strong", "em", "strike", "inline-code", "link", "math", "heading", "heading-1",
    "heading-2", "heading-3", "heading-4", "heading-5", "heading-6", "marker", "quote",
    "quote-bar", "rule", "muted", "code", "code-label", "code-keyword", "code-type",
    "code-builtin", "code-function", "code-string", "code-number", "code-comment",
    "code-deleted",
]  # fmt: skip


class MessageView(Widget):
    """One message's text; raw in, sanitized at the screen."""

    COMPONENT_CLASSES = {f"message--{look}" for look in _LOOKS}
    DEFAULT_CSS = """
    MessageView {
        width: 1fr;
        height: auto;
        & > .message--strong, & > .message--heading { text-style: bold; }
        & > .message--em { text-style: italic; }
        & > .message--strike { text-style: strike; }
    }
    """

    def __init__(self, text: str = "", *, plain: bool = False) -> None:
        """Begin with a text.

        Args:
            text: What is there already; raw.
            plain: Show it as it was written instead of as Markdown.
        """
        super().__init__()
        self._typesetter: Typesetter | None = None
        self._text = text
        self._plain = plain
        self._finished = bool(text)
        self._rows: Rows | None = None
        """What is shown; None before the width is known."""
        self._next: Rows | None = None
        """What is being set to take its place, when the width has changed."""
        self._strips: dict[int, Strip] = {}
        self._styles_by_look: dict[str, Style] = {}
        self._rest_until = 0.0

    @property
    def text(self) -> str:
        """Everything appended so far, raw."""
        return self._text

    @property
    def typesetter(self) -> Typesetter:
        """Shared with other messages; one of its own where none was given."""
        if self._typesetter is None:
            self._typesetter = Typesetter()
        return self._typesetter

    @typesetter.setter
    def typesetter(self, typesetter: Typesetter) -> None:
        self._typesetter = typesetter

    @property
    def settled(self) -> bool:
        """Everything that can be drawn so far has been drawn."""
        rows = self._rows
        return rows is not None and rows.complete and self._next is None

    def append(self, text: str) -> None:
        """Add `text` at the end; never raises, whatever it holds."""
        self._text += text
        for rows in (self._rows, self._next):
            if rows is not None:
                rows.append(text)
        self._flush()

    def finish(self) -> None:
        """Draw what was held back: nothing more will come."""
        self._finished = True
        self._rest_until = 0.0
        for rows in (self._rows, self._next):
            if rows is not None:
                rows.finish()
        self._flush()

    def show_plain(self, plain: bool) -> None:
        """Show the text as it was written, or as Markdown."""
        if plain == self._plain:
            return
        self._plain = plain
        if self._rows is not None:
            self._set_anew(self._rows.width)
            self.refresh(layout=True)

    # What the typesetter asks

    @property
    def urgency(self) -> int:
        """Messages in view come first."""
        return 0 if self.region.overlaps(self.screen.region) else 1

    def set_some(self, deadline: float) -> bool:
        """Set rows until the deadline; True when all is set."""
        if self._rows is None or not self.is_attached:
            return True
        if self._next is None:
            before = len(self._rows)
            self._show_from(_set(self._rows, deadline), before)
            return self._rows.complete
        _set(self._next, deadline)
        is_set = self._take_next()
        if is_set:
            self.refresh(layout=True)
        return is_set

    # What Textual asks

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows at that width, or those there are so far."""
        current = self._rows if self._next is None else self._next
        if current is None or current.width != width:
            self._set_anew(width)
        return 0 if self._rows is None else len(self._rows)

    def render_line(self, y: int) -> Strip:
        """Return one row, with what of it is selected."""
        rows = self._rows
        if rows is None or y >= len(rows):
            return Strip.blank(self.size.width, self._style(""))
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self._strip(rows[y]).apply_offsets(0, y)
        selection = self.text_selection
        span = selection.get_span(y) if selection is not None else None
        return strip if span is None else self._selected(strip, *span)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text: wrapped lines joined, formulas as their source."""
        rows = self._rows
        if rows is None or not len(rows):
            return None
        first = selection.start.y if selection.start is not None else 0
        last = selection.end.y if selection.end is not None else len(rows) - 1
        last = min(last, len(rows) - 1)
        parts: list[str] = []
        for y in range(first, last + 1):
            start, end = selection.get_span(y) or (0, 0)
            parts.append(rows[y].copied(start, None if end == -1 else end))
            if y < last:
                parts.append(rows[y].join)
        return "".join(parts), "\n"

    def notify_style_update(self) -> None:
        """Draw with the theme's new colours."""
        super().notify_style_update()
        self._styles_by_look.clear()
        self._strips.clear()

    def on_unmount(self) -> None:
        self.typesetter.forget(self)

    def _set_anew(self, width: int) -> None:
        """Begin to set all of the text; what is shown stays until that is done."""
        rows = (
            PlainText(width)
            if self._plain
            else Document(
                width, parser=self.typesetter.parser, lexers=self.typesetter.lexers
            )
        )
        rows.append(self._text)
        if self._finished:
            rows.finish()
        _set(rows, self.typesetter.deadline())
        if self._rows is None:
            self._rows = rows
        else:
            self._next = rows
            self._take_next()
        if not self.settled:
            self.typesetter.ask(self, self)

    def _take_next(self) -> bool:
        """Show what was set for another width, if that is complete."""
        if self._next is None or not self._next.complete:
            return False
        self._rows, self._next = self._next, None
        self._strips.clear()
        return True

    def _flush(self) -> None:
        """Draw what came."""
        rows = self._rows
        if rows is None or not self.is_attached:
            return
        start = time.perf_counter()
        if start >= self._rest_until:
            before = len(rows)
            self._show_from(_set(rows, start + SLICE_S), before)
            took = time.perf_counter() - start
            if took > _SLOW_S:
                self._rest_until = start + _REST * took
                self.set_timer(_REST * took, self._flush)
        if self._next is not None or not rows.complete:
            self.typesetter.ask(self, self)

    def _show_from(self, first: int, before: int) -> None:
        """Show rows from `first` on, there having been `before`."""
        after = 0 if self._rows is None else len(self._rows)
        for y in range(first, max(before, after)):
            self._strips.pop(y, None)
        if after != before:
            self.refresh(layout=True)
        elif first < before:
            self.refresh(Region(0, first, self.size.width, before - first))

    def _strip(self, row: Row) -> Strip:
        style = self._style
        segments = [Segment(text, style(look)) for text, look, _source in row.pieces]
        return Strip(segments or [Segment(" ", style(""))])

    def _style(self, look: str) -> Style:
        found = self._styles_by_look.get(look)
        if found is None:
            found = self.visual_style.rich_style
            for name in look.split():
                found += self._own_style(f"message--{name}")
            self._styles_by_look[look] = found
        return found

    def _own_style(self, name: str) -> Style:
        """Return what a look changes, its colours mixed with the ground."""
        own = self.get_component_rich_style(name, partial=True)
        whole = self.get_component_rich_style(name)
        return own + Style(
            color=whole.color if own.color else None,
            bgcolor=whole.bgcolor if own.bgcolor else None,
        )

    def _selected(self, strip: Strip, start: int, end: int) -> Strip:
        """Return `strip` with its characters `start` to `end` marked; -1: all."""
        chosen = self.screen.get_component_rich_style("screen--selection")
        segments: list[Segment] = []
        at = 0
        for text, style, _ in strip:
            left = min(max(start - at, 0), len(text))
            right = len(text) if end < 0 else min(max(end - at, left), len(text))
            parts = (text[:left], text[left:right], text[right:])
            for number, part in enumerate(parts):
                if part:
                    marked = (style or Style()) + chosen if number == 1 else style
                    segments.append(Segment(part, marked))
            at += len(text)
        return Strip(segments, strip.cell_length)


def _set(rows: Rows, deadline: float) -> int:
    """Set rows until the deadline, once at least; return the first that changed."""
    first = len(rows)
    while rows.behind:
        first = min(first, rows.step())
        if time.perf_counter() >= deadline:
            break
    return first
