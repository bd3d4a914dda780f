"""Frames as what changed of them: over SSH a frame should cost what is new in it.

Textual sends each dirty region whole, and any new line in a scrolling container
makes all of it dirty: 14 to 21 KB a time. Here each cell that the terminal shows is
remembered, only other ones are sent, and rows that moved are moved by the terminal.

It leans on textual 8.2.8 inside: `thin_line` checks the version.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from operator import ne
from typing import NamedTuple

from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS, Console
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Offset, Size
from textual.strip import Strip

_NEAR = 8  # equal cells that are sent again rather than jumped over
_FEW = 4  # changed rows below which nothing is looked for that moved
_SHIFT_CELLS = 24  # about what moving rows costs
# How wide these are depends on the terminal: joined and coloured emoji, flags, scripts
# whose letters combine. The place after them is told, and their second cell cleared.
_DOUBTFUL = re.compile(
    "[\u200d\ufe0f\u20e3\u0900-\u0dff"
    "\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\U0001fa70-\U0001faff]"
)
_BOXES = ("\u2500", "\u259f")

Update = LayoutUpdate | ChopsUpdate


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
        """Write cells over those from column `x` on."""
        chars = self.chars
        end = min(x + len(cells.chars), len(chars))
        if 0 < x < end and chars[x] == "" and cells.chars[0] != "":
            chars[x - 1] = " "  # half a wide character cannot stay
        if end < len(chars) and chars[end] == "":
            chars[end] = " "
        chars[x:end] = cells.chars[: end - x]
        self.styles[x:end] = cells.styles[: end - x]

    def differences(self, other: "Row") -> int:
        """Return how many cells are not as in `other`."""
        chars = map(ne, self.chars, other.chars)
        styles = map(ne, self.styles, other.styles)
        return sum(a or b for a, b in zip(chars, styles, strict=True))


class Cells(NamedTuple):
    """A part of a row."""

    chars: list[str]
    styles: list[str]


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
            self._rows = [_unknown(size.width) for _ in range(size.height)]
        target = self._targets(update, _colors(console))
        changed = {y: row for y, row in target.items() if self._differs(y, row)}
        parts: list[str] = []
        if len(changed) >= _FEW:
            parts += self._move_rows(changed)
        for y, row in changed.items():
            parts += _row_changes(y, self._rows[y], row)
            self._rows[y] = row
        if parts:
            parts.append("\x1b[0m")
        if parts or cursor != self._cursor:
            parts.append(_move_to(*cursor))
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
                found = (strip, _cells(strip, colors))
            seen[id(strip)] = found
            if y not in rows:
                rows[y] = self._rows[y].copy()
            rows[y].put(x, found[1])
        self._seen = seen
        return rows

    def _differs(self, y: int, row: Row) -> bool:
        old = self._rows[y]
        return row.chars != old.chars or row.styles != old.styles

    def _move_rows(self, changed: dict[int, Row]) -> list[str]:
        """Let the terminal move the rows that most of `changed` come from."""
        shift = self._find_shift(changed)
        if shift is None:
            return []
        top, bottom, up = shift
        moved = self._moved(shift)
        before = after = 0
        target: dict[int, Row] = {}
        for y in range(top, bottom + 1):
            row = target[y] = changed.get(y, self._rows[y])
            before += row.differences(self._rows[y])
            after += row.differences(moved[y - top])
        if after + _SHIFT_CELLS >= before:
            return []
        self._rows[top : bottom + 1] = moved
        for y, row in target.items():
            changed.pop(y, None)
            if self._differs(y, row):
                changed[y] = row
        how = f"{up}M" if up > 0 else f"{-up}L"
        region = f"\x1b[{top + 1};{bottom + 1}r"
        return [f"\x1b[0m{region}{_move_to(0, top)}\x1b[{how}\x1b[r"]

    def _find_shift(self, changed: dict[int, Row]) -> "Shift | None":
        """Return what most of `changed` have in common if they only moved."""
        left = min(_first_difference(self._rows[y], row) for y, row in changed.items())
        places: dict[tuple[str | None, ...], list[int]] = {}
        for y, row in enumerate(self._rows):
            places.setdefault(tuple(row.chars[left:-1]), []).append(y)
        votes: Counter[int] = Counter()
        found: list[tuple[int, int]] = []
        for y, row in changed.items():
            sources = places.get(tuple(row.chars[left:-1]), ())
            if len(sources) <= _FEW:  # else blank: from anywhere
                found += [(y, source) for source in sources]
        votes.update(source - y for y, source in found if source != y)
        if not votes:
            return None
        up = votes.most_common(1)[0][0]
        ends = [y for pair in found if pair[1] - pair[0] == up for y in pair]
        return Shift(min(ends), max(ends), up)

    def _moved(self, shift: "Shift") -> list[Row]:
        """Return the rows of a shift as the terminal leaves them."""
        top, bottom, up = shift
        return [
            self._rows[y + up].copy()
            if top <= y + up <= bottom
            else _unknown(self._width)
            for y in range(top, bottom + 1)
        ]


class Shift(NamedTuple):
    """Rows that the terminal moves."""

    top: int
    bottom: int
    up: int
    """By so many rows; negative: down."""


def _first_difference(old: Row, new: Row) -> int:
    pairs = enumerate(zip(old.chars, new.chars, strict=True))
    return next((x for x, (before, after) in pairs if before != after), 0)


def _colors(console: Console) -> ColorSystem:
    name = console.color_system
    return COLOR_SYSTEMS[name] if name else ColorSystem.TRUECOLOR  # as Strip.render


def _unknown(width: int) -> Row:
    return Row([None] * width, [""] * width)


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


def _cells(strip: Strip, colors: ColorSystem) -> Cells:
    chars: list[str] = []
    styles: list[str] = []
    for text, style, control in strip:
        if control:
            continue
        codes = _codes(style, colors)
        if text.isascii():
            chars += text
        else:
            for start, end, width in split_graphemes(text)[0]:
                chars += [text[start:end], *[""] * (width - 1)][:width]
        styles += [codes] * (len(chars) - len(styles))
    return Cells(chars, styles)


def _codes(style: Style | None, colors: ColorSystem) -> str:
    if style is None:
        return ""
    known = style._ansi  # pyright: ignore[reportPrivateUsage] - as Strip.render_style
    return Strip.render_ansi(style, colors) if known is None else known


def _row_changes(y: int, old: Row, new: Row) -> Iterator[str]:
    """Yield what brings a row from `old` to `new`."""
    for start, end in _spans(old, new):
        yield _move_to(start, y)
        style: str | None = None
        for x in range(start, end):
            char = new.chars[x]
            if not char:
                continue
            if new.styles[x] != style:
                style = new.styles[x]
                yield f"\x1b[0;{style}m" if style else "\x1b[0m"
            width = 2 if x + 1 < len(new.chars) and new.chars[x + 1] == "" else 1
            yield from _character(char, x, y, width)


def _character(char: str, x: int, y: int, width: int) -> Iterator[str]:
    """Yield one character, its place told again where its width is in doubt."""
    doubt = _doubt(char)
    if doubt == "emoji":
        yield " " * width + _move_to(x, y)
    yield char
    if doubt:
        yield _move_to(x + width, y)


@lru_cache(maxsize=4096)
def _doubt(char: str) -> str:
    """Return why terminals differ about the width of a character, "" if they agree."""
    if char.isascii():
        return ""
    if _DOUBTFUL.search(char):
        return "emoji"
    if _BOXES[0] <= char <= _BOXES[1]:
        return ""  # whole lines of them; who sees those wide has the ASCII borders
    return "ambiguous" if unicodedata.east_asian_width(char[0]) == "A" else ""


def _spans(old: Row, new: Row) -> Iterable[tuple[int, int]]:
    """Return where cells differ, halves of wide characters included."""
    width = len(new.chars)
    spans: list[tuple[int, int]] = []
    for x in range(width):
        if new.chars[x] == old.chars[x] and new.styles[x] == old.styles[x]:
            continue
        start, end = x, x + 1
        while start > 0 and (new.chars[start] == "" or old.chars[start] == ""):
            start -= 1
        while end < width and (new.chars[end] == "" or old.chars[end] == ""):
            end += 1
        if spans and start - spans[-1][1] < _NEAR:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((start, end))
    return spans


def _move_to(x: int, y: int) -> str:
    return f"\x1b[{y + 1};{x + 1}H"
