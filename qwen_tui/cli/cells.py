"""Columns of a terminal: how wide a text is, and a table that keeps to them."""

import shutil
import sys
import unicodedata
from collections.abc import Sequence

_GAP = 2
_LEAST_CELLS = 12
_CUT = "..."


def cell_width(text: str) -> int:
    """Return how many columns a terminal takes for `text`; Chinese takes two each."""
    return sum(_width(char) for char in text)


def fitted(text: str, width: int, *, right: bool = False) -> str:
    """Return `text` in exactly `width` columns, cut in its middle where it is longer.

    The end stays, for names of files differ there.
    """
    if cell_width(text) > width:
        tail_cells = (width - len(_CUT)) * 2 // 3
        tail = _beginning(text[::-1], tail_cells)[::-1]
        head = _beginning(text, width - len(_CUT) - cell_width(tail))
        text = f"{head}{_CUT}{tail}"
    gap = " " * (width - cell_width(text))
    return gap + text if right else text + gap


def cut(text: str, width: int) -> str:
    """Return `text` in at most `width` columns, cut at its end: for a sentence."""
    if cell_width(text) <= width:
        return text
    kept = _beginning(text, max(width - len(_CUT), 0))
    return kept + _CUT if kept else _CUT[: max(width, 0)]


def output_width() -> int | None:
    """Return the columns of the terminal that stdout is; None for a file or pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(
    rows: Sequence[Sequence[str]], *, width: int | None, right: Sequence[int] = ()
) -> list[str]:
    """Return the rows as lines with aligned columns.

    Args:
        rows: The same number of texts in each, made harmless.
        width: What the lines must fit; the first column gives way. None: no limit.
        right: Numbers of the columns that are aligned at their right.
    """
    widths = [max(map(cell_width, column)) for column in zip(*rows, strict=True)]
    if width is not None and widths:
        others = sum(widths[1:]) + _GAP * (len(widths) - 1)
        widths[0] = min(widths[0], max(width - others, _LEAST_CELLS))
    return [
        (" " * _GAP)
        .join(
            fitted(text, cells, right=number in right)
            for number, (text, cells) in enumerate(zip(row, widths, strict=True))
        )
        .rstrip()
        for row in rows
    ]


def _beginning(text: str, width: int) -> str:
    """As much of the text's beginning as `width` columns hold."""
    while text and cell_width(text) > width:
        text = text[:-1]
    return text


def _width(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
