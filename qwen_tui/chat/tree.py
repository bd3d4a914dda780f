"""Messages as a tree: branches beside each other, and which one is shown."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

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
    messages = conversation.messages.values()
    counts = Counter(message.parent_id for message in messages)
    branching = [parent_id for parent_id, count in counts.items() if count > 1]
    if not branching:  # as most chats are: what comes now is not free in a long one
        return {}
    children = {parent_id: list[str]() for parent_id in branching}
    for message in messages:
        if message.parent_id in children:
            children[message.parent_id].append(message.id)
    found: dict[str, Place] = {}
    for message in conversation.branch():
        siblings = children.get(message.parent_id)
        if siblings is not None:
            number = siblings.index(message.id) + 1
            found[message.id] = Place(number, len(siblings))
    return found


def newest_leaf(conversation: Conversation, message_id: str) -> str:
    """Return where the newest branch ends that leads through a message."""
    children = children_of(conversation)
    order = {key: number for number, key in enumerate(conversation.messages)}
    leaves: list[str] = []
    unseen = [message_id]
    while unseen:
        current = unseen.pop()
        below = [message.id for message in children.get(current, [])]
        unseen += below
        if not below:
            leaves.append(current)
    return max(leaves, key=order.__getitem__)


def nearest_branch(conversation: Conversation, message_id: str) -> str | None:
    """Return the last message of the shown branch that has siblings.

    Args:
        conversation: Whose branch is shown.
        message_id: Look for it here and before; empty: anywhere.
    """
    placed = places(conversation)
    branch = conversation.branch()
    ids = [message.id for message in branch]
    end = ids.index(message_id) + 1 if message_id in ids else len(ids)
    here = next((key for key in reversed(ids[:end]) if key in placed), None)
    return here or next((key for key in ids[end:] if key in placed), None)


def sibling(conversation: Conversation, message_id: str, wish: str) -> str | None:
    """Return another branch at a message; None where there is none of that name.

    Args:
        conversation: Which holds it.
        message_id: Where to look.
        wish: "next" and "prev", from the last on to the first; or a number from 1.
    """
    ids = [message.id for message in conversation.siblings(message_id)]
    steps = {"next": 1, "prev": -1}
    if wish in steps:
        return ids[(ids.index(message_id) + steps[wish]) % len(ids)]
    is_number = wish.isascii() and wish.isdecimal() and 1 <= int(wish) <= len(ids)
    return ids[int(wish) - 1] if is_number else None


@dataclass(frozen=True, slots=True)
class Removal:
    """Messages that were taken out, for `put_back`."""

    ids: tuple[str, ...]
    before: Mapping[str, ChatMessage]
    """Every message of the conversation as it was, in order."""
    leaf_id: str | None


def goes_with(conversation: Conversation, message_id: str) -> tuple[str, ...]:
    """Return what is deleted with a message, children before parents, itself last.

    A question goes with its answers, and what follows them stays; an answer goes
    with all that follows it. So a question never stands without what it asks about,
    nor an answer without its question.
    """
    children = children_of(conversation)
    if conversation.messages[message_id].role == "user":
        below = children.get(message_id, [])
        return (*(m.id for m in below if m.role == "assistant"), message_id)
    ids = [message_id]
    for current in ids:  # grows on the way
        ids += [message.id for message in children.get(current, [])]
    return tuple(reversed(ids))


def take_out(conversation: Conversation, message_id: str) -> Removal:
    """Delete a message and what goes with it; what stays hangs at its parent.

    Where the shown branch ended there, another one at that place is shown.
    """
    messages = conversation.messages
    ids = goes_with(conversation, message_id)
    removal = Removal(ids, dict(messages), conversation.leaf_id)
    parent_id = messages[message_id].parent_id
    siblings = [m.id for m in conversation.siblings(message_id)]
    place = siblings.index(message_id)
    beside = [*reversed(siblings[:place]), *siblings[place + 1 :]]
    for gone in ids:
        parent = messages.pop(gone).parent_id
        for child in list(messages.values()):
            if child.parent_id == gone:
                messages[child.id] = replace(child, parent_id=parent)
    if conversation.leaf_id in ids:
        conversation.leaf_id = (
            newest_leaf(conversation, beside[0]) if beside else parent_id
        )
    return removal


def put_back(conversation: Conversation, removal: Removal) -> None:
    """Put back what was taken out, where it was, and show the branch that was."""
    now, ids = conversation.messages, removal.ids
    whole: dict[str, ChatMessage] = {}
    for key, before in removal.before.items():
        if key in ids:
            whole[key] = before
        elif key in now:
            was_moved = before.parent_id in ids
            parent_id = before.parent_id if was_moved else now[key].parent_id
            whole[key] = replace(now[key], parent_id=parent_id)
    added = {key: message for key, message in now.items() if key not in whole}
    conversation.messages = whole | added
    conversation.leaf_id = removal.leaf_id
