"""What all foreign formats share: ids made from theirs, and trees of their nodes."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qwen_tui.chat.conversation import Conversation
from qwen_tui.i18n import _
from qwen_tui.store.transfer.parts import Part

_ID_DIGITS = 12  # as many as `new_id` gives
_FIRST_MS = 100_000_000_000
"""A time from here on is in milliseconds: in seconds it would be the year 5138."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A conversation of another program."""

    conversation: Conversation
    left_out: int = 0
    """Messages and parts of them that have no place here: images, tools."""


def made_id(source: str, *names: str) -> str:
    """Return an id that is the same whenever the same thing is imported."""
    key = "\0".join((source, *names)).encode(errors="surrogatepass")
    return hashlib.sha256(key).hexdigest()[:_ID_DIGITS]


def time_of(part: Part, default: float) -> float:
    """Return a time in seconds that is told in seconds or milliseconds.

    Raises:
        TransferError: it is neither null nor a time.
    """
    value = part.value
    if isinstance(value, int | float) and _FIRST_MS <= value < _FIRST_MS * 1000:
        return Part(value / 1000, part.place).time()
    return part.time(default)


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a foreign tree of messages."""

    id: str
    part: Part
    parent: str | None
    children: Sequence[Part]


def in_order(nodes: Mapping[str, Node]) -> Iterator[tuple[Node, str | None]]:
    """Yield the nodes of a tree with the id of what they hang at, parents first.

    Raises:
        TransferError: a child is missing, or nodes go round in a ring.
    """
    roots = [node for node in nodes.values() if node.parent not in nodes]
    waiting: list[tuple[Node, str | None]] = [(root, None) for root in reversed(roots)]
    seen: set[str] = set()
    while waiting:
        node, parent = waiting.pop()
        if node.id in seen:
            raise node.part.wrong(_("in one place of the tree"))
        seen.add(node.id)
        yield node, parent
        for child in reversed(node.children):
            if not isinstance(child.value, str) or child.value not in nodes:
                raise child.wrong(_("the id of another message"))
            waiting.append((nodes[child.value], node.id))
    for node in nodes.values():
        if node.id not in seen:
            raise node.part.wrong(_("in one place of the tree"))
