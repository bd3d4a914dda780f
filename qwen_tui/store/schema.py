"""The tables, as numbered migrations counted by `PRAGMA user_version`."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from qwen_tui.errors import StoreError
from qwen_tui.i18n import _
from qwen_tui.store.failures import damaged

Migration = tuple[str, ...]
"""Statements that lead from one version to the next."""

# `seq` keeps the order of saving; unlike a bare rowid it also survives VACUUM.
_VERSION_1: Migration = (
    """
    CREATE TABLE conversation (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        model TEXT NOT NULL,
        system_prompt TEXT NOT NULL,
        settings TEXT NOT NULL,
        leaf_id TEXT,
        pinned INTEGER NOT NULL,
        archived INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE message (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
        parent_id TEXT REFERENCES message (id),
        role TEXT NOT NULL,
        content TEXT NOT NULL,
        thinking TEXT NOT NULL,
        state TEXT NOT NULL,
        created_at REAL NOT NULL,
        model TEXT NOT NULL,
        revision TEXT NOT NULL,
        sampling TEXT NOT NULL,
        usage TEXT NOT NULL,
        pinned INTEGER NOT NULL
    )
    """,
    "CREATE INDEX message_of_conversation ON message (conversation_id)",
    "CREATE INDEX message_of_parent ON message (parent_id)",
    "CREATE INDEX message_streaming ON message (state) WHERE state = 'streaming'",
    # Who writes a streaming message, so that the next start can tell a dead writer.
    """
    CREATE TABLE writer (
        message_id TEXT PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        started TEXT NOT NULL,
        checkpoint_at REAL NOT NULL
    )
    """,
)

_VERSION_2: Migration = (
    "ALTER TABLE conversation ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'",
)

MIGRATIONS: tuple[Migration, ...] = (_VERSION_1, _VERSION_2)
"""`MIGRATIONS[n]` leads from version n to version n + 1. Only ever append."""


def migrate(
    connection: sqlite3.Connection,
    file: Path,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> None:
    """Bring an open file to the newest version, all in one transaction.

    An older file that holds something is first copied to `<file>.v<version>.bak`.

    Raises:
        StoreError: the file is newer than this program, or is not ours.
        sqlite3.Error: the file is untouched then.
    """
    if _version(connection) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)  # another program may have been faster
        _check_version(connection, file, version, newest=len(migrations))
        if 0 < version < len(migrations):
            _copy_beside(file, version)
        for migration in migrations[version:]:
            for statement in migration:
                connection.execute(statement)
        # A pragma takes no parameters; the number is ours.
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back already
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _check_version(
    connection: sqlite3.Connection, file: Path, version: int, *, newest: int
) -> None:
    if version > newest:
        raise StoreError(
            _("{file} was written by a newer qwen-tui (format {version}).").format(
                file=file, version=version
            ),
            hint=_("Update qwen-tui, or choose another folder with --data-dir."),
            code="store_newer",
        )
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if version == 0 and tables:
        raise damaged(file)  # some other program's SQLite file


def _copy_beside(file: Path, version: int) -> None:
    """Copy the file as it was last committed, through SQLite, readable by us alone."""
    copy = file.with_name(f"{file.name}.v{version}.bak")
    unfinished = copy.with_name(f"{copy.name}.part")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    with (
        closing(sqlite3.connect(file)) as source,
        closing(sqlite3.connect(unfinished)) as target,
    ):
        source.backup(target)
    unfinished.replace(copy)
