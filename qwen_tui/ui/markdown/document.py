"""A message's Markdown as rows, growing at its end.

What is final is settled once; only the open tail is read and drawn again. The rows
are the same however the text was cut into pieces while it came.
"""

import logging
from collections.abc import Sequence
from itertools import pairwise

from markdown_it import MarkdownIt

from qwen_tui.ui.markdown.highlight import Lexers
from qwen_tui.ui.markdown.layout import Layout, gap_between
from qwen_tui.ui.markdown.nodes import Kind, Node, build_nodes
from qwen_tui.ui.markdown.open_blocks import OpenBlock, OpenParagraph, Text, open_block
from qwen_tui.ui.markdown.parser import build_parser, read_blocks
from qwen_tui.ui.markdown.plain_text import Waiting
from qwen_tui.ui.markdown.rows import EMPTY_ROW, Piece, Row
from qwen_tui.ui.markdown.wrap import wrap

_log = logging.getLogger(__name__)


class Document:
    """The rows of one message's Markdown at one width."""

    def __init__(
        self,
        width: int,
        *,
        parser: MarkdownIt | None = None,
        lexers: Lexers | None = None,
    ) -> None:
        self.width = width
        self._parser = parser or build_parser()
        self._lexers = lexers or Lexers()
        self._settled: list[Row] = []
        self._tail: list[Row] = []
        self._waiting = Waiting()
        self._source = ""
        """Sanitized text of the tail."""
        self._open: OpenBlock | None = None
        """The block that the tail goes on with, a part of it being settled."""
        self._above: Kind | None = None
        """The block above the tail."""
        self._apart = False
        """A blank line stands between that and the tail."""
        self._uncoloured = False
        """Code in the tail waits for its language to be loaded."""

    def __len__(self) -> int:
        return len(self._settled) + len(self._tail)

    def __getitem__(self, number: int) -> Row:
        if number < len(self._settled):
            return self._settled[number]
        return self._tail[number - len(self._settled)]

    @property
    def behind(self) -> bool:
        """There is something that `step` would do."""
        if self._uncoloured:
            return not self._lexers.wanted
        return self._waiting.behind

    @property
    def complete(self) -> bool:
        """All that came is drawn as it will stay."""
        return not self._uncoloured and not self._waiting.behind

    def append(self, text: str) -> None:
        """Add raw text at the end; nothing is drawn before `step`."""
        self._waiting.append(text)

    def finish(self) -> None:
        """Take what was held back: nothing more will come."""
        self._waiting.finished = True

    def step(self) -> int:
        """Take in some thousand characters; return the first row that changed.

        Never raises: what cannot be drawn as Markdown is shown as plain text.
        """
        self._source += self._waiting.take()
        n_settled, old = len(self._settled), self._tail
        try:
            self._tail = self._grow()
        except Exception:  # noqa: BLE001 - the text must be seen in any case
            _log.debug("markdown failed; showing plain text", exc_info=True)
            self._tail = self._plain_tail()
        self._uncoloured = bool(self._lexers.wanted)
        same = 0
        while same < len(old) and n_settled + same < len(self):
            if self[n_settled + same] != old[same]:
                break
            same += 1
        return n_settled + same

    def _grow(self) -> list[Row]:
        """Settle what is final; return the rows of the rest."""
        while True:
            prefix = self._open.prefix if self._open else ""
            source = prefix + self._source
            inside = isinstance(self._open, OpenParagraph)
            nodes = build_nodes(read_blocks(self._parser, source, inside=inside))
            lines = source.split("\n")
            text = Text(
                lines, len(lines) - 1, Layout(self._parser, self._lexers, lines)
            )
            n_closed = sum(node.start < text.complete for node in nodes[1:])
            if not self._settle(nodes, n_closed, text):
                return self._show(nodes, text)

    def _settle(self, nodes: Sequence[Node], n_closed: int, text: Text) -> bool:
        """Settle the blocks that are closed; False where there is none."""
        n_done, rows = 0, list[Row]()
        for node in nodes[:n_closed]:
            drawn = self._block(node, nodes[n_done - 1] if n_done else None, text)
            if self._lexers.wanted:  # its colours come later, and must be its own
                break
            rows += drawn
            n_done += 1
        if not n_done:
            return False
        start = nodes[n_done].start
        self._settled += rows
        self._above = nodes[n_done - 1].kind
        self._apart = text.layout.is_blank(start - 1)
        self._source = "\n".join(text.lines[start:])
        self._open = None
        return True

    def _show(self, nodes: Sequence[Node], text: Text) -> list[Row]:
        """Return the rows of blocks that are not closed; the first one grows."""
        if not nodes:
            return []
        rows = self._show_first(nodes[0], text)
        for before, node in pairwise(nodes):
            rows += self._block(node, before, text)
        return rows

    def _show_first(self, node: Node, text: Text) -> list[Row]:
        width = self.width
        open_ = self._open or open_block(node, width, self._parser, self._lexers)
        gap = self._gap(node, None, text)
        text = text.from_line(node.start)
        if open_ is None or open_.kind != node.kind:
            return gap + self._drawn(node, text)
        growth = open_.grow(node.moved(-node.start), text, closed=False)
        if not growth.settled:
            return gap + growth.rest
        self._settled += gap + growth.settled
        self._source = "\n".join(text.lines)[growth.used :]
        self._open = open_
        return growth.rest

    def _block(self, node: Node, before: Node | None, text: Text) -> list[Row]:
        """Return the rows of a block, and of the gap above it."""
        gap = self._gap(node, before, text)
        if before is None and self._open is not None and self._open.kind == node.kind:
            growth = self._open.grow(node, text, closed=True)
            return growth.settled + growth.rest
        return gap + self._drawn(node, text)

    def _gap(self, node: Node, before: Node | None, text: Text) -> list[Row]:
        if before is not None:
            return [EMPTY_ROW] * text.layout.gap(before, node)
        if self._open is not None:
            return []
        return [EMPTY_ROW] * gap_between(self._above, node.kind, blank=self._apart)

    def _drawn(self, node: Node, text: Text) -> list[Row]:
        try:
            return text.layout.rows(node, self.width)
        except Exception:  # noqa: BLE001 - one block must not take the others along
            _log.debug("a block failed; showing its text", exc_info=True)
            source = "\n".join(text.lines[node.start : node.end])
            return wrap([Piece(source)], self.width)

    def _plain_tail(self) -> list[Row]:
        """Return the tail as it was written, all above its last blank line settled."""
        self._open = None
        cut = self._source.rfind("\n\n") + 2
        if cut > 1:
            self._settled += wrap([Piece(self._source[:cut])], self.width)[:-1]
            self._above, self._apart = None, False
            self._source = self._source[cut:]
        return wrap([Piece(self._source)], self.width)
