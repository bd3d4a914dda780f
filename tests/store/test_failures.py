"""Each way a file can fail is told in its own words, never as a traceback."""

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.errors import StoreError
from qwen_tui.store.conversations import Store
from qwen_tui.store.failures import store_error


def failure(file: Path) -> StoreError:
    with pytest.raises(StoreError) as told:
        Store(file)
    assert str(file) in told.value.message
    assert told.value.hint
    return told.value


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    file.write_bytes(b"these are my notes, not a database. " * 200)
    assert failure(file).code == "store_corrupt"
    assert file.read_bytes().startswith(b"these are my notes")


def test_another_programs_database_is_told_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    assert failure(file).code == "store_corrupt"
    with sqlite3.connect(file) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
    assert tables == [("bookmarks",)]


def test_a_damaged_page_is_told(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    store = Store(file)
    conversation = Conversation()
    store.save_conversation(conversation)
    for _number in range(50):
        store.save_message(conversation.id, ChatMessage("user", "text" * 500))
    store.close()
    content = bytearray(file.read_bytes())
    for start in range(4096, len(content), 4096):
        content[start : start + 200] = b"\xff" * 200
    file.write_bytes(content)
    assert failure(file).code == "store_corrupt"


def test_settings_that_are_no_json_are_told_as_damage(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    store = Store(file)
    conversation = Conversation()
    store.save_conversation(conversation)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE conversation SET settings = '[1'")
    connection.close()
    with pytest.raises(StoreError) as told:
        store.load(conversation.id)
    store.close()
    assert told.value.code == "store_corrupt"


def test_a_lock_that_never_ends_is_told(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    store = Store(file, busy_s=0.2)
    conversation = Conversation()
    store.save_conversation(conversation)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError) as told:
        store.save_message(conversation.id, ChatMessage("user", "x"))
    assert told.value.code == "store_locked"
    assert store.load(conversation.id).messages == {}  # reading goes on
    other.execute("ROLLBACK")
    other.close()
    store.save_message(conversation.id, ChatMessage("user", "x"))
    store.close()


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    file.mkdir(mode=0o755)
    assert failure(file).code == "store_read_only"
    assert file.stat().st_mode & 0o777 == 0o755


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert failure(tmp_path / "data" / "conversations.db").code == "store_io"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o500)
    assert failure(folder / "conversations.db").code == "store_read_only"


def test_a_file_that_was_made_read_only_is_told(tmp_path: Path) -> None:
    store = Store(tmp_path / "conversations.db")
    # SQLite answers writes as on a read-only mount.
    store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError) as told:
        store.save_conversation(Conversation())
    store.close()
    assert told.value.code == "store_read_only"


_FILL = """
import sys
import time
from pathlib import Path
from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.errors import StoreError
from qwen_tui.store.conversations import Store
store = Store(Path(sys.argv[1]))
conversation = Conversation(id="c")
store.save_conversation(conversation)
store._connection.execute("PRAGMA max_page_count = 40")
saved = 0
try:
    while True:
        store.save_message("c", ChatMessage("user", "x" * 20_000))
        saved += 1
except StoreError as error:
    print(error.code, saved, len(store.load("c").messages))
"""


def test_a_full_disk_is_told_and_what_was_saved_stays(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FILL, str(tmp_path / "conversations.db")],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    code, saved, there = done.stdout.split()
    assert code == "disk_full"
    assert saved == there
    assert int(saved) > 0


def test_every_failure_of_the_file_system_has_words(tmp_path: Path) -> None:
    codes = {
        store_error(tmp_path, error).code
        for error in (
            OSError(28, "No space left on device"),
            OSError(30, "Read-only file system"),
            OSError(5, "Input/output error"),
            sqlite3.OperationalError("anything"),
        )
    }
    assert codes == {"disk_full", "store_read_only", "store_io"}


def test_a_save_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    store = Store(file)
    store.save_conversation(Conversation(id="c"))
    with sqlite3.connect(file) as connection:
        connection.execute(
            "CREATE TRIGGER stop BEFORE INSERT ON writer "
            "BEGIN SELECT RAISE(FAIL, 'stop'); END"
        )
    connection.close()
    with pytest.raises(StoreError):
        store.save_message("c", ChatMessage("assistant", "x", state="streaming"))
    assert store.load("c").messages == {}
    store.save_message("c", ChatMessage("assistant", "x"))
    assert len(store.load("c").messages) == 1
    store.close()


def test_opening_waits_for_another_program_before_it_sets_the_journal(
    tmp_path: Path,
) -> None:
    file = tmp_path / "conversations.db"
    Store(file).close()
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("PRAGMA journal_mode = delete")
    writer.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    with pytest.raises(StoreError) as told:
        Store(file, busy_s=0.5)
    assert told.value.code == "store_locked"
    assert time.monotonic() - started >= 0.5
    writer.close()
    Store(file).close()
