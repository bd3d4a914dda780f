"""The part of a search that asks for tags."""

import json
import sqlite3
from collections.abc import Iterator, Set
from contextlib import closing

from qwen_tui.chat.tags import split_query
from qwen_tui.store.rows import tags_from

Chats = Set[str] | None
"""Ids of the conversations that are searched; None for all."""


def tagged_chats(connection: sqlite3.Connection, query: str) -> tuple[str, Chats]:
    """Return the words of a query, and the conversations that have all its tags."""
    if "#" not in query:
        return query, None
    rows = connection.execute("SELECT id, tags FROM conversation WHERE tags != '[]'")
    tags_of = {
        row["id"]: {tag.casefold() for tag in tags_from(row["tags"])} for row in rows
    }
    words, asked = split_query(
        query, (tag for tags in tags_of.values() for tag in tags)
    )
    if not asked:
        return query, None
    return words, {chat_id for chat_id, tags in tags_of.items() if asked <= tags}


def said_in(
    connection: sqlite3.Connection, chats: Set[str], pattern: str
) -> Iterator[int]:
    """Yield the `seq` of what may hold a pattern, the last saved first.

    Every message of the conversations is read: they are few beside all there are.
    """
    rows = connection.execute(
        # LIKE reads no further than a NUL, so what holds one may hold the pattern.
        "SELECT seq FROM message "
        "WHERE conversation_id IN (SELECT value FROM json_each(?)) AND "
        "(content LIKE ? ESCAPE '\\' OR thinking LIKE ? ESCAPE '\\' OR "
        "instr(content || thinking, char(0))) ORDER BY seq DESC",
        (json.dumps(sorted(chats)), pattern, pattern),
    )
    with closing(rows):
        for (seq,) in rows:
            yield seq
