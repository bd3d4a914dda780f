"""Frames as what changed of them: over SSH a frame should cost what is new in it.

Textual sends each dirty region whole, and any new line in a scrolling container
makes all of it dirty: 14 to 21 KB a time. Here each cell that the terminal shows is
remembered, only other ones are sent, and rows that moved are moved by the terminal.

It leans on textual 8.2.8 inside: `thin_line` checks the version.
"""

from collections.abc import Iterator
from typing import NamedTuple

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Offset, Size
from textual.strip import Strip

from qwen_tui.ui.frame_output import Output, move_to
from qwen_tui.ui.frame_rows import Cells, Row, cells_of, unknown_row
from qwen_tui.ui.frame_shift import find_shift, moved_rows

_FEW = 4  # changed rows below which nothing is looked for that moved
_SHIFT_CELLS = 24  # about what moving rows costs
Update = LayoutUpdate | ChopsUpdate


class Write(NamedTuple):
    """What an update puts at a place."""

    y: int
    x: int
    strip: Strip


class FrameDiff:
    """What one terminal shows, and the way from there to the next frame."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._width = 0
        self._seen: dict[int, tuple[Strip, Cells]] = {}
        """Strips of the frame before, by identity: most come again."""
        self._cursor: Offset | None = None

    def forget(self) -> None:
        """Take it that the terminal may show anything."""
        self._rows = []
        self._cursor = None

    def knows(self, update: object) -> bool:
        """Tell whether `render` can take it."""
        return isinstance(update, LayoutUpdate | ChopsUpdate)

    def render(
        self, update: object, size: Size, cursor: Offset, console: Console
    ) -> str:
        """Return what to send, "" for nothing.

        Args:
            update: The next frame or parts of it, of a kind that it `knows`.
            size: Of the terminal.
            cursor: Where the cursor is to stand.
            console: Tells how many colours there are.
        """
        assert isinstance(update, LayoutUpdate | ChopsUpdate)
        if (self._width, len(self._rows)) != size:
            self._width = size.width
            self._rows = [unknown_row(size.width) for _ in range(size.height)]
        target = self._targets(update, _colors(console))
        changed = {y: row for y, row in target.items() if self._differs(y, row)}
        output = Output()
        if len(changed) >= _FEW:
            self._move_rows(changed, output)
        for y, row in changed.items():
            output.change_row(y, self._rows[y], row)
            self._rows[y] = row
        parts = output.parts
        if parts:
            parts.append("\x1b[0m")
        if parts or cursor != self._cursor:
            parts.append(move_to(*cursor))
            self._cursor = cursor
        return "".join(parts)

    def _targets(self, update: "Update", colors: ColorSystem) -> dict[int, Row]:
        """Return the rows that `update` touches, as they are to be."""
        rows: dict[int, Row] = {}
        seen: dict[int, tuple[Strip, Cells]] = {}
        for y, x, strip in _writes(update):
            if y >= len(self._rows):
                continue
            found = self._seen.get(id(strip))
            if found is None:
                found = (strip, cells_of(strip, colors))
            seen[id(strip)] = found
            if y not in rows:
                rows[y] = self._rows[y].copy()
            rows[y].put(x, found[1])
        self._seen = seen
        return rows

    def _differs(self, y: int, row: Row) -> bool:
        old = self._rows[y]
        return row.chars != old.chars or row.styles != old.styles

    def _move_rows(self, changed: dict[int, Row], output: Output) -> None:
        """Let the terminal move the rows that most of `changed` come from."""
        shift = find_shift(self._rows, changed)
        if shift is None:
            return
        top, bottom, _up = shift
        moved = moved_rows(self._rows, shift)
        before = after = 0
        target: dict[int, Row] = {}
        for y in range(top, bottom + 1):
            row = target[y] = changed.get(y, self._rows[y])
            before += row.count_differences(self._rows[y])
            after += row.count_differences(moved[y - top])
        if after + _SHIFT_CELLS >= before:
            return
        self._rows[top : bottom + 1] = moved
        for y, row in target.items():
            changed.pop(y, None)
            if self._differs(y, row):
                changed[y] = row
        output.move_rows(shift)


def _colors(console: Console) -> ColorSystem:
    name = console.color_system
    return COLOR_SYSTEMS[name] if name else ColorSystem.TRUECOLOR  # as Strip.render


def _writes(update: Update) -> Iterator[Write]:
    """Yield what Textual would send, and where."""
    if isinstance(update, LayoutUpdate):
        for y, line in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in line:
                yield Write(y, x, strip)
                x += strip.cell_length
        return
    for y, left, right in update.spans:
        ends = update.chop_ends[y]
        for end, (x, strip) in zip(ends, update.chops[y].items(), strict=False):
            if strip is not None and x <= right and end > left:
                yield Write(y, x, strip)  # whole: a cut might tear a wide character
