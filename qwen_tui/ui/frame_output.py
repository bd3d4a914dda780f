"""What a terminal is sent to turn one row into another."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from qwen_tui.ui.frame_rows import Row

_NEAR = 8  # equal cells that are sent again rather than jumped over
# How wide these are depends on the terminal: joined and coloured emoji, flags, scripts
# whose letters combine. The place after them is told, and their second cell cleared.
_DOUBTFUL = re.compile(
    "[\u200d\ufe0f\u20e3\u0900-\u0dff"
    "\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\U0001fa70-\U0001faff]"
)
_BOXES = ("\u2500", "\u259f")


def row_changes(y: int, old: Row, new: Row) -> Iterator[str]:
    """Yield what brings a row from `old` to `new`."""
    for start, end in _spans(old, new):
        yield move_to(start, y)
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
        yield " " * width + move_to(x, y)
    yield char
    if doubt:
        yield move_to(x + width, y)


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


def move_to(x: int, y: int) -> str:
    """Return what puts the cursor at a cell, both counted from 0."""
    return f"\x1b[{y + 1};{x + 1}H"
