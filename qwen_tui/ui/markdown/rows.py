"""Rows of text before any theme: what a message looks like at one width."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len


class Piece(NamedTuple):
    """Neighbouring characters of one look."""

    text: str
    look: str = ""
    """Names of looks, space between: "", "strong", "quote em"."""
    source: str | None = None
    """What copying gives in place of `text`; None: `text` itself."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the screen, not padded to the width."""

    pieces: tuple[Piece, ...]
    join: str = "\n"
    """What copying puts between this row and the next: nothing where a Chinese
    sentence was wrapped, a space where words were."""

    @property
    def text(self) -> str:
        """What is seen."""
        return "".join(piece.text for piece in self.pieces)

    def copied(self, start: int, end: int | None) -> str:
        """Return what copying the characters `start` to `end` gives; None: to the end.

        A piece that stands for a source is copied whole or not at all.
        """
        parts: list[str] = []
        at = 0
        for text, _look, source in self.pieces:
            left, right = max(start - at, 0), len(text)
            if end is not None:
                right = min(right, end - at)
            if left < right:
                parts.append(text[left:right] if source is None else source)
            at += len(text)
        return "".join(parts)


EMPTY_ROW = Row(())


def pad(cells: int, look: str = "") -> Piece:
    """Return blanks that copying leaves out."""
    return Piece(" " * cells, look, "")


def width_of(pieces: Iterable[Piece]) -> int:
    """Return the width in cells."""
    return sum(cell_len(piece.text) for piece in pieces)


def with_look(pieces: Iterable[Piece], look: str) -> list[Piece]:
    """Return `pieces` with one more look under their own."""
    return [
        Piece(text, f"{look} {own}" if own else look, source)
        for text, own, source in pieces
    ]


def cut(pieces: Sequence[Piece], start: int, end: int) -> list[Piece]:
    """Return the characters `start` to `end` of the joined texts.

    Of a piece with a source that is cut, the first part carries all of it.
    """
    found: list[Piece] = []
    at = 0
    for text, look, source in pieces:
        left, right = max(start - at, 0), min(end - at, len(text))
        if left < right:
            kept = source if source is None or left == 0 else ""
            found.append(Piece(text[left:right], look, kept))
        at += len(text)
        if at >= end:
            break
    return found


def indent(rows: Sequence[Row], first: Piece, rest: Piece) -> list[Row]:
    """Put `first` before the first row and `rest` before the others.

    The continuation of a wrapped line is copied without what stands before it.
    """
    indented: list[Row] = []
    before = "\n"
    for number, row in enumerate(rows):
        piece = rest if number else first
        if before != "\n":
            piece = Piece(piece.text, piece.look, "")
        blank = number and not row.pieces
        indented.append(row if blank else Row((piece, *row.pieces), row.join))
        before = row.join
    return indented
