"""Rows that only moved: a terminal moves them itself for a few bytes."""

from collections import Counter
from typing import NamedTuple

from qwen_tui.ui.frame_rows import Row, first_difference, unknown_row

_FEW = 4  # rows that look the same; more of them are blank, and from anywhere


class Shift(NamedTuple):
    """Rows that the terminal moves."""

    top: int
    bottom: int
    up: int
    """By so many rows; negative: down."""


def find_shift(rows: list[Row], changed: dict[int, Row]) -> Shift | None:
    """Return what most of `changed` have in common if they only moved.

    Args:
        rows: What the terminal shows.
        changed: What it is to show instead, by the number of the row.
    """
    left = min(first_difference(rows[y], row) for y, row in changed.items())
    places: dict[tuple[str | None, ...], list[int]] = {}
    for y, row in enumerate(rows):
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


def moved_rows(rows: list[Row], shift: Shift) -> list[Row]:
    """Return the rows of a shift as the terminal leaves them."""
    top, bottom, up = shift
    return [
        rows[y + up].copy()
        if top <= y + up <= bottom
        else unknown_row(len(rows[0].chars))
        for y in range(top, bottom + 1)
    ]
