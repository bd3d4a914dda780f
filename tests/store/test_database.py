"""The file is private, and WAL is used where it is safe."""

from pathlib import Path

import pytest

from qwen_tui.chat.conversation import Conversation
from qwen_tui.store.conversations import Store
from qwen_tui.store.database import IN_MEMORY


def test_the_file_and_its_helpers_are_for_this_user_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "data" / "conversations.db")
    store.save_conversation(Conversation())
    files = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "data").iterdir()}
    store.close()
    assert files == {
        "conversations.db": 0o600,
        "conversations.db-wal": 0o600,
        "conversations.db-shm": 0o600,
    }
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


def test_a_file_that_others_may_read_is_made_private(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    file.touch(mode=0o644)
    file.chmod(0o644)
    Store(file).close()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_local_file_uses_wal_and_a_network_file_does_not(tmp_path: Path) -> None:
    file = tmp_path / "data" / "conversations.db"
    store = Store(file)
    assert store.journal_mode == "wal"
    store.save_conversation(Conversation(id="c"))
    store.close()
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"40 21 0:40 / {tmp_path} rw - nfs4 server:/home rw\n")
    store = Store(file, mounts=mounts)  # the same file, now on a network drive
    assert store.journal_mode == "delete"
    assert store.load("c").id == "c"
    store.close()
    assert [p.name for p in file.parent.iterdir()] == ["conversations.db"]


def test_a_store_in_memory_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    store = Store(IN_MEMORY)
    chat = Conversation(title="secret")
    store.save_conversation(chat)
    assert store.load(chat.id).title == "secret"
    store.close()
    assert list(tmp_path.iterdir()) == []
