"""Long lines of the composer: a key costs what it changes, not the whole line.

Textual wraps a line anew at each key, and divides it anew for each row that is drawn.
To it Chinese without a space is one word, which it measures character by character:
50 ms a key in a line of 20,000 characters.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise

from rich.cells import cell_len, get_character_cell_size
from rich.containers import Lines
from rich.style import Style
from rich.text import Text
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Location, WrappedDocument

_LONG = 500
"""Characters of a line from which on it is worth the trouble."""
_WORD = re.compile(r"\S+\s*|\s+")


class LongLineArea(TextArea):
    """A text area in which a line may be as long as a book."""

    _section = 0
    """Which row of its line is drawn now."""

    @property
    def wrapped_document(self) -> "LongLines":
        """The text in rows; each one that is set is replaced by its like."""
        return self._in_rows

    @wrapped_document.setter
    def wrapped_document(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, wrapped: WrappedDocument
    ) -> None:
        self._in_rows = LongLines(wrapped.document)

    def get_line(self, line_index: int) -> Text:
        """Return a line to be drawn; of a long one, the row that is drawn now."""
        line = self.document.get_line(line_index)
        if not _is_long(line):
            return super().get_line(line_index)
        return _Row(line, self._in_rows.get_offsets(line_index), self._section)

    def render_line(self, y: int) -> Strip:
        """Draw one row."""
        self._section = self._in_rows.section_at(self.scroll_offset.y + y)
        return super().render_line(y)


class LongLines(WrappedDocument):
    """Rows as Textual makes them; an edit in a long line wraps the rest of it."""

    def section_at(self, y: int) -> int:
        """Return which row of its line stands at `y`; 0 below the end."""
        rows = self._offset_to_line_info
        return rows[y][1] if y < len(rows) else 0

    def get_sections(self, line_index: int) -> list[str]:
        """Return the rows of a line."""
        line = self.document[line_index]
        places = [0, *self.get_offsets(line_index), len(line)]
        return [line[begin:end] for begin, end in pairwise(places)]

    def wrap_range(self, start: Location, old_end: Location, new_end: Location) -> None:
        """Wrap again what was edited."""
        row, column = start
        is_inside = row == old_end[0] == new_end[0] < self.document.line_count
        if not (is_inside and self._width > 1 and _is_long(self.document[row])):
            super().wrap_range(start, old_end, new_end)
            return
        line, breaks = self.document[row], self._wrap_offsets[row]
        kept = breaks[: _n_kept(line, breaks, column, self._width)]
        self._tab_width_cache[row] = [0]
        self._take(row, wrap_on(line, kept, self._width))

    def _take(self, row: int, breaks: list[int]) -> None:
        """Let a line break elsewhere; what is below it moves."""
        before = self._line_index_to_offsets[row]
        top, height = before[0], len(breaks) + 1
        more = height - len(before)
        self._wrap_offsets[row] = breaks
        if not more:
            return
        rows = [(row, section) for section in range(height)]
        self._offset_to_line_info[top : top + len(before)] = rows
        self._line_index_to_offsets[row] = list(range(top, top + height))
        for below in range(row + 1, len(self._line_index_to_offsets)):
            moved = [y + more for y in self._line_index_to_offsets[below]]
            self._line_index_to_offsets[below] = moved


class _Row(Text):
    """One row of a long line; to who styles and divides it, it is the whole line.

    Each `Text` of a line is searched for control characters, which takes a
    millisecond where the line is long and Chinese.
    """

    def __init__(self, line: str, breaks: Sequence[int], section: int) -> None:
        begin, end = [0, *breaks, len(line)][section : section + 2]
        rest = "" if end < len(line) else " "  # for the cursor at the end
        super().__init__(line[begin:end] + rest, end="", no_wrap=True)
        self._begin = begin
        self._n_shown = end - begin + len(rest)
        self._section = section
        self._n_line = len(line)

    def __len__(self) -> int:
        return self._n_line

    def set_length(self, new_length: int) -> None:
        """Take note of the place for the cursor, which is there already."""
        self._n_line = new_length

    def stylize(
        self, style: str | Style, start: int = 0, end: int | None = None
    ) -> None:
        """Style what is shown of a part of the line."""
        end = self._n_line if end is None else end
        first = max(start - self._begin, 0)
        last = min(end - self._begin, self._n_shown)
        if first < last:
            super().stylize(style, first, last)

    def divide(self, offsets: Iterable[int]) -> Lines:
        """Return the rows up to the one that is drawn, the others empty."""
        return Lines([Text()] * self._section + [self])


def wrap_on(line: str, kept: Sequence[int], width: int) -> list[int]:
    """Return where a line breaks of which the first breaks are known.

    The breaks are those of Textual: between words, and inside a word that is wider
    than a row, which begins a row of its own.

    Args:
        line: Without tabs.
        kept: The first breaks, columns in order.
        width: Cells of a row, 2 or more.
    """
    breaks = list(kept)
    first = breaks[-1] if breaks else 0
    used = 0
    for word in _WORD.finditer(line, first):
        start, text = word.start(), word.group()
        is_rest = start == first > 0 and not _begins_word(line, start)
        cells = 0 if is_rest else _cells(text, width)
        if is_rest or cells > width:
            if start > first:
                breaks.append(start)
            inside = _folded(text, start, width)
            breaks += inside
            used = cell_len(line[inside[-1] if inside else start : word.end()])
        elif used + cells <= width:
            used += cells
        else:
            breaks.append(start)
            used = cells
    return breaks


def _n_kept(line: str, breaks: Sequence[int], column: int, width: int) -> int:
    """Return how many breaks stay where they are when a line is edited at a column.

    Args:
        line: As it is now; up to the column it is as it was.
        breaks: As they were.
        column: Where the edit begins.
        width: Cells of a row.
    """
    before = line[:column].rstrip()
    words = before.rsplit(None, 1)
    word_start = len(before) - len(words[-1]) if words else 0
    # the edit may make its word fit where it did not, or break it in two; but as
    # much of it as is too wide for a row stays folded where it is
    n_kept = bisect_left(breaks, column)
    last = breaks[n_kept - 1] if n_kept else 0
    surely = line[word_start : min(last, word_start + width + 1)]
    return n_kept if cell_len(surely) > width else bisect_left(breaks, word_start)


def _folded(text: str, start: int, width: int) -> list[int]:
    """Return where a word that starts at a column breaks inside."""
    breaks: list[int] = []
    used = 0
    for place, cells in enumerate(map(get_character_cell_size, text), start):
        used += cells
        if used > width:
            breaks.append(place)
            used = cells
    return breaks


def _cells(text: str, width: int) -> int:
    """Return the cells of a word, or of the beginning that is too wide for a row."""
    beginning = cell_len(text[: width + 1])
    return beginning if beginning > width else cell_len(text)


def _begins_word(line: str, place: int) -> bool:
    return line[place - 1].isspace() and not line[place : place + 1].isspace()


def _is_long(line: str) -> bool:
    return len(line) > _LONG and "\t" not in line
