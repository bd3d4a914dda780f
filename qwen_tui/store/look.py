"""Look at the conversations file without changing or creating it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.store.failures import damaged, told_to_a_person


@dataclass(frozen=True, slots=True)
class DatabaseLook:
    """What was seen of the file."""

    size_bytes: int
    journal_mode: str
    """"wal", or "delete" on a network drive."""
    n_conversations: int


def look_at(file: Path) -> DatabaseLook | None:
    """Return what `file` is like, None where there is none yet.

    Raises:
        StoreError: it cannot be read, or is no conversations file.
    """
    with told_to_a_person(file):
        if not file.exists():
            return None
        address = f"{file.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as connection:
            journal = connection.execute("PRAGMA journal_mode").fetchone()[0]
            count = _count(connection, file)
        return DatabaseLook(file.stat().st_size, str(journal), count)


def _count(connection: sqlite3.Connection, file: Path) -> int:
    rows = connection.execute("SELECT name FROM sqlite_master").fetchall()
    if not rows:
        return 0  # made, and not used yet
    if ("conversation",) not in rows:
        raise damaged(file)  # some other program's SQLite file
    return int(connection.execute("SELECT count(*) FROM conversation").fetchone()[0])
