"""The open conversations file: one connection that every thread takes in turn."""

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from qwen_tui.filesystem import MOUNTS
from qwen_tui.processes import this_process
from qwen_tui.store.database import BUSY_S, open_database
from qwen_tui.store.failures import told_to_a_person
from qwen_tui.store.rows import Row
from qwen_tui.store.tables import interrupt_dead_writers


class OpenFile:
    """The conversations file. Any thread may call; other programs may write too.

    Every method raises `StoreError` where the file cannot be read or written.
    """

    def __init__(
        self, file: Path, *, busy_s: float = BUSY_S, mounts: Path = MOUNTS
    ) -> None:
        """Open or create `file`; what dead writers left streaming is interrupted.

        The other arguments are those of `open_database`.
        """
        self.file = file
        self._lock = threading.RLock()
        self._writer = this_process()
        self.is_closed = False
        # The rows as this program last saw them: only what it changed is written,
        # so that a title given in another program stays.
        self._seen: dict[str, Row] = {}
        with told_to_a_person(file):
            self._connection = open_database(file, busy_s=busy_s, mounts=mounts)
            self._connection.row_factory = sqlite3.Row
        try:
            with self._transaction() as connection:
                interrupt_dead_writers(connection)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        with self._lock, told_to_a_person(self.file):
            self.is_closed = True
            self._connection.close()

    @property
    def journal_mode(self) -> str:
        """The journal in force: "wal", or "delete" on a network file system."""
        with self._reading() as connection:
            return str(connection.execute("PRAGMA journal_mode").fetchone()[0])

    @contextmanager
    def _reading(self) -> Generator[sqlite3.Connection]:
        """Hold the connection for one consistent look at the file."""
        with self._within("BEGIN") as connection:
            yield connection

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        """Hold the connection; what is written inside is saved whole or not at all."""
        # IMMEDIATE waits for other writers now; upgrading later fails at once.
        with self._within("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _within(self, begin: str) -> Generator[sqlite3.Connection]:
        with self._lock, told_to_a_person(self.file):
            connection = self._connection
            if connection.in_transaction:  # `latest` loads, `find` loads
                yield connection
                return
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has rolled back already
                    connection.execute("ROLLBACK")
                raise
