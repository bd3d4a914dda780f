"""What a terminal is sent to turn one row into another."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from qwen_tui.ui.frame_pen import pen_change
from qwen_tui.ui.frame_rows import Row
from qwen_tui.ui.frame_shift import Shift

_NEAR = 8  # equal cells that are sent again rather than jumped over
# How wide these are depends on the terminal: joined and coloured emoji, flags, scripts
# whose letters combine. The place after them is told, and their second cell cleared.
_DOUBTFUL = re.compile(
    "[\u200d\ufe0f\u20e3\u0900-\u0dff"
    "\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff\U0001fa70-\U0001faff]"
)
_BOXES = ("\u2500", "\u259f")


class Output:
    """What is sent for a frame, row by row."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._style: str | None = None
        """The SGR codes in force; None where others may have set some."""

    def change_row(self, y: int, old: Row, new: Row) -> None:
        """Bring a row from `old` to `new`."""
        for start, end in _spans(old, new):
            self.parts.append(move_to(start, y))
            for x in range(start, end):
                char = new.chars[x]
                if not char:
                    continue
                style = new.styles[x]
                if style != self._style:
                    self.parts.append(pen_change(self._style, style))
                    self._style = style
                wide = x + 1 < len(new.chars) and new.chars[x + 1] == ""
                self.parts += _character(char, x, y, 2 if wide else 1)

    def move_rows(self, shift: Shift) -> None:
        """Let the terminal move rows; those that come in are empty."""
        top, bottom, up = shift
        how = f"{up}M" if up > 0 else f"{-up}L"
        region = f"\x1b[{top + 1};{bottom + 1}r"
        self.parts.append(f"\x1b[0m{region}{move_to(0, top)}\x1b[{how}\x1b[r")
        self._style = ""


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
