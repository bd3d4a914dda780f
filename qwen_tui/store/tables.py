"""Statements that the store makes inside its transactions."""

import re
import sqlite3
import time
from itertools import count

from qwen_tui.processes import ProcessId, has_ended
from qwen_tui.store.rows import Row

_NUMBERED = re.compile(r" \(\d{1,6}\)$", re.ASCII)


def interrupt_dead_writers(connection: sqlite3.Connection) -> None:
    """Mark what nobody writes on any more."""
    rows = connection.execute(
        """
        SELECT message.id, host, pid, started, checkpoint_at
        FROM message LEFT JOIN writer ON writer.message_id = message.id
        WHERE state = 'streaming'
        """
    ).fetchall()
    for row in rows:
        if row["host"] is not None:
            writer = ProcessId(row["host"], row["pid"], row["started"])
            if not has_ended(writer, row["checkpoint_at"]):
                continue
        connection.execute(
            "UPDATE message SET state = 'interrupted' WHERE id = ?", (row["id"],)
        )
        connection.execute("DELETE FROM writer WHERE message_id = ?", (row["id"],))


def claim(connection: sqlite3.Connection, message_id: str, writer: ProcessId) -> None:
    """Note that `writer` is writing a message and has just saved it."""
    connection.execute(
        "INSERT OR REPLACE INTO writer VALUES (?, ?, ?, ?, ?)",
        (message_id, writer.host, writer.pid, writer.started, time.time()),
    )


def exists(connection: sqlite3.Connection, table: str, row_id: str | None) -> bool:
    """Tell whether a table has a row with this id."""
    sql = f"SELECT 1 FROM {table} WHERE id = ?"  # noqa: S608 - our own table names
    return connection.execute(sql, (row_id,)).fetchone() is not None


def exists_in(connection: sqlite3.Connection, chat_id: str, message_id: str) -> bool:
    """Tell whether a conversation has a message with this id."""
    sql = "SELECT 1 FROM message WHERE id = ? AND conversation_id = ?"
    return connection.execute(sql, (message_id, chat_id)).fetchone() is not None


def free_title(connection: sqlite3.Connection, title: str) -> str:
    """Return `title` with the first number behind it that no conversation has."""
    stem = _NUMBERED.sub("", title)
    sql = "SELECT 1 FROM conversation WHERE title = ?"
    numbered = (f"{stem} ({number})".lstrip() for number in count(2))
    return next(t for t in numbered if not connection.execute(sql, (t,)).fetchone())


def insert(connection: sqlite3.Connection, table: str, row: Row) -> None:
    """Add a row."""
    columns = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    connection.execute(
        f"INSERT INTO {table} ({columns}) VALUES ({places})",  # noqa: S608 - our names
        row,
    )


def upsert(connection: sqlite3.Connection, table: str, row: Row) -> None:
    """Add a row, or replace the one that has its id."""
    columns = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    updates = ", ".join(f"{name} = excluded.{name}" for name in row if name != "id")
    connection.execute(
        f"INSERT INTO {table} ({columns}) VALUES ({places}) "  # noqa: S608 - our names
        f"ON CONFLICT (id) DO UPDATE SET {updates}",
        row,
    )


def update_conversation(
    connection: sqlite3.Connection, chat_id: str, changed: Row
) -> bool:
    """Write the changed columns; false where the conversation is gone."""
    # Naming the id in any case makes an empty change a check for existence.
    updates = ", ".join(f"{name} = :{name}" for name in ("id", *changed))
    cursor = connection.execute(
        f"UPDATE conversation SET {updates} WHERE id = :id",  # noqa: S608 - our names
        {**changed, "id": chat_id},
    )
    return cursor.rowcount > 0
