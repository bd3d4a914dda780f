"""Between values of `chat.conversation` and rows of the tables."""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from sys import intern
from typing import Any, cast

from qwen_tui.chat.conversation import ChatMessage, Conversation, MessageState, Role

Row = dict[str, str | int | float | None]
"""Column name to value."""
MESSAGE_COLUMNS = (
    "role, content, id, parent_id, thinking, state, created_at, model, revision, "
    "sampling, usage, pinned"
)
"""Of the table of messages, in the order of a message's fields."""


def storable(text: str) -> str:
    """Return `text` without lone surrogates, which are no UTF-8 (they become U+FFFD).

    Split pairs, as some terminals and JSON writers send them, are joined.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def conversation_row(conversation: Conversation) -> Row:
    """Return the row of a conversation, messages left out."""
    return {
        "id": conversation.id,
        "title": storable(conversation.title),
        "created_at": conversation.created_at,
        "updated_at": conversation.updated_at,
        "model": storable(conversation.model),
        "system_prompt": storable(conversation.system_prompt),
        "settings": _as_json(conversation.settings),
        "leaf_id": conversation.leaf_id,
        "pinned": int(conversation.pinned),
        "archived": int(conversation.archived),
        "tags": tags_text(conversation.tags),
    }


def conversation_from(row: sqlite3.Row) -> Conversation:
    """Return a conversation without its messages.

    Raises:
        ValueError: a column holds other JSON than it should.
    """
    return Conversation(
        id=row["id"],
        title=row["title"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        model=row["model"],
        system_prompt=row["system_prompt"],
        settings=_from_json(row["settings"]),
        leaf_id=row["leaf_id"],
        pinned=bool(row["pinned"]),
        archived=bool(row["archived"]),
        tags=tags_from(row["tags"]),
    )


def message_row(conversation_id: str, message: ChatMessage) -> Row:
    """Return the row of a message."""
    return {
        "id": message.id,
        "conversation_id": conversation_id,
        "parent_id": message.parent_id,
        "role": message.role,
        "content": storable(message.content),
        "thinking": storable(message.thinking),
        "state": message.state,
        "created_at": message.created_at,
        "model": storable(message.model),
        "revision": storable(message.revision),
        "sampling": _as_json(message.sampling),
        "usage": _as_json(message.usage),
        "pinned": int(message.pinned),
    }


def message_from(row: Iterable[Any]) -> ChatMessage:
    """Return a message from `MESSAGE_COLUMNS` of its row.

    A chat of thousands opens in the time of these lines: positions are faster than
    names, and what most messages have in common is kept once.

    Raises:
        ValueError: a column holds no JSON object.
    """
    role, text, key, parent, thinking, state, at, model, revision, how, cost, pin = row
    return ChatMessage(
        cast(Role, intern(role)),
        text,
        key,
        parent,
        thinking,
        cast(MessageState, intern(state)),
        at,
        intern(model),
        intern(revision),
        _from_json(how),
        _from_json(cost),
        bool(pin),
    )


def tags_text(tags: Iterable[str]) -> str:
    """Return what the column holds: a list of texts, each once, none empty."""
    lines = (" ".join(tag.split()) for tag in tags)
    return json.dumps(list(dict.fromkeys(line for line in lines if line)))


def tags_from(text: str) -> list[str]:
    """Return the tags in a column.

    Raises:
        ValueError: it holds no list of texts.
    """
    value = json.loads(text)
    if not isinstance(value, list):
        raise ValueError("no JSON list")
    tags = cast(list[Any], value)
    if not all(isinstance(tag, str) for tag in tags):
        raise ValueError("no list of texts")
    return cast(list[str], tags)


def _as_json(value: Mapping[str, Any]) -> str:
    # ASCII keeps lone surrogates as escapes, so nothing has to be replaced.
    return json.dumps(dict(value))


def _from_json(text: str) -> dict[str, Any]:
    if text == "{}":  # a user's message has two: half the time of a long load
        return {}
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return cast(dict[str, Any], value)
