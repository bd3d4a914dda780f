"""Pieces of text with a tone each, and the theme's colours for them."""

from typing import Literal, get_args

from rich.cells import cell_len
from textual.content import Content

from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.widgets.line_text import fit

Tone = Literal["plain", "dim", "strong", "good", "busy", "warning", "error"]
Line = list[tuple[str, Tone]]
"""Pieces of one line."""

TONES: tuple[Tone, ...] = get_args(Tone)
_STYLES: dict[Tone, str] = {
    "plain": "",
    "dim": "$foreground-muted",
    "strong": "bold",
    "good": "$text-success",
    "busy": "$text-primary",
    "warning": "$text-warning",
    "error": "$text-error",
}


def line(text: str, tone: Tone = "plain") -> Line:
    """Return a line of one piece."""
    return [(text, tone)]


def wrap(text: str, width: int, tone: Tone) -> list[Line]:
    """Return lines of at most `width` cells, broken at blanks where there are some."""
    lines: list[Line] = []
    left = sanitize_line(text).strip()
    while cell_len(left) > width > 1:
        cut = len(left)
        while cell_len(left[:cut]) > width:
            cut -= 1
        blank = left.rfind(" ", 0, cut + 1)
        if blank > cut // 2:
            cut = blank
        lines.append(line(left[:cut].rstrip(), tone))
        left = left[cut:].lstrip()
    return [*lines, line(left, tone)] if left else lines


def cut(pieces: Line, width: int) -> Line:
    """Return a line in at most `width` cells."""
    kept: Line = []
    for text, tone in pieces:
        room = width - sum(cell_len(piece) for piece, _tone in kept)
        if room <= 0:
            break
        kept.append((fit(text, min(room, cell_len(sanitize_line(text)))), tone))
    return kept


def content_of(lines: list[Line]) -> Content:
    """Return lines with the theme's colours; nothing in them is markup."""
    return Content("\n").join(
        Content("").join(Content.styled(text, _STYLES[tone]) for text, tone in pieces)
        for pieces in lines
    )
