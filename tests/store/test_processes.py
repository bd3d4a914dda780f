"""Several real programs on one file, and programs that are killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.processes import ProcessId, has_ended, this_process
from qwen_tui.store.conversations import Store
from tests.helpers import wait_until

_WRITE_MANY = """
import sys
import threading
from pathlib import Path
from threading import Thread
from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.store.conversations import Store
file, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
store = Store(file)
own = Conversation(id=name, title=name)
store.save_conversation(own)
for number in range(count):
    shared = store.load("shared")
    message = ChatMessage("user", f"{name} {number}", parent_id=shared.leaf_id)
    shared.put(message)
    store.save_message("shared", message)
    store.save_conversation(shared)
    store.save_message(name, ChatMessage("user", str(number)))
store.close()
"""

_STREAM = """
import sys
import threading
from dataclasses import replace
from pathlib import Path
from threading import Thread
from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.store.conversations import Store
store = Store(Path(sys.argv[1]))
conversation = Conversation(id="c")
store.save_conversation(conversation)
question = ChatMessage("user", "q", id="q")
store.save_message("c", question)
answer = ChatMessage("assistant", "", id="a", parent_id="q", state="streaming")
conversation.put(answer)
store.save_conversation(conversation)
number = 0
while True:
    answer = replace(answer, content=answer.content + f"{number} ")
    store.save_message("c", answer)
    store.save_message("c", ChatMessage("user", str(number), parent_id="q"))
    print(number, flush=True)
    number += 1
"""


@contextmanager
def program(code: str, *arguments: str) -> Generator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_two_programs_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    file, count = tmp_path / "conversations.db", 25
    store = Store(file)
    store.save_conversation(Conversation(id="shared"))
    with (
        program(_WRITE_MANY, str(file), "one", str(count)) as one,
        program(_WRITE_MANY, str(file), "two", str(count)) as two,
    ):
        for process in (one, two):
            assert process.stdout is not None
            process.stdout.readline()
        for process in (one, two):
            process.communicate("go\n", timeout=120)
            assert process.returncode == 0
    shared = store.load("shared")
    texts = [m.content for m in shared.messages.values()]
    for name in ("one", "two"):
        mine = [t for t in texts if t.startswith(name)]
        assert mine == [f"{name} {n}" for n in range(count)]
        own = store.load(name).messages.values()
        assert [m.content for m in own] == [str(n) for n in range(count)]
    assert shared.leaf_id in shared.messages
    store.close()


def test_two_programs_may_create_the_file_at_once(tmp_path: Path) -> None:
    file = tmp_path / "data" / "conversations.db"
    create = (
        "import sys; from pathlib import Path;"
        "from qwen_tui.store.conversations import Store;"
        "print('ready', flush=True); sys.stdin.readline();"
        "Store(Path(sys.argv[1])).close()"
    )
    with program(create, str(file)) as one, program(create, str(file)) as two:
        for process in (one, two):
            assert process.stdout is not None
            process.stdout.readline()
        for process in (one, two):
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [p.wait(60) for p in (one, two)] == [0, 0]


def killed_while_streaming(file: Path, after: int) -> int:
    """Kill a writer after it reported `after`; return the last number it reported."""
    with program(_STREAM, str(file)) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= after:
                break
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
    return int(rest[-1]) if rest else after


def test_a_killed_program_loses_nothing_that_it_saved(tmp_path: Path) -> None:
    for after in (3, 8):
        file = tmp_path / str(after) / "conversations.db"
        last = killed_while_streaming(file, after)
        store = Store(file)
        messages = store.load("c").messages
        store.close()
        written = [m.content for m in messages.values() if m.id not in "qa"]
        assert written[: last + 1] == [str(n) for n in range(last + 1)]
        answer = messages["a"]
        assert answer.state == "interrupted"
        assert answer.content.startswith("".join(f"{n} " for n in range(last + 1)))
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_a_live_program_streams_stays_streaming(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    with program(_STREAM, str(file)) as process:
        assert process.stdout is not None
        process.stdout.readline()
        store = Store(file)
        before = store.load("c").messages["a"]
        wait_until(lambda: store.load("c").messages["a"].content != before.content)
        store.close()
        store = Store(file)
        assert store.load("c").messages["a"].state == "streaming"
        store.close()


def streaming_left_by(file: Path, writer: ProcessId, silence_s: float) -> str:
    """Return the state after an open, of a message that `writer` left streaming."""
    store = Store(file)
    store.save_conversation(Conversation(id="c"))
    store.save_message("c", ChatMessage("assistant", "half", id="a", state="streaming"))
    store.close()
    with sqlite3.connect(file) as connection:
        connection.execute(
            "UPDATE writer SET host = ?, pid = ?, started = ?, checkpoint_at = ?",
            (writer.host, writer.pid, writer.started, time.time() - silence_s),
        )
    connection.close()
    store = Store(file)
    state = store.load("c").messages["a"].state
    store.close()
    return state


def test_a_pid_that_was_used_again_is_not_the_writer(tmp_path: Path) -> None:
    me = this_process()
    file = tmp_path / "conversations.db"
    assert streaming_left_by(file, me, 999) == "streaming"
    reused = ProcessId(me.host, me.pid, "another boot 1")
    assert streaming_left_by(file, reused, 0) == "interrupted"


def test_a_writer_on_another_host_is_dead_after_a_minute(tmp_path: Path) -> None:
    far = ProcessId("another-host", 1, "x")
    file = tmp_path / "conversations.db"
    assert streaming_left_by(file, far, 5) == "streaming"
    assert streaming_left_by(file, far, 61) == "interrupted"


def test_a_killed_process_that_nobody_waited_for_is_dead() -> None:
    with program("import time; time.sleep(600)") as process:
        started = this_writer_of(process.pid)
        assert not has_ended(started, time.time())
        process.kill()
        wait_until(lambda: has_ended(started, time.time()))
        assert process.returncode is None  # still a zombie


def this_writer_of(pid: int) -> ProcessId:
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ProcessId(os.uname().nodename, pid, f"{boot} {stat[19]}")


def test_a_message_that_was_finished_has_no_writer(tmp_path: Path) -> None:
    store = Store(tmp_path / "conversations.db")
    store.save_conversation(Conversation(id="c"))
    for state in ("streaming", "complete"):
        message = ChatMessage("assistant", "x", id="a", state=state)
        store.save_message("c", message)
    rows = store._connection.execute("SELECT count(*) FROM writer").fetchone()[0]
    store.close()
    assert rows == 0


def test_a_save_waits_until_another_program_has_written(tmp_path: Path) -> None:
    file = tmp_path / "conversations.db"
    store = Store(file)
    store.save_conversation(Conversation(id="c"))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE conversation SET title = 'theirs'")
    save = Thread(target=store.save_message, args=("c", ChatMessage("user", "x")))
    save.start()
    wait_until(lambda: is_held(store._lock))
    other.execute("COMMIT")
    save.join(60)
    other.close()
    loaded = store.load("c")
    store.close()
    assert (loaded.title, len(loaded.messages)) == ("theirs", 1)


def is_held(lock: threading.RLock) -> bool:
    """Tell whether another thread holds `lock`."""
    if lock.acquire(blocking=False):
        lock.release()
        return False
    return True
