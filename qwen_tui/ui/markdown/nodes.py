"""The block tokens of the parser as a tree."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from markdown_it.token import Token

Kind = Literal[
    "paragraph", "heading", "fence", "code", "math", "rule", "quote", "list", "item",
    "table", "row",
]  # fmt: skip
_OPENS: dict[str, Kind] = {
    "paragraph_open": "paragraph",
    "heading_open": "heading",
    "blockquote_open": "quote",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "list_item_open": "item",
    "table_open": "table",
    "tr_open": "row",
}
_LEAVES: dict[str, Kind] = {
    "fence": "fence",
    "code_block": "code",
    "math_block": "math",
    "hr": "rule",
}


@dataclass(slots=True)
class Node:
    """One block and what stands in it."""

    kind: Kind
    start: int
    """Its first line."""
    end: int
    """The line after its last; for lists, blank lines may count in."""
    token: Token
    children: list["Node"] = field(default_factory=list["Node"])
    texts: list[str] = field(default_factory=list[str])
    """What is to be read as inline text: of a row, one for each cell."""
    styles: list[object] = field(default_factory=list[object])
    """How a row's cells are aligned, as the parser tells it."""

    @property
    def text(self) -> str:
        """The inline text of a paragraph or heading."""
        return self.texts[0] if self.texts else ""

    def moved(self, lines: int) -> "Node":
        """Return the same block, standing some lines further down."""
        if not lines:
            return self
        children = [child.moved(lines) for child in self.children]
        start, end = self.start + lines, self.end + lines
        return replace(self, start=start, end=end, children=children)

    @property
    def is_ordered(self) -> bool:
        """Whether a list is numbered."""
        return self.token.type == "ordered_list_open"

    @property
    def number(self) -> int:
        """The number of the first item of a numbered list."""
        return int(self.token.attrs.get("start", 1))


def build_nodes(tokens: Sequence[Token]) -> list[Node]:
    """Return the blocks that `tokens` tell of."""
    return _children(iter(tokens))


def _children(tokens: Iterator[Token]) -> list[Node]:
    nodes: list[Node] = []
    for token in tokens:
        if token.nesting < 0:
            if token.type[:-6] in ("th", "td", "thead", "tbody"):
                continue
            break
        if token.type in _LEAVES:
            nodes.append(_node(_LEAVES[token.type], token))
        elif token.type in _OPENS:
            nodes.append(_open(token, tokens))
    return nodes


def _open(token: Token, tokens: Iterator[Token]) -> Node:
    node = _node(_OPENS[token.type], token)
    if node.kind in ("paragraph", "heading", "row"):
        for inner in tokens:
            if inner.type == "inline":
                node.texts.append(inner.content)
            elif inner.type in ("th_open", "td_open"):
                node.styles.append(inner.attrs.get("style"))
            elif inner.type in ("paragraph_close", "heading_close", "tr_close"):
                break
    else:
        node.children = _children(tokens)
    return node


def _node(kind: Kind, token: Token) -> Node:
    start, end = token.map or (0, 0)
    return Node(kind, start, end, token)
