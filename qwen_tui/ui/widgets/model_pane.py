"""The pane that tells everything of the model under the cursor.

Drawn line by line, as the table is: while something is fetched a few lines change
twice a second, and only those are sent.
"""

from typing import Literal

from rich.segment import Segment
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from qwen_tui.ui.widgets.model_detail import ModelDetail
from qwen_tui.ui.widgets.model_lines import full_lines, one_line, short_lines
from qwen_tui.ui.widgets.tones import TONES, Line

Depth = Literal["line", "short", "full"]


class ModelPane(ScrollView, can_focus=True):
    """One line, four lines, or all there is, to be scrolled through."""

    COMPONENT_CLASSES = {f"tone--{tone}" for tone in TONES}

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._detail: ModelDetail | None = None
        self._depth: Depth = "full"
        self._lines: list[Line] = []

    @property
    def detail(self) -> ModelDetail | None:
        """What is shown."""
        return self._detail

    def show(self, detail: ModelDetail | None) -> None:
        """Tell of this model; lines that stay as they are send nothing."""
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

    def render_line(self, y: int) -> Strip:
        """Draw one line of what is in sight."""
        index = y + self.scroll_offset.y
        line = self._lines[index] if index < len(self._lines) else []
        segments = [
            Segment(text, self.get_component_rich_style(f"tone--{tone}"))
            for text, tone in line
        ]
        return Strip(segments).adjust_cell_length(self._cells, self.rich_style)

    @property
    def _cells(self) -> int:
        return max(self.scrollable_content_region.width, 1)

    def _draw(self) -> None:
        before, self._lines = self._lines, self._lines_now()
        if len(before) != len(self._lines):
            self.virtual_size = Size(self._cells, len(self._lines))
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            if old != new:
                self.refresh_line(y)

    def _lines_now(self) -> list[Line]:
        if self._detail is None:
            return []
        if self._depth == "line":
            return [one_line(self._detail, self._cells)]
        if self._depth == "short":
            return short_lines(self._detail, self._cells)
        return full_lines(self._detail, self._cells)
