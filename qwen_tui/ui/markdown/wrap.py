"""Breaking text into rows: words at spaces, Chinese and Japanese anywhere.

A row does not begin with closing punctuation or end with opening punctuation
where that can be helped, and no wide character, emoji or accent is torn apart.
Every row but the last stays as it is when text is added at the end.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from rich.cells import cell_len, split_graphemes

from qwen_tui.ui.markdown.rows import Piece, Row, cut

# Wide characters between which a row may end, closing and opening ones left out.
_WIDE = (
    "\u1100-\u115f\u2e80-\u2fdf\u3003-\u3007\u3012-\u3013\u3020-\u303e\u3041-\u4dbf"
    "\u4e00-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff02-\uff07"
    "\uff0a-\uff0b\uff0d\uff0f-\uff19\uff1c-\uff1e\uff20-\uff3a\uff3c\uff3e-\uff5a"
    "\uff5c\uff5e-\uff5f\uffe0-\uffe6\U0001f004-\U0001faff\U00020000-\U0003fffd"
)
_CLOSE_WIDE = "、。〉》」』】〕〗〙〛！）．，：；？］｝％〞〟"
_CLOSE = _CLOSE_WIDE + "”’,.;:!?)\\]}%…—"
_OPEN_WIDE = "〈《「『【〔〖〘〚（［｛〝"
_OPEN = _OPEN_WIDE + "“‘(\\[{"
# Accents, variation selectors, skin tones, and what a zero-width joiner joins.
_MORE = (
    "(?:[\u0300-\u036f\u3099-\u309a\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff]|\u200d.)*"
)
_NARROW = f"[^\\s{_WIDE}{_OPEN_WIDE}{_CLOSE_WIDE}]"
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
WIDE_CHARACTER = f"[{_WIDE}]"
"""A pattern for one beside which a row may end."""


class Span(NamedTuple):
    """One row's share of a text."""

    start: int
    end: int
    join: str


@cache
def _atom() -> re.Pattern[str]:
    """Return what finds words, single wide characters, and spaces between them."""
    return re.compile(
        rf"(?P<space>\s+)"
        rf"|[{_OPEN}]*(?:{_FLAG}|[{_WIDE}]{_MORE})[{_CLOSE}]*"
        rf"|[{_OPEN_WIDE}]*{_NARROW}+?"
        rf"(?=[{_OPEN}]*[{_WIDE}]|[{_OPEN_WIDE}{_CLOSE_WIDE}]|\s|\Z)"
        rf"[{_CLOSE_WIDE}]*"
        rf"|[{_OPEN_WIDE}]+[{_CLOSE_WIDE}]*|[{_CLOSE_WIDE}]+"
    )


def wrap(pieces: Sequence[Piece], width: int) -> list[Row]:
    """Return `pieces` as rows of at most `width` cells; line feeds end a row."""
    plain = "".join(piece.text for piece in pieces)
    return rows_of(pieces, break_rows(plain, width))


def rows_of(pieces: Sequence[Piece], spans: Sequence[Span]) -> list[Row]:
    """Return the rows that `spans` make of `pieces`."""
    return [Row(tuple(cut(pieces, start, end)), join) for start, end, join in spans]


def break_rows(text: str, width: int) -> list[Span]:
    """Return where the rows of `text` begin and end, at least one."""
    width = max(width, 2)
    spans: list[Span] = []
    start = 0
    for line in text.split("\n"):
        if line.isascii() and len(line) <= width:
            spans.append(Span(start, start + len(line.rstrip()), "\n"))
        else:
            spans += _break_line(line, start, width)
        start += len(line) + 1
    return spans


def _break_line(line: str, offset: int, width: int) -> Iterator[Span]:
    start = 0  # of the row
    end = 0  # of what surely stands on it
    column = 0
    space = 0
    for match in _atom().finditer(line):
        atom = match.group()
        cells = len(atom) if atom.isascii() else cell_len(atom)
        if match.lastgroup == "space":
            space = cells
            if end == 0 and cells < width:  # what a line begins with is its indent
                end, column, space = match.end(), cells, 0
            continue
        if column + space + cells > width:
            if column:
                yield Span(offset + start, offset + end, " " if space else "")
                start, column = match.start(), 0
            for at in _tear(atom, width) if cells > width else ():
                yield Span(offset + start, offset + match.start() + at, "")
                start = match.start() + at
                cells = cell_len(line[start : match.end()])
            space = 0
        column += space + cells
        end, space = match.end(), 0
    yield Span(
        offset + start, offset + (end if line[start:end].strip() else start), "\n"
    )


def _tear(atom: str, width: int) -> Iterator[int]:
    """Yield where rows of a word end that is wider than a row."""
    column = 0
    for start, _end, cells in split_graphemes(atom)[0]:
        if column + cells > width:
            yield start
            column = 0
        column += cells


def fold(pieces: Sequence[Piece], width: int) -> list[Row]:
    """Return one line as rows of exactly `width` cells, broken anywhere: code."""
    width = max(width, 2)
    plain = "".join(piece.text for piece in pieces)
    if len(plain) <= width and cell_len(plain) <= width:
        return [Row(tuple(pieces))]
    ends = [*_tear(plain, width), len(plain)]
    rows: list[Row] = []
    start = 0
    for end in ends:
        join = "\n" if end == len(plain) else ""
        rows.append(Row(tuple(cut(pieces, start, end)), join))
        start = end
    return rows
