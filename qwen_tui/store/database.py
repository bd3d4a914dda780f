"""Open the SQLite file: private, durable, and safe on a network drive."""

import contextlib
import sqlite3
import time
from pathlib import Path

from qwen_tui import paths
from qwen_tui.filesystem import MOUNTS, is_on_network
from qwen_tui.store.schema import migrate
from qwen_tui.store.search_index import prepare_index

BUSY_S = 10.0
"""How long one program waits for another's write."""

_FILE_MODE = 0o600


IN_MEMORY = Path(":memory:")
"""Opened instead of a file where nothing may be left on disk."""


def open_database(
    file: Path, *, busy_s: float = BUSY_S, mounts: Path = MOUNTS
) -> sqlite3.Connection:
    """Open or create `file` (0600, its folder 0700), migrate it, prepare its index.

    The connection commits each statement by itself and may be used by any thread,
    one at a time.

    Args:
        file: The database.
        busy_s: How long to wait for another program's write.
        mounts: Where Linux tells what is mounted where.

    Raises:
        StoreError: the file is newer than this program, or is not ours.
        sqlite3.Error, OSError: it cannot be opened.
    """
    if file != IN_MEMORY:
        paths.private_folder(file.parent)
        _make_private(file)
    connection = sqlite3.connect(
        file, timeout=busy_s, isolation_level=None, check_same_thread=False
    )
    journal = "delete" if is_on_network(file.parent, mounts) else "wal"
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        _set_journal(connection, journal, busy_s)
        connection.execute("PRAGMA synchronous = FULL")  # also survive a power cut
        migrate(connection, file)
        prepare_index(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(file: Path) -> None:
    # SQLite gives -wal, -shm and -journal the mode of the file itself. Opening an
    # existing file here would drop the locks of this process when it is closed.
    with contextlib.suppress(FileExistsError):
        file.touch(mode=_FILE_MODE, exist_ok=False)
        return
    if file.is_file() and file.stat().st_mode & 0o077:
        with contextlib.suppress(PermissionError):  # another user's file
            file.chmod(_FILE_MODE)


def _set_journal(connection: sqlite3.Connection, mode: str, busy_s: float) -> None:
    """Set the journal mode, waiting for other programs: SQLite's own wait does not.

    A file that cannot have this mode keeps the one SQLite chose for it.
    """
    deadline = time.monotonic() + busy_s
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != mode:
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
