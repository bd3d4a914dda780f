"""Blocks that may still grow: what of them is settled, and what is drawn again.

Each of the classes takes its block anew from the parser whenever text came in, and
tells which rows are final. The lines of those are not parsed again: in their place
stands `prefix`, which makes the parser read the rest as the same block.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from markdown_it import MarkdownIt

from qwen_tui.sanitize import sanitize
from qwen_tui.ui.markdown.code_block import CodeBlock, code_lines
from qwen_tui.ui.markdown.highlight import Lexers
from qwen_tui.ui.markdown.inline import read_segments
from qwen_tui.ui.markdown.layout import Layout, marker_of
from qwen_tui.ui.markdown.nodes import Node
from qwen_tui.ui.markdown.rows import EMPTY_ROW, Piece, Row, cut
from qwen_tui.ui.markdown.table_block import MEASURED, TableBlock
from qwen_tui.ui.markdown.wrap import break_rows, rows_of

_KEPT_ITEMS = 2
_STAND_IN = "x"  # reads as a paragraph's begin, whatever follows it


class Text(NamedTuple):
    """What the parser was given."""

    lines: Sequence[str]
    complete: int
    """How many of the lines have ended."""
    layout: Layout

    def from_line(self, line: int) -> "Text":
        """Return the text without its first lines."""
        if not line:
            return self
        lines = self.lines[line:]
        return Text(lines, self.complete - line, self.layout.of(lines))


class Growth(NamedTuple):
    """What has become of a block."""

    settled: list[Row]
    rest: list[Row]
    used: int = 0
    """Characters of the text, prefix included, that need not be parsed again."""


class OpenBlock(Protocol):
    """A block of which a part is settled."""

    kind: str
    prefix: str

    def grow(self, node: Node, text: Text, *, closed: bool) -> Growth:
        """Take the block as it is now; `closed`: it will not grow any more."""
        ...


def open_block(
    node: Node, width: int, parser: MarkdownIt, lexers: Lexers
) -> OpenBlock | None:
    """Return what follows the growth of `node`; None: it is drawn again as a whole."""
    match node.kind:
        case "paragraph":
            return OpenParagraph(width, parser)
        case "fence":
            return OpenFence(node, width, lexers)
        case "list":
            return OpenList(node, width)
        case "table":
            return OpenTable(width)
        case _:
            return None


class OpenParagraph:
    """Settles all rows but the last of the segments that are read for good."""

    kind = "paragraph"

    def __init__(self, width: int, parser: MarkdownIt) -> None:
        self.prefix = ""
        self._width = width
        self._parser = parser
        self._carried: list[Piece] = []
        """The last row of what was settled: it goes on."""
        self._line = 0
        """Characters that stand before the rest in its first line."""

    def grow(self, node: Node, text: Text, *, closed: bool) -> Growth:
        """Take the paragraph's text so far."""
        content = node.text.removeprefix(self.prefix.rstrip("\n")).removeprefix("\n")
        *final, last = read_segments(self._parser, content, self._line)
        pieces = [*self._carried]
        for segment in final:
            pieces += segment.pieces
        settled: list[Row] = []
        if final and not closed:
            settled = self._settle(pieces)
            pieces = self._carried
        rest = self._rows([*pieces, *last.pieces])
        if not settled:
            return Growth([], rest)
        used = self._skip(final[-1].end, content, text)
        return Growth(settled, rest, used)

    def _settle(self, pieces: list[Piece]) -> list[Row]:
        plain = "".join(piece.text for piece in pieces)
        *spans, last = break_rows(plain, self._width)
        self._carried = cut(pieces, last.start, len(plain))
        return rows_of(pieces, spans)

    def _skip(self, end: int, content: str, text: Text) -> int:
        source = "\n".join(text.lines)
        used = source.index(content[:end], len(self.prefix)) + end
        is_line_start = content[end - 1] == "\n"
        self.prefix = _STAND_IN + "\n" * is_line_start
        self._line = 0 if is_line_start else used - source.rfind("\n", 0, used) - 1
        return used

    def _rows(self, pieces: list[Piece]) -> list[Row]:
        plain = "".join(piece.text for piece in pieces)
        return rows_of(pieces, break_rows(plain, self._width))


class OpenFence:
    """Settles the lines whose colours are known."""

    kind = "fence"

    def __init__(self, node: Node, width: int, lexers: Lexers) -> None:
        self.prefix = ""
        self._block = CodeBlock(lexers, node.token.info, width)
        self._head = self._block.head()

    def grow(self, node: Node, text: Text, *, closed: bool) -> Growth:
        """Take the code so far."""
        lines = code_lines(sanitize(node.token.content))
        complete = len(lines) if closed else min(len(lines), text.complete - 1)
        n_settled, settled = self._block.settle(lines[:complete])
        rest = self._block.show(lines[n_settled:])
        if not n_settled:
            blank = self._block.show([""]) if not lines and not self.prefix else []
            return Growth([], self._head + rest + blank)
        settled, self._head = self._head + settled, []
        self.prefix = text.lines[0] + "\n"
        return Growth(settled, rest, _length(text.lines[: n_settled + 1]))


class OpenList:
    """Settles all items but the last two."""

    kind = "list"

    def __init__(self, node: Node, width: int) -> None:
        self.prefix = ""
        self._width = width
        self._number = node.number
        self._gap: bool | None = None
        """Whether a blank row comes next; None before the first item."""

    def grow(self, node: Node, text: Text, *, closed: bool) -> Growth:
        """Take the items that are not settled."""
        items = node.children
        final = 0
        while final < len(items) - _KEPT_ITEMS and not closed:
            if items[final + 1].start >= text.complete:
                break
            final += 1
        settled, number, gap = self._draw(node, items[:final], text, self._number)
        rest, _, _ = self._draw(node, items[final:], text, number, gap)
        if not final:
            return Growth([], rest)
        self._number = number
        self._gap = text.layout.is_blank(items[final].start - 1)
        return Growth(settled, rest, _length(text.lines[: items[final].start]))

    def _draw(
        self,
        node: Node,
        items: Sequence[Node],
        text: Text,
        number: int,
        gap: bool | None = None,
    ) -> tuple[list[Row], int, bool | None]:
        """Return the rows of `items`, the number after them, and whether a gap is."""
        rows: list[Row] = []
        for item in items:
            if item is node.children[0]:
                gap = self._gap
            elif gap is not None:
                gap = text.layout.is_blank(item.start - 1)
            if gap:
                rows.append(EMPTY_ROW)
            marker = marker_of(node, number, 0)
            rows += text.layout.item(item, marker, self._width)
            number, gap = number + 1, False
        return rows, number, gap


class OpenTable:
    """Settles the rows that follow those on which the columns are measured."""

    kind = "table"

    def __init__(self, width: int) -> None:
        self.prefix = ""
        self._width = width
        self._block: TableBlock | None = None
        """Set when its columns are measured for good."""
        self._before = 0

    def grow(self, node: Node, text: Text, *, closed: bool) -> Growth:
        """Take the rows that are not settled."""
        rows = node.children[1:]
        block = self._block or text.layout.table(node, self._width)
        head = [] if self._block else block.head()
        final = sum(row.start + 1 < text.complete for row in rows)
        if closed or (self._block is None and final <= MEASURED):
            final = 0
        settled, before = self._draw(rows[:final], block, text, self._before)
        rest, _ = self._draw(rows[final:], block, text, before)
        if not final:
            if self._block is None and not rest:  # in the form of a list, no head
                head = head or block.row(text.layout.cells(node.children[0]), 0)
            return Growth([], head + rest)
        self._block, self._before = block, before
        self.prefix = "".join(line + "\n" for line in text.lines[:2])
        return Growth(head + settled, rest, _length(text.lines[: rows[final - 1].end]))

    def _draw(
        self, rows: Sequence[Node], block: TableBlock, text: Text, before: int
    ) -> tuple[list[Row], int]:
        drawn: list[Row] = []
        for row in rows:
            added = block.row(text.layout.cells(row), before)
            before = sum(bool(each.pieces) for each in added)
            drawn += added
        return drawn, before


def _length(lines: Sequence[str]) -> int:
    return sum(len(line) + 1 for line in lines)
