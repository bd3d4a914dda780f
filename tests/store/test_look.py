"""The conversations file is looked at and never touched."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from qwen_tui.chat.conversation import Conversation
from qwen_tui.errors import StoreError
from qwen_tui.store.conversations import Store
from qwen_tui.store.look import DatabaseLook, look_at


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert look_at(tmp_path / "conversations.db") is None
    assert list(tmp_path.iterdir()) == []


def test_an_open_file_can_be_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "with ? and #" / "conversations.db"
    store = Store(file)
    try:
        store.save_conversation(Conversation())
        look = look_at(file)
    finally:
        store.close()
    assert isinstance(look, DatabaseLook)
    assert (look.journal_mode, look.n_conversations) == ("wal", 1)
    assert look.size_bytes > 0


def test_an_empty_file_holds_no_conversation(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    file.touch()
    look = look_at(file)
    assert look is not None
    assert (look.n_conversations, look.size_bytes) == (0, 0)


def test_another_programs_file_is_told_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_bytes(b"no database at all" * 100)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    for file in (text, other):
        before = file.read_bytes()
        with pytest.raises(StoreError) as caught:
            look_at(file)
        assert caught.value.code == "store_corrupt"
        assert file.read_bytes() == before
    assert {f.name for f in tmp_path.iterdir()} == {"text.db", "other.db"}
