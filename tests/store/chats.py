"""Saved conversations to try things on."""

import sqlite3
from contextlib import closing
from pathlib import Path

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.store.conversations import Store


def saved(store: Store, *texts: str, **fields: object) -> Conversation:
    """Save a conversation whose messages follow each other."""
    conversation = Conversation(**fields)  # type: ignore[arg-type]
    store.save_conversation(conversation)
    for number, text in enumerate(texts):
        role = "assistant" if number % 2 else "user"
        put(
            store, conversation, ChatMessage(role, text, parent_id=conversation.leaf_id)
        )
    store.save_conversation(conversation)
    return conversation


def branched(store: Store) -> Conversation:
    """Save a conversation with two questions, the second with two answers.

    The messages' ids are q1, a1, q2, a2 and b2, which is beside a2 and not shown;
    a1 is pinned.
    """
    chat = Conversation(title="Trees", system_prompt="Be brief.", tags=["wood", "树"])
    store.save_conversation(chat)
    for message in (
        ChatMessage("user", "oak?", id="q1"),
        ChatMessage("assistant", "yes", id="a1", parent_id="q1", pinned=True),
        ChatMessage("user", "松树?", id="q2", parent_id="a1"),
        ChatMessage("assistant", "no", id="b2", parent_id="q2", thinking="hm"),
        ChatMessage("assistant", "是", id="a2", parent_id="q2", model="demo"),
    ):
        put(store, chat, message)
    chat.settings["window"] = {"first_id": "q2", "context_length": 100, "summary": ""}
    store.save_conversation(chat)
    return chat


def put(store: Store, chat: Conversation, message: ChatMessage) -> None:
    """Add a message to a conversation, here and in the store."""
    chat.put(message)
    store.save_message(chat.id, message)


def contents(store: Store) -> list[tuple[object, ...]]:
    """Return every row of the store's own tables."""
    with store._reading() as connection:
        return [
            tuple(row)
            for table in ("conversation", "message")
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY seq")
        ]


def old_file(path: Path, n_messages: int) -> Path:
    """Make a file as it was before there was an index."""
    store = Store(path)
    chat = Conversation()
    for number in range(n_messages):
        message = ChatMessage("user", f"message {number} 中文")
        chat.put(message)
    store.add(chat)
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        for name in ("message_inserted", "message_updated", "message_deleted"):
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DROP TABLE message_text")
        connection.execute("DROP TABLE unindexed")
        connection.commit()
    return path
