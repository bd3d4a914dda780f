"""Old files are brought forward, newer ones are left alone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from qwen_tui.errors import StoreError
from qwen_tui.store.conversations import Store
from qwen_tui.store.schema import MIGRATIONS, Migration, migrate

# Written out by hand on purpose: this is what version 1 was, whatever becomes of
# MIGRATIONS.
VERSION_1 = """
    CREATE TABLE conversation (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL,
        created_at REAL NOT NULL, updated_at REAL NOT NULL, model TEXT NOT NULL,
        system_prompt TEXT NOT NULL, settings TEXT NOT NULL, leaf_id TEXT,
        pinned INTEGER NOT NULL, archived INTEGER NOT NULL);
    CREATE TABLE message (
        seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
        conversation_id TEXT NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
        parent_id TEXT REFERENCES message (id), role TEXT NOT NULL,
        content TEXT NOT NULL, thinking TEXT NOT NULL, state TEXT NOT NULL,
        created_at REAL NOT NULL, model TEXT NOT NULL, revision TEXT NOT NULL,
        sampling TEXT NOT NULL, usage TEXT NOT NULL, pinned INTEGER NOT NULL);
    CREATE INDEX message_of_conversation ON message (conversation_id);
    CREATE INDEX message_of_parent ON message (parent_id);
    CREATE INDEX message_streaming ON message (state) WHERE state = 'streaming';
    CREATE TABLE writer (
        message_id TEXT PRIMARY KEY REFERENCES message (id) ON DELETE CASCADE,
        host TEXT NOT NULL, pid INTEGER NOT NULL, started TEXT NOT NULL,
        checkpoint_at REAL NOT NULL);
    INSERT INTO conversation VALUES
        (1, 'c1', '旧', 10.0, 20.0, 'demo', 'sys', '{"a": 1}', 'm2', 1, 0);
    INSERT INTO message VALUES
        (1, 'm1', 'c1', NULL, 'user', 'q', '', 'complete', 11.0, '', '', '{}', '{}', 0);
    INSERT INTO message VALUES
        (2, 'm2', 'c1', 'm1', 'assistant', 'half', 'hm', 'streaming', 12.0, 'demo',
         'r', '{"seed": 3}', '{}', 0);
    PRAGMA user_version = 1;
"""
ADDED: Migration = ("ALTER TABLE conversation ADD COLUMN colour TEXT DEFAULT 'red'",)


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    file = tmp_path / "conversations.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(VERSION_1)
    return file


def version(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def test_a_version_1_file_opens_with_everything_in_it(old_file: Path) -> None:
    store = Store(old_file)
    loaded = store.load("c1")
    store.close()
    question, answer = loaded.branch()
    assert (loaded.title, loaded.settings, loaded.pinned) == ("旧", {"a": 1}, True)
    assert (question.content, answer.content) == ("q", "half")
    assert (answer.thinking, answer.sampling) == ("hm", {"seed": 3})
    assert answer.state == "interrupted"  # nobody writes it
    assert version(old_file) == len(MIGRATIONS)


def test_opening_a_version_1_file_copies_it_and_indexes_what_it_holds(
    old_file: Path,
) -> None:
    store = Store(old_file)
    assert [hit.message_id for hit in store.search("half")] == ["m2"]
    store.build_index()
    assert [hit.message_id for hit in store.search("half")] == ["m2"]
    assert [hit.chat_id for hit in store.search("旧")] == ["c1"]
    assert store.summaries()[0].tags == ()
    store.close()
    copy = old_file.with_name("conversations.db.v1.bak")
    assert (version(copy), version(old_file)) == (1, 2)
    with closing(sqlite3.connect(copy)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert ("message_text",) not in names


def test_a_migration_keeps_a_copy_of_the_older_file(old_file: Path) -> None:
    with closing(sqlite3.connect(old_file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("UPDATE conversation SET title = 'in the log only'")
        migrate(connection, old_file, (*MIGRATIONS[:1], ADDED))
        colours = connection.execute("SELECT title, colour FROM conversation")
        assert colours.fetchall() == [("in the log only", "red")]
    copy = old_file.with_name("conversations.db.v1.bak")
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        rows = connection.execute("SELECT * FROM conversation").fetchall()
        assert rows[0][:3] == (1, "c1", "in the log only")
        assert len(rows[0]) == 11
    assert (version(old_file), version(copy)) == (2, 1)
    assert [p.name for p in old_file.parent.glob("*.part")] == []


def test_a_migration_that_fails_changes_nothing(old_file: Path) -> None:
    broken: Migration = (*ADDED, "INSERT INTO nowhere VALUES (1)")
    with closing(sqlite3.connect(old_file, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, old_file, (*MIGRATIONS[:1], broken))
        columns = connection.execute("PRAGMA table_info(conversation)").fetchall()
    assert len(columns) == 11
    assert version(old_file) == 1


def test_a_new_file_needs_no_copy(tmp_path: Path) -> None:
    Store(tmp_path / "conversations.db").close()
    assert list(tmp_path.glob("*.bak")) == []


def test_a_file_of_a_newer_program_is_told_and_left_alone(old_file: Path) -> None:
    with closing(sqlite3.connect(old_file)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreError) as told:
        Store(old_file)
    assert told.value.code == "store_newer"
    assert "99" in told.value.message
    assert version(old_file) == 99
