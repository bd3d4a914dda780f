"""The pane that tells everything of the model under the cursor."""

from typing import Literal

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from qwen_tui.ui.widgets.model_detail import ModelDetail
from qwen_tui.ui.widgets.model_lines import full_lines, one_line, short_lines
from qwen_tui.ui.widgets.tones import Line, content_of

Depth = Literal["line", "short", "full"]


class ModelPane(VerticalScroll):
    """One line, four lines, or all there is, to be scrolled through."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._detail: ModelDetail | None = None
        self._depth: Depth = "full"
        self._lines: list[Line] = []
        self._body = Static(markup=False)

    def compose(self) -> ComposeResult:
        yield self._body

    @property
    def detail(self) -> ModelDetail | None:
        """What is shown."""
        return self._detail

    def show(self, detail: ModelDetail | None) -> None:
        """Tell of this model; the same again sends nothing."""
        if detail is None or self._detail is None or detail.title != self._detail.title:
            self.scroll_home(animate=False)
        self._detail = detail
        self._draw()

    def set_depth(self, depth: Depth) -> None:
        """Choose how much is told."""
        if depth != self._depth:
            self._depth = depth
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        lines = self._lines_now(max(self.scrollable_content_region.width, 1))
        if lines != self._lines:
            self._lines = lines
            self._body.update(content_of(lines))

    def _lines_now(self, width: int) -> list[Line]:
        if self._detail is None:
            return []
        if self._depth == "line":
            return [one_line(self._detail, width)]
        if self._depth == "short":
            return short_lines(self._detail, width)
        return full_lines(self._detail, width)
