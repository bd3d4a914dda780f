"""The table of models: one row each, drawn line by line.

A progress report redraws its own row alone: a list that redraws whole would send
some kilobytes twice a second while something is fetched.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from qwen_tui.ui.widgets.model_row import (
    ModelRow,
    columns_for,
    head_cells,
    row_cells,
)
from qwen_tui.ui.widgets.tones import TONES, Line

_HEAD_ROWS = 1


class ModelTable(ScrollView, can_focus=True):
    """Rows to move through; Enter, or a second click, chooses one."""

    BINDINGS = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "end(0)", show=False),
        Binding("end", "end(-1)", show=False),
        Binding("enter", "choose", show=False),
    ]
    COMPONENT_CLASSES = {
        "model-table--head",
        "model-table--highlight",
        *(f"tone--{tone}" for tone in TONES),
    }

    highlighted: reactive[int] = reactive(0)
    """Index of the row under the cursor; meaningless while there is no row."""

    @dataclass
    class Highlighted(Message):
        """Another row is under the cursor."""

        key: str

    @dataclass
    class Chosen(Message):
        """The person wants the row with this key."""

        key: str

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.rows: Sequence[ModelRow] = ()
        self._found = False
        self._sorted_by = ""
        self._empty_text = ""

    @property
    def key(self) -> str:
        """The key of the row under the cursor; empty while there is none."""
        return self.rows[self.highlighted].key if self.rows else ""

    def show(
        self,
        rows: Sequence[ModelRow],
        *,
        key: str = "",
        found: bool = False,
        sorted_by: str = "",
        empty_text: str = "",
    ) -> None:
        """Show these rows.

        Args:
            rows: In their order.
            key: The row to go to; empty stays on the row that was highlighted.
            found: Columns for what a search found: downloads and dates.
            sorted_by: The column that is marked.
            empty_text: Told where there is no row.
        """
        before, shown = self.key, (self.rows, self._found, self._sorted_by)
        keys = [row.key for row in rows]
        self.rows, self._found, self._sorted_by = rows, found, sorted_by
        wanted = next((k for k in (key, before) if k in keys), "")
        place = keys.index(wanted) if wanted else min(self.highlighted, len(rows) - 1)
        if keys and (keys, found, sorted_by) == ([r.key for r in shown[0]], *shown[1:]):
            for index, (old, new) in enumerate(zip(shown[0], rows, strict=True)):
                if old != new:
                    self._refresh_row(index)
            self.highlighted = place
            return
        self._empty_text = empty_text
        self.virtual_size = Size(self._cells, len(rows) + _HEAD_ROWS)
        self.set_reactive(ModelTable.highlighted, max(place, 0))
        self._keep_in_sight()
        self.refresh()
        if self.key != before:
            self.post_message(self.Highlighted(self.key))

    def relabel(self) -> None:
        """Draw everything, the head too, in the active language."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the table; the head stays on top."""
        columns = columns_for(self._cells, found=self._found)
        if y < _HEAD_ROWS:
            head = head_cells(columns, self._cells, self._sorted_by)
            return self._strip(head, "model-table--head")
        index = y - _HEAD_ROWS + self.scroll_offset.y
        if index < len(self.rows):
            cells = row_cells(self.rows[index], columns, self._cells)
            under_cursor = index == self.highlighted
            return self._strip(cells, "model-table--highlight" if under_cursor else "")
        first_empty = not self.rows and y == _HEAD_ROWS
        return self._strip([(self._empty_text if first_empty else "", "dim")], "")

    def validate_highlighted(self, index: int) -> int:
        return max(0, min(index, len(self.rows) - 1))

    def watch_highlighted(self, before: int, after: int) -> None:
        self._refresh_row(before)
        self._refresh_row(after)
        self._keep_in_sight()
        if self.rows:
            self.post_message(self.Highlighted(self.key))

    def on_resize(self) -> None:
        self.virtual_size = Size(self._cells, len(self.rows) + _HEAD_ROWS)
        self._keep_in_sight()

    def on_click(self, event: events.Click) -> None:
        index = event.y - _HEAD_ROWS + self.scroll_offset.y
        if event.y < _HEAD_ROWS or not 0 <= index < len(self.rows):
            return
        if index == self.highlighted and event.chain > 1:
            self.action_choose()
        self.highlighted = index

    def action_move(self, step: int) -> None:
        self.highlighted += step

    def action_page(self, step: int) -> None:
        self.highlighted += step * max(self.size.height - _HEAD_ROWS, 1)

    def action_end(self, index: int) -> None:
        self.highlighted = index if index >= 0 else len(self.rows) - 1

    def action_choose(self) -> None:
        if self.rows:
            self.post_message(self.Chosen(self.key))

    @property
    def _cells(self) -> int:
        return max(self.scrollable_content_region.width, 1)

    def _strip(self, cells: Line, whole: str) -> Strip:
        """Return a line; `whole` names the one style of all its cells."""
        segments = [
            Segment(text, self.get_component_rich_style(whole or f"tone--{tone}"))
            for text, tone in cells
        ]
        last = segments[-1].style if segments else None
        return Strip(segments).adjust_cell_length(self._cells, last)

    def _refresh_row(self, index: int) -> None:
        self.refresh_line(index + _HEAD_ROWS)

    def _keep_in_sight(self) -> None:
        """Scroll as little as it takes to have the row under the cursor shown."""
        room = max(self.scrollable_content_region.height - _HEAD_ROWS, 1)
        top = self.scroll_offset.y
        wanted = min(max(top, self.highlighted - room + 1), self.highlighted)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True)
