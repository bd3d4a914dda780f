"""Messages as a tree: branches beside each other, and which one is shown."""

from collections.abc import Mapping
from dataclasses import dataclass

from qwen_tui.chat.conversation import ChatMessage, Conversation


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands among its siblings."""

    number: int
    """From 1, the oldest first."""
    count: int


def children_of(conversation: Conversation) -> dict[str | None, list[ChatMessage]]:
    """Return the messages under each message, and under None the first ones."""
    children: dict[str | None, list[ChatMessage]] = {}
    for message in conversation.messages.values():
        children.setdefault(message.parent_id, []).append(message)
    return children


def places(conversation: Conversation) -> Mapping[str, Place]:
    """Return the places of those messages of the shown branch that have siblings."""
    children = children_of(conversation)
    found: dict[str, Place] = {}
    for message in conversation.branch():
        siblings = [sibling.id for sibling in children[message.parent_id]]
        if len(siblings) > 1:
            number = siblings.index(message.id) + 1
            found[message.id] = Place(number, len(siblings))
    return found
