"""Messages as a tree: where links go round, and copies with ids of their own."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from qwen_tui.chat.conversation import ChatMessage, Conversation, new_id


def loop_ends(messages: Mapping[str, ChatMessage]) -> list[str]:
    """Return a message of each loop of parents; none where this is a tree.

    Args:
        messages: By id; every parent is among them.
    """
    sound: set[str] = set()
    ends: list[str] = []
    for start in messages:
        path: set[str] = set()
        current: str | None = start
        while current is not None and current not in sound:
            if current in path:
                ends.append(current)
                break
            path.add(current)
            current = messages[current].parent_id
        sound |= path
    return ends


def copied(conversation: Conversation, messages: Iterable[ChatMessage]) -> Conversation:
    """Return a conversation of its own that begins with some messages of another.

    Every id is new; what the settings say of a message, they say of its copy. A copy
    of an answer that is being written is as far as it has come, and interrupted.

    Args:
        conversation: What is copied.
        messages: Which of its messages.
    """
    kept = list(messages)
    ids = {message.id: new_id() for message in kept}
    copies = [
        replace(
            message,
            id=ids[message.id],
            parent_id=ids.get(message.parent_id or ""),
            state="interrupted" if message.state == "streaming" else message.state,
        )
        for message in kept
    ]
    return replace(
        conversation,
        id=new_id(),
        updated_at=time.time(),
        settings=_renamed(conversation.settings, ids),
        tags=list(conversation.tags),
        leaf_id=ids.get(conversation.leaf_id or "", copies[-1].id if copies else None),
        messages={message.id: message for message in copies},
    )


def _renamed(value: Any, ids: Mapping[str, str]) -> Any:  # noqa: ANN401 - JSON
    """Return JSON in which every text that is an old id is the new one."""
    if isinstance(value, str):
        return ids.get(value, value)
    if isinstance(value, Mapping):
        mapping = cast(Mapping[str, Any], value)
        return {key: _renamed(inner, ids) for key, inner in mapping.items()}
    if isinstance(value, list | tuple):
        return [_renamed(inner, ids) for inner in cast(list[Any], value)]
    return value
