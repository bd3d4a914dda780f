"""The file is private, and WAL is used where it is safe."""

from pathlib import Path

import pytest

from qwen_tui.chat.conversation import Conversation
from qwen_tui.store.conversations import Store
from qwen_tui.store.database import IN_MEMORY, filesystem_type, on_network

MOUNTS = """\
overlay / overlay rw 0 0
/dev/sda1 /home ext4 rw 0 0
server:/export /home/ada nfs4 rw 0 0
tmpfs /home/ada/fast tmpfs rw 0 0
ada@host: /home/ada/far\\040away fuse.sshfs rw 0 0
/dev/sdb1 /twice xfs rw 0 0
gpfs0 /twice gpfs rw 0 0
broken
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/etc", "overlay"),
        ("/home/bob", "ext4"),
        ("/home/ada/.local/share", "nfs4"),
        ("/home/adam", "ext4"),
        ("/home/ada/fast/x", "tmpfs"),
        ("/home/ada/far away/x", "fuse.sshfs"),
        ("/twice/x", "gpfs"),
    ],
)
def test_the_innermost_mount_tells_the_file_system(path: str, kind: str) -> None:
    assert filesystem_type(Path(path), MOUNTS) == kind


def test_a_local_folder_is_on_no_network(tmp_path: Path) -> None:
    assert not on_network(tmp_path)


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
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/home {tmp_path} nfs4 rw 0 0\n")
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
