"""A paragraph's text as pieces: emphasis, code, links with their address, math.

Long text is read in segments that end where nothing is open, so that what streams
in at the end of a paragraph of any length is read at the cost of its last segment.
Where a segment ends depends on the text before that point alone.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from qwen_tui.sanitize import sanitize, sanitize_line
from qwen_tui.ui.markdown.latex import readable
from qwen_tui.ui.markdown.parser import LONG_LINE, read_inline
from qwen_tui.ui.markdown.rows import Piece
from qwen_tui.ui.markdown.wrap import WIDE_CHARACTER

_SEGMENT = 1000  # characters; shorter text is one segment
_FORCED = 4000  # here a segment ends in any case
_WINDOW = 250  # characters that must be known to look for an end among them
_UNKNOWN = 8
_LINE_START = re.compile(r"\n(?=[^\s])")
_BETWEEN = re.compile(rf"\s(?=\S)|{WIDE_CHARACTER}(?={WIDE_CHARACTER})")
# What may still open something when more text comes.
_OPEN = re.compile(r"[*~]\S|(?<!\w)_\S|[`\[\\]|\$\S")
_MARKS = {"strong_open": "strong", "em_open": "em", "s_open": "strike"}
_CLOSES = {"strong_close", "em_close", "s_close"}


class Segment(NamedTuple):
    """A part of a paragraph that is read by itself."""

    end: int
    """Where it ends in the paragraph's text."""
    pieces: list[Piece]


def read_text(parser: MarkdownIt, text: str) -> list[Piece]:
    """Return a paragraph's text as pieces, a line feed for each of its line ends."""
    pieces: list[Piece] = []
    for segment in read_segments(parser, text):
        pieces += segment.pieces
    return pieces


def read_segments(parser: MarkdownIt, text: str, line: int = 0) -> Iterator[Segment]:
    """Yield the segments of `text`, of which the last may still change.

    Args:
        parser: What `build_parser` returned.
        text: Sanitized.
        line: Characters that stand before `text` in its first line.
    """
    start = 0
    while (segment := _next_segment(parser, text, start, line)) is not None:
        yield segment
        start = segment.end
    rest = read_inline(parser, text[start:])
    yield Segment(len(text), to_pieces(parser, rest))


def _next_segment(
    parser: MarkdownIt, text: str, start: int, line: int
) -> Segment | None:
    """Return the segment from `start`; None where its end is not known yet."""
    at_least = _SEGMENT
    for end in _ends(text, start, line):
        if end - start < at_least:
            continue
        at_least *= 2
        tokens = read_inline(parser, text[start:end])
        if end - start >= _FORCED or not any(map(_is_open, tokens)):
            return Segment(end, to_pieces(parser, tokens))
    return None


def _ends(text: str, start: int, line: int) -> Iterator[int]:
    """Yield where a segment might end: at line starts, and inside very long lines."""
    at = start + _SEGMENT
    while at + _WINDOW + _UNKNOWN <= len(text):
        line_start = text.rfind("\n", 0, at) + 1
        length = at - line_start + (0 if line_start else line)
        end = _LINE_START.search(text, at, at + _WINDOW)
        if length >= LONG_LINE:
            line_end = text.find("\n", at, at + _WINDOW)
            window_end = at + _WINDOW if line_end < 0 else line_end
            end = _BETWEEN.search(text, at, window_end) or end
        if end is not None:
            yield end.end()
        elif length >= LONG_LINE and at - start >= _FORCED:
            yield _whole(text, at)
        at = at + _WINDOW if end is None else end.end()


def _whole(text: str, at: int) -> int:
    """Return the next place that does not tear an accent from its letter."""
    last = at + _UNKNOWN
    while at < last and not text[at].isascii():
        at += 1
    return at


def _is_open(token: Token) -> bool:
    return token.type == "text" and bool(_OPEN.search(token.content))


def to_pieces(parser: MarkdownIt, tokens: Sequence[Token]) -> list[Piece]:
    """Return inline tokens as pieces that are safe to draw."""
    pieces: list[Piece] = []
    looks: list[str] = []
    links: list[tuple[str, int]] = []
    for token in tokens:
        kind = token.type
        if kind in _MARKS:
            looks.append(_MARKS[kind])
        elif kind in _CLOSES:
            looks.pop()
        elif kind == "link_open":
            links.append((_address(parser, token.attrs.get("href")), len(pieces)))
        elif kind == "link_close":
            address, start = links.pop()
            shown = "".join(piece.text for piece in pieces[start:])
            pieces[start:] = [_linked(piece) for piece in pieces[start:]]
            if address and address != shown:
                pieces.append(Piece(f" ({address})", "link"))
        else:
            _put_text(parser, token, " ".join(looks), pieces)
    return pieces


def _put_text(parser: MarkdownIt, token: Token, look: str, pieces: list[Piece]) -> None:
    content = sanitize(token.content).replace("\t", " ")
    match token.type:
        case "softbreak" | "hardbreak":
            # a chat answer means its line ends; CommonMark would join the lines
            pieces.append(Piece("\n"))
        case "code_inline":
            pieces.append(Piece(content, f"{look} inline-code".strip()))
        case "image":
            alt = sanitize(token.content)
            address = _address(parser, token.attrs.get("src"))
            pieces.append(Piece(f"[{alt}] ({address})", "link"))
        case "math_inline":
            shown = sanitize_line(readable(token.content))
            pieces.append(Piece(shown, f"{look} math".strip(), token.markup))
        case _ if content:
            pieces.append(Piece(content, look))
        case _:
            return  # markers that became emphasis


def _linked(piece: Piece) -> Piece:
    return piece._replace(look=f"{piece.look} link".strip())


def _address(parser: MarkdownIt, href: object) -> str:
    return sanitize_line(parser.normalizeLinkText(str(href or "")))
