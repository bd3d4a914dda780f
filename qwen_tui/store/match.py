"""What a person searches for, and where a text holds it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qwen_tui.chat.shelf import Marks
from qwen_tui.sanitize import sanitize_line
from qwen_tui.store.rows import storable

_MOST_CHARACTERS = 500
_TERM = re.compile(r'"([^"]+)"|(\S+)')
_BEFORE = 30
_AFTER = 120
"""Characters shown before and after the first match."""


def terms_of(query: str) -> tuple[str, ...]:
    """Return what a query asks for: its words, and whole what stands in quotes."""
    text = storable(query[:_MOST_CHARACTERS])
    found = (fold(quoted or word) for quoted, word in _TERM.findall(text))
    return tuple(dict.fromkeys(term for term in found if term.strip()))


def fold(text: str) -> str:
    """Return `text` in lower case, every character at its place."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A part of a text around its first match, one sanitized line."""

    text: str
    marks: Marks
    """Every match in `text`."""


def cut_snippet(text: str, terms: Sequence[str]) -> Snippet:
    """Return the part of a text that shows what was searched for."""
    folded = fold(text)
    places = [place for term in terms if (place := folded.find(term)) >= 0]
    first = min(places, default=0)
    start = _word_start(text, max(0, first - _BEFORE), first)
    end = min(len(text), first + _AFTER)
    pieces = ["\N{HORIZONTAL ELLIPSIS}" if start else ""]
    marks: list[tuple[int, int]] = []
    length, place = len(pieces[0]), start
    for low, high in _matches(folded, terms, start, end):
        before = sanitize_line(text[place:low])
        match = sanitize_line(text[low:high])
        marks.append((length + len(before), length + len(before) + len(match)))
        pieces += (before, match)
        length, place = marks[-1][1], high
    # a match may be longer than what is shown after its beginning
    pieces.append(sanitize_line(text[place:end]))
    if max(place, end) < len(text):
        pieces.append("\N{HORIZONTAL ELLIPSIS}")
    return Snippet("".join(pieces), tuple(marks))


def _word_start(text: str, start: int, latest: int) -> int:
    """Return where the first whole word from `start` on begins."""
    if start == 0:
        return 0
    space = re.compile(r"\s+").search(text, start - 1, latest)
    return start if space is None else space.end()


def _matches(
    folded: str, terms: Sequence[str], start: int, end: int
) -> list[tuple[int, int]]:
    """Return the matches that begin in a part of a text, those that overlap as one."""
    found = sorted(
        (match.start(), match.end())
        for term in terms
        for match in re.compile(re.escape(term)).finditer(folded, start)
        if match.start() < end
    )
    merged: list[tuple[int, int]] = []
    for low, high in found:
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged
