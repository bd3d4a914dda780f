"""Where SQLite cannot keep the index, saving and searching work all the same."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.store.conversations import Store
from qwen_tui.store.search_index import has_index, prepare_index
from tests.store.chats import saved

OLD_SQLITE = (3, 26, 0)


@pytest.fixture
def old_store(tmp_path: Path) -> Iterator[Store]:
    """A store whose SQLite knows no trigrams, on a file that has an index."""
    store = Store(tmp_path / "conversations.db")
    saved(store, "kept 天气")
    prepare_index(store._connection, OLD_SQLITE)
    yield store
    store.close()


def test_an_old_sqlite_gives_the_index_up_and_reads_everything(
    old_store: Store,
) -> None:
    assert not has_index(old_store._connection)
    chat = saved(old_store, "new 天气")
    found = [hit.snippet for hit in old_store.search("天气")]
    assert found == ["new 天气", "kept 天气"]
    assert [hit.snippet for hit in old_store.search("kept")] == ["kept 天气"]
    assert old_store.unindexed() == 0
    old_store.build_index()
    old_store.delete(chat.id)
    assert len(old_store.search("天气")) == 1


def test_a_newer_sqlite_makes_the_index_anew(old_store: Store) -> None:
    gone = saved(old_store, "gone")
    saved(old_store, "new 天气")
    old_store.delete(gone.id)
    again = Store(old_store.file)
    assert has_index(again._connection)
    assert again.unindexed() == 2
    again.build_index()
    assert len(again.search("天气")) == 2
    assert again.search("gone") == []
    again.close()


def test_an_index_that_cannot_be_made_leaves_the_file_as_it_was(
    old_store: Store,
) -> None:
    with closing(sqlite3.connect(old_store.file)) as other:
        other.execute("DROP TABLE message_text")
        other.execute("CREATE TABLE message_text_data (x)")  # in FTS5's way
    with pytest.raises(sqlite3.OperationalError):
        prepare_index(old_store._connection)
    assert not has_index(old_store._connection)
    chat = Conversation()
    chat.put(ChatMessage("user", "x"))
    old_store.add(chat)
