"""The full-text index: which messages hold which three characters in a row.

The index is derived from the messages and stands outside the numbered migrations:
triggers keep it, and where they are missing it is made anew. Messages that are not
in it (while they are written, or in a file from before there was an index) stand in
`unindexed`; a search reads those themselves.

It knows no positions (`detail=none`): a third of the size, and twice as fast to
write. What it finds holds the right characters in any order, so a search checks the
text of each message, too.
"""

import sqlite3
import time
from collections.abc import Generator
from contextlib import contextmanager

_MOST_AT_ONCE = 200
_TRIGRAM_SINCE = (3, 34)  # SQLite's release notes; RHEL 8 has 3.26

# Two line ends close the text, so that its last character begins three, too.
_BODY = "{row}.content || char(10) || {row}.thinking || char(10, 10)"
# FTS5 reads no further than a NUL; what holds one is never indexed.
_FITS = (
    "{row}.state != 'streaming' AND NOT instr({row}.content || {row}.thinking, char(0))"
)
_NEW, _OLD, _EACH = (_BODY.format(row=row) for row in ("new", "old", "message"))
_NEW_FITS, _EACH_FITS = (_FITS.format(row=row) for row in ("new", "message"))
_IS_INDEXED = "NOT EXISTS (SELECT 1 FROM unindexed WHERE seq = old.seq)"
_TAKE_OUT = f"""
    INSERT INTO message_text (message_text, rowid, body)
    SELECT 'delete', old.seq, {_OLD} WHERE {_IS_INDEXED};
"""
# The number of no message: while it stands in `unindexed`, what comes in waits.
_LATER = -1
_IS_LATER = f"EXISTS (SELECT 1 FROM unindexed WHERE seq = {_LATER})"  # noqa: S608

_TABLES = (
    # `waits`: it is to be indexed. The others are written just now, or hold a NUL.
    "CREATE TABLE unindexed (seq INTEGER PRIMARY KEY, waits INTEGER NOT NULL)",
    "INSERT INTO unindexed SELECT seq, 1 FROM message",
    """
    CREATE VIRTUAL TABLE message_text USING fts5 (
        body, content = '', columnsize = 0, detail = none, tokenize = 'trigram'
    )
    """,
)
_TRIGGERS = {
    "message_inserted": f"""
        AFTER INSERT ON message BEGIN
            INSERT INTO unindexed SELECT new.seq, {_NEW_FITS}
            WHERE {_IS_LATER} OR NOT ({_NEW_FITS});
            INSERT INTO message_text (rowid, body)
            SELECT new.seq, {_NEW} WHERE {_NEW_FITS} AND NOT {_IS_LATER};
        END
    """,
    # An answer leaves the index with its first change and comes back when it is
    # finished: the saves in between, one a second, cost the index nothing.
    "message_updated": f"""
        AFTER UPDATE OF content, thinking, state ON message
        WHEN (old.content, old.thinking, old.state)
            IS NOT (new.content, new.thinking, new.state)
        BEGIN
            {_TAKE_OUT}
            INSERT INTO unindexed SELECT old.seq, 0 WHERE {_IS_INDEXED};
            INSERT INTO message_text (rowid, body)
            SELECT new.seq, {_NEW} WHERE {_NEW_FITS};
            DELETE FROM unindexed WHERE seq = new.seq AND {_NEW_FITS};
        END
    """,  # noqa: S608
    "message_deleted": f"""
        AFTER DELETE ON message BEGIN
            {_TAKE_OUT}
            DELETE FROM unindexed WHERE seq = old.seq;
        END
    """,  # noqa: S608
}


def prepare_index(
    connection: sqlite3.Connection, version: tuple[int, ...] | None = None
) -> None:
    """Make the index where there is none; its messages are indexed later.

    Where SQLite cannot keep it, the triggers go, so that saving works: the index is
    made anew by the next program that can.

    Args:
        connection: Open on a file of the newest format, in no transaction.
        version: Of SQLite, where another than the one in use is meant.
    """
    can_keep = _can_keep(connection, version or sqlite3.sqlite_version_info)
    if has_index(connection) == can_keep:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if has_index(connection) != can_keep:  # another program may have been faster
            (_make if can_keep else _give_up)(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has rolled back already
            connection.execute("ROLLBACK")
        raise


def has_index(connection: sqlite3.Connection) -> bool:
    """Tell whether the index is there and kept."""
    count = connection.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name = ?",
        ("message_updated",),
    ).fetchone()[0]
    return bool(count)


def count_waiting(connection: sqlite3.Connection) -> int:
    """Return how many messages are still to be indexed."""
    return int(
        connection.execute("SELECT count(*) FROM unindexed WHERE waits").fetchone()[0]
    )


@contextmanager
def indexed_later(connection: sqlite3.Connection) -> Generator[None]:
    """Let messages that come in wait for `index_some`: very many take minutes.

    Args:
        connection: In a transaction that may write, and that ends after this.
    """
    if not has_index(connection):
        yield
        return
    connection.execute("INSERT INTO unindexed VALUES (?, 0)", (_LATER,))
    yield  # a failure takes the whole transaction back
    connection.execute("DELETE FROM unindexed WHERE seq = ?", (_LATER,))


def index_some(connection: sqlite3.Connection, budget_s: float) -> int:
    """Index some of the newest messages that wait for it; return how many.

    Args:
        connection: In a transaction that may write.
        budget_s: After so many seconds no further message is begun, but one is.
    """
    done = 0
    end = time.monotonic() + budget_s
    waiting = connection.execute(
        "SELECT seq FROM unindexed WHERE waits ORDER BY seq DESC LIMIT ?",
        (_MOST_AT_ONCE,),
    ).fetchall()
    for (seq,) in waiting:
        put_in = connection.execute(
            f"INSERT INTO message_text (rowid, body) SELECT seq, {_EACH} "  # noqa: S608
            f"FROM message WHERE seq = ? AND {_EACH_FITS}",
            (seq,),
        )
        if put_in.rowcount:
            connection.execute("DELETE FROM unindexed WHERE seq = ?", (seq,))
        else:
            connection.execute("UPDATE unindexed SET waits = 0 WHERE seq = ?", (seq,))
        done += 1
        if time.monotonic() > end:
            break
    return done


def _can_keep(connection: sqlite3.Connection, version: tuple[int, ...]) -> bool:
    has_fts5 = connection.execute(
        "SELECT sqlite_compileoption_used('ENABLE_FTS5')"
    ).fetchone()[0]
    return bool(has_fts5) and version >= _TRIGRAM_SINCE


def _make(connection: sqlite3.Connection) -> None:
    for table in ("unindexed", "message_text"):  # left by a program that gave up
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    for statement in _TABLES:
        connection.execute(statement)
    for name, body in _TRIGGERS.items():
        connection.execute(f"CREATE TRIGGER {name} {body}")


def _give_up(connection: sqlite3.Connection) -> None:
    for name in _TRIGGERS:
        connection.execute(f"DROP TRIGGER {name}")
