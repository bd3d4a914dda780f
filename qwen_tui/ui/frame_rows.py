"""Rows of a terminal as cells, to be compared."""

from operator import ne
from typing import NamedTuple

from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip

from qwen_tui.sanitize import sanitize_line


class Row:
    """The cells of one row: what stands in them, and the SGR codes it has."""

    __slots__ = ("chars", "styles")

    def __init__(self, chars: list[str | None], styles: list[str]) -> None:
        self.chars = chars
        """One for each cell: "" is the right half of a wide one, None is unknown."""
        self.styles = styles

    def copy(self) -> "Row":
        """Return the same cells, to be changed."""
        return Row(self.chars[:], self.styles[:])

    def put(self, x: int, cells: "Cells") -> None:
        """Write cells over those from column `x` on; what lies outside is left out.

        A frame may be of a size that the terminal had a moment ago.
        """
        chars = self.chars
        if x >= len(chars):
            return
        end = min(x + len(cells.chars), len(chars))
        if 0 < x < end and chars[x] == "" and cells.chars[0] != "":
            chars[x - 1] = " "  # half a wide character cannot stay
        if end < len(chars) and chars[end] == "":
            chars[end] = " "
        chars[x:end] = cells.chars[: end - x]
        self.styles[x:end] = cells.styles[: end - x]

    def count_differences(self, other: "Row") -> int:
        """Return how many cells are not as in `other`."""
        chars = map(ne, self.chars, other.chars)
        styles = map(ne, self.styles, other.styles)
        return sum(a or b for a, b in zip(chars, styles, strict=True))


class Cells(NamedTuple):
    """A part of a row."""

    chars: list[str]
    styles: list[str]


def unknown_row(width: int) -> Row:
    """Return a row of a terminal that may show anything."""
    return Row([None] * width, [""] * width)


def first_difference(old: Row, new: Row) -> int:
    """Return the first column whose character is not the same; 0 if all are."""
    pairs = enumerate(zip(old.chars, new.chars, strict=True))
    return next((x for x, (before, after) in pairs if before != after), 0)


def cells_of(strip: Strip, colors: ColorSystem) -> Cells:
    """Return what a strip puts into cells, in the colours that there are."""
    chars: list[str] = []
    styles: list[str] = []
    for text, style, control in strip:
        if control:
            continue
        codes = _codes(style, colors)
        if not text.isprintable():
            text = _printable(text)
        if text.isascii():
            chars += text
        else:
            for start, end, width in split_graphemes(text)[0]:
                chars += [text[start:end], *[""] * (width - 1)][:width]
        styles += [codes] * (len(chars) - len(styles))
    return Cells(chars, styles)


def _printable(text: str) -> str:
    """Drop what a terminal would act on: the last door, should a sink be open."""
    if sanitize_line(text) == text:  # other blanks are not "printable" either
        return text
    return "".join(char for char in text if sanitize_line(char) == char)


def _codes(style: Style | None, colors: ColorSystem) -> str:
    if style is None:
        return ""
    known = style._ansi  # pyright: ignore[reportPrivateUsage] - as Strip.render_style
    return Strip.render_ansi(style, colors) if known is None else known
