"""Blocks as rows of a given width."""

from collections.abc import Sequence

from markdown_it import MarkdownIt

from qwen_tui.sanitize import sanitize
from qwen_tui.ui.markdown.code_block import code_rows
from qwen_tui.ui.markdown.highlight import Lexers
from qwen_tui.ui.markdown.inline import read_text
from qwen_tui.ui.markdown.latex import readable
from qwen_tui.ui.markdown.nodes import Kind, Node
from qwen_tui.ui.markdown.rows import EMPTY_ROW, Piece, Row, indent, with_look
from qwen_tui.ui.markdown.table_block import MEASURED, Align, Cell, TableBlock
from qwen_tui.ui.markdown.wrap import wrap

_BULLETS = ("- ", "* ", "+ ")
_MAX_DEPTH = 12  # deeper ones are drawn without a further indent
_ALIGNS: dict[object, Align] = {
    "text-align:right": "right",
    "text-align:center": "center",
}


class Layout:
    """Turns nodes into rows; the same node and width always give the same rows."""

    def __init__(
        self, parser: MarkdownIt, lexers: Lexers, lines: Sequence[str]
    ) -> None:
        """Prepare for the blocks of one text.

        Args:
            parser: What `build_parser` returned.
            lexers: For code.
            lines: The text that the nodes were read from.
        """
        self._parser = parser
        self._lexers = lexers
        self._lines = lines

    def of(self, lines: Sequence[str]) -> "Layout":
        """Return the same for the blocks of another text."""
        return Layout(self._parser, self._lexers, lines)

    def rows(self, node: Node, width: int, depth: int = 0) -> list[Row]:
        """Return one block as rows, without a gap before or after it."""
        width = max(width, 4)
        match node.kind:
            case "paragraph" | "heading":
                rows = self._text(node, width)
            case "fence" | "code":
                info = node.token.info if node.kind == "fence" else ""
                rows = code_rows(
                    self._lexers, info, sanitize(node.token.content), width
                )
            case "math":
                rows = self._math(node, width)
            case "rule":
                rows = [Row((Piece("-" * width, "rule", "---"),))]
            case "quote":
                rows = self._quote(node, width, depth)
            case "list":
                rows = self._list(node, width, depth)
            case "table":
                rows = self._table(node, width)
            case "item" | "row":
                rows = self._blocks(node.children, width, depth)
        return rows

    def gap(self, before: Node | None, node: Node) -> int:
        """Return the blank rows between two blocks of the whole text or a quote."""
        blank = self.is_blank(node.start - 1)
        return gap_between(before.kind if before else None, node.kind, blank=blank)

    def item(self, node: Node, marker: str, width: int, depth: int = 0) -> list[Row]:
        """Return one item of a list as rows."""
        rows = self._blocks(node.children, width - len(marker), depth + 1)
        mark = Piece(marker, "marker")
        return indent(rows or [EMPTY_ROW], mark, Piece(" " * len(marker)))

    def table(self, node: Node, width: int) -> TableBlock:
        """Return a table's columns, measured."""
        header, *rows = node.children
        first = [self.cells(row) for row in rows[:MEASURED]]
        return TableBlock(self.cells(header), _aligns(node), first, width)

    def cells(self, row: Node) -> list[Cell]:
        """Return the cells of one of a table's rows."""
        return [read_text(self._parser, text) for text in row.texts]

    def _blocks(self, nodes: Sequence[Node], width: int, depth: int) -> list[Row]:
        """Return the blocks of a list's item: apart where they are in the source."""
        rows: list[Row] = []
        for number, node in enumerate(nodes):
            if number and self.is_blank(node.start - 1):
                rows.append(EMPTY_ROW)
            rows += self.rows(node, width, depth)
        return rows

    def _text(self, node: Node, width: int) -> list[Row]:
        pieces = read_text(self._parser, node.text)
        if node.kind == "heading":
            pieces = with_look(pieces, f"heading heading-{node.token.tag[1:]}")
        return wrap(pieces, width)

    def _math(self, node: Node, width: int) -> list[Row]:
        if not node.token.info:  # not closed: as it was written
            return wrap([Piece(sanitize(node.token.content), "math")], width)
        shown = sanitize(readable(node.token.content))
        return indent(
            wrap([Piece(shown, "math", node.token.markup)], width - 4),
            Piece("    ", "", ""),
            Piece("    ", "", ""),
        )

    def _quote(self, node: Node, width: int, depth: int) -> list[Row]:
        bar = Piece("| ", "quote-bar", "> ")
        inner = max(width - 2, 4) if depth < _MAX_DEPTH else width
        rows: list[Row] = []
        before: Node | None = None
        for child in node.children:
            rows += [EMPTY_ROW] * self.gap(before, child)
            rows += self.rows(child, inner, depth + 1)
            before = child
        return [Row((bar, *with_look(row.pieces, "quote")), row.join) for row in rows]

    def _list(self, node: Node, width: int, depth: int) -> list[Row]:
        rows: list[Row] = []
        for number, item in enumerate(node.children):
            if number and self.is_blank(item.start - 1):
                rows.append(EMPTY_ROW)
            marker = marker_of(node, node.number + number, depth)
            rows += self.item(item, marker, width, depth)
        return rows

    def _table(self, node: Node, width: int) -> list[Row]:
        block = self.table(node, width)
        rows = block.head()
        before = 0
        for row in node.children[1:]:
            added = block.row(self.cells(row), before)
            before = sum(bool(each.pieces) for each in added)
            rows += added
        return rows or block.row(self.cells(node.children[0]), 0)

    def is_blank(self, line: int) -> bool:
        """Tell whether a line of the text is there and blank."""
        return 0 <= line < len(self._lines) and not self._lines[line].strip(" \t>")


def gap_between(before: Kind | None, kind: Kind, *, blank: bool) -> int:
    """Return the blank rows between two neighbouring blocks.

    Args:
        before: What stands above; None: nothing does.
        kind: What stands below.
        blank: Whether a blank line parts them in the source.
    """
    if before is None:
        return 0
    close = not blank and (kind == "list" or before == "heading")
    return 0 if close else 1


def marker_of(node: Node, number: int, depth: int) -> str:
    """Return what stands before an item of a list."""
    if node.is_ordered:
        return f"{number}{node.token.markup} "
    return _BULLETS[depth % len(_BULLETS)]


def _aligns(node: Node) -> list[Align]:
    """Return how the columns of a table are aligned."""
    header = node.children[0]
    return [_ALIGNS.get(style, "left") for style in header.styles]
