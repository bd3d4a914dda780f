"""A code block as rows: its language above, its lines on a ground of their own."""

from collections.abc import Iterable, Sequence

from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.markdown.highlight import Highlighter, Lexers, Line
from qwen_tui.ui.markdown.rows import Piece, Row, pad, width_of
from qwen_tui.ui.markdown.wrap import fold

_TAB = 4
_LABEL = 20


class CodeBlock:
    """The rows of one block while it grows."""

    def __init__(self, lexers: Lexers, info: str, width: int) -> None:
        words = sanitize_line(info).split()
        self._label = words[0][:_LABEL] if words else ""
        self._width = width
        self._highlighter = Highlighter(lexers, self._label.lower())

    def head(self) -> list[Row]:
        """Return the row that names the language, if one is named."""
        if not self._label:
            return []
        return [self._filled([Piece(self._label, "code code-label", "")], "")]

    def settle(self, lines: Sequence[str]) -> tuple[int, list[Row]]:
        """Return how many of the complete `lines` are settled, and their rows.

        They are to be left out from the next call on.
        """
        settled = self._highlighter.settle([_expand(line) for line in lines])
        return len(settled), self._rows(settled)

    def show(self, lines: Sequence[str]) -> list[Row]:
        """Return the rows of lines that are not settled."""
        return self._rows(self._highlighter.show([_expand(line) for line in lines]))

    def _rows(self, lines: Iterable[Line]) -> list[Row]:
        folded = (row for line in lines for row in fold(line, self._width - 2))
        return [self._filled(row.pieces, row.join) for row in folded]

    def _filled(self, pieces: Iterable[Piece], join: str) -> Row:
        pieces = tuple(pieces)
        left = max(self._width - 1 - width_of(pieces), 0)
        return Row((pad(1, "code"), *pieces, pad(left, "code")), join)


def code_rows(lexers: Lexers, info: str, code: str, width: int) -> list[Row]:
    """Return a whole block as rows, at least one."""
    block = CodeBlock(lexers, info, width)
    lines = code_lines(code)
    settled, rows = block.settle(lines)
    return block.head() + rows + block.show(lines[settled:] or [""] * (not settled))


def code_lines(code: str) -> list[str]:
    """Return the lines of a block's code, none of them empty at the end."""
    lines = code.split("\n")
    return lines if lines[-1] else lines[:-1]


def _expand(line: str) -> str:
    return line.expandtabs(_TAB)
