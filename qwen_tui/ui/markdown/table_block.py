"""A table as rows: columns that fit the width, or a list of its cells where none do.

The columns are measured on the header and the first rows, so that those keep their
place while more come in.
"""

from collections.abc import Sequence
from typing import Literal

from rich.cells import cell_len

from qwen_tui.ui.markdown.rows import (
    EMPTY_ROW,
    Piece,
    Row,
    indent,
    pad,
    width_of,
    with_look,
)
from qwen_tui.ui.markdown.wrap import wrap

MEASURED = 20
"""Rows that decide how wide the columns are."""
_NARROW = 56  # cells; below, and where columns would be thinner than that, a list
_THIN = 6
_GAP = 3
_PAIR = 2  # columns that make one line of a list

Cell = list[Piece]
Align = Literal["left", "right", "center"]


class TableBlock:
    """The rows of one table, one of its own rows after another."""

    def __init__(
        self,
        header: Sequence[Cell],
        aligns: Sequence[Align],
        first: Sequence[Sequence[Cell]],
        width: int,
    ) -> None:
        self._header = header
        self._aligns = aligns
        self._width = width
        self._columns = _fit(
            [_widest(header, first, n) for n in range(len(header))], width
        )

    def head(self) -> list[Row]:
        """Return the header and the line under it; nothing in the form of a list."""
        if self._columns is None:
            return []
        rows = self._line([with_look(cell, "strong") for cell in self._header])
        dashes = [[Piece("-" * cells, "rule")] for cells in self._columns]
        return rows + self._line(dashes)

    def row(self, cells: Sequence[Cell], before: int) -> list[Row]:
        """Return one row of the table.

        Args:
            cells: As many as the header has.
            before: Rows that the one before it takes: neighbours of which one takes
                several are kept apart by a blank row. 0 for the first.
        """
        if self._columns is None:
            return self._entry(cells)
        rows = self._line(cells)
        apart = before and (before > 1 or len(rows) > 1)
        return [EMPTY_ROW, *rows] if apart else rows

    def _line(self, cells: Sequence[Cell]) -> list[Row]:
        columns = self._columns or []
        wrapped = [
            wrap(cell, width) for cell, width in zip(cells, columns, strict=False)
        ]
        rows: list[Row] = []
        for number in range(max(map(len, wrapped), default=0)):
            pieces: list[Piece] = []
            for column, (width, lines) in enumerate(
                zip(columns, wrapped, strict=False)
            ):
                inside = lines[number].pieces if number < len(lines) else ()
                pieces += self._aligned(inside, width, column)
            rows.append(Row(tuple(pieces)))
        return rows

    def _aligned(self, inside: Sequence[Piece], width: int, column: int) -> list[Piece]:
        left = width - width_of(inside)
        last = column == len(self._header) - 1
        gap = [] if last else [Piece(" " * _GAP)]
        match self._aligns[column]:
            case "right":
                return [Piece(" " * left), *inside, *gap]
            case "center":
                before = [Piece(" " * (left // 2)), *inside]
                return [*before, Piece(" " * (left - left // 2)), *gap]
            case _:
                return [*inside, Piece(" " * left), *gap]

    def _entry(self, cells: Sequence[Cell]) -> list[Row]:
        """Return a row as a list: its first cell, then "header: cell" for others."""
        named = list(zip(self._header, cells, strict=False))
        title = with_look(cells[0], "strong")
        if len(named) == _PAIR:
            title = [*title, Piece(": "), *cells[1]]
            named = named[:1]
        rows = indent(wrap(title, self._width - 2), Piece("- ", "marker"), Piece("  "))
        for head, cell in named[1:]:
            if any(piece.text.strip() for piece in cell):
                line = [*with_look(head, "muted"), Piece(": ", "muted"), *cell]
                rows += indent(wrap(line, self._width - 4), Piece("  "), pad(4))
        return rows


def _widest(header: Sequence[Cell], rows: Sequence[Sequence[Cell]], column: int) -> int:
    cells = [header[column], *(row[column] for row in rows if column < len(row))]
    lines = ("".join(piece.text for piece in cell).split("\n") for cell in cells)
    return max((cell_len(line) for cell in lines for line in cell), default=1) or 1


def _fit(wanted: list[int], width: int) -> list[int] | None:
    """Return the columns' widths, the widest ones giving way; None for a list."""
    room = width - _GAP * (len(wanted) - 1)
    if sum(wanted) <= room:
        return wanted
    if width < _NARROW or room < _THIN * len(wanted):
        return None
    limit = max(wanted)
    while sum(min(cells, limit) for cells in wanted) > room:
        limit -= 1
    return [min(cells, limit) for cells in wanted]
