"""A child process that speaks lines."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from qwen_tui import wire
from qwen_tui.chat.backend import ModelSource
from qwen_tui.child import Child, ChildGone
from qwen_tui.wire_engine import LoadOptions
from tests.helpers import until, wait_until

MODULE = "tests.scripted_child"
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "log" / "child.log"


async def start(script: str, log_file: Path, **env: str) -> Child:
    return await Child.start(
        MODULE, env={**os.environ, "SCRIPT": script, **env}, log_file=log_file
    )


async def all_messages(child: Child) -> list[wire.Message]:
    return [message async for message in child.messages()]


async def send_forever(child: Child, message: wire.Message) -> None:
    while True:
        await child.send(message)


def content(file: Path) -> str:
    return file.read_text()


def size(file: Path) -> int:
    return file.stat().st_size


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


async def hello_of(child: Child) -> wire.Hello:
    message = await anext(aiter(child.messages()))
    assert isinstance(message, wire.Hello)
    return message


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


async def test_a_message_of_some_megabytes_comes_back_whole(log_file: Path):
    child = await start("echo", log_file)
    text = "漢字\n\u2028\\" * 500_000
    load = wire.Load(7, ModelSource("m", text, "folder"), LoadOptions())
    messages = child.messages()
    _, answer = await asyncio.gather(child.send(load), anext(aiter(messages)))
    assert answer == load
    await child.stop()


async def test_stray_lines_are_skipped_and_noted_in_the_log(log_file: Path):
    child = await start("stray", log_file)
    assert await all_messages(child) == [wire.Hello(wire.PROTOCOL)]
    await child.wait()
    log = content(log_file)
    assert "Loading: 50%" in log
    assert log.count("not a message") == 4


async def test_a_child_that_floods_stderr_goes_on_and_its_log_is_private(
    log_file: Path,
):
    child = await start("shout", log_file)
    await hello_of(child)
    await child.stop()
    assert size(log_file) == 100_000 * len("a warning of some library\n")
    assert mode(log_file) == 0o600
    assert mode(log_file.parent) == 0o700


async def test_the_log_is_continued_until_it_is_large_then_set_aside(log_file: Path):
    for _ in range(4):  # 2.6 MB each
        child = await start("shout", log_file)
        await child.stop(grace_s=60)
    assert size(log_file) == 2 * 100_000 * len("a warning of some library\n")
    assert log_file.with_name("child.log.old").exists()


async def test_the_child_has_a_session_of_its_own(log_file: Path):
    child = await start("echo", log_file)
    assert os.getsid(child.pid) == child.pid
    await child.stop()


async def test_a_file_in_the_current_folder_is_never_imported(
    log_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "json.py").write_text("raise SystemExit(99)")
    (tmp_path / "qwen_tui").mkdir()
    (tmp_path / "qwen_tui" / "__init__.py").write_text("raise SystemExit(98)")
    monkeypatch.chdir(tmp_path)
    child = await start("environment", log_file)
    await hello_of(child)
    await child.stop()
    assert child.returncode == 0


async def test_the_child_gets_the_given_environment_and_no_other(
    log_file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OURS_ALONE", "secret")
    env = {"SCRIPT": "environment", "PYTHONPATH": "/elsewhere", "GIVEN": "1"}
    child = await Child.start(MODULE, env=env, log_file=log_file)
    seen = (await hello_of(child)).versions
    await child.stop()
    assert seen["GIVEN"] == "1"
    assert "OURS_ALONE" not in seen
    assert seen["PYTHONPATH"] == f"{ROOT}{os.pathsep}/elsewhere"


async def test_stop_lets_a_listening_child_leave_by_itself(log_file: Path):
    child = await start("echo", log_file)
    await child.stop(grace_s=60)
    assert child.returncode == 0


async def test_stop_sends_sigterm_to_a_child_that_misses_the_end_of_its_input(
    log_file: Path,
):
    child = await start("polite", log_file)
    await hello_of(child)
    await child.stop(grace_s=0.1)
    assert child.returncode == -signal.SIGTERM
    assert child.death() == "ended by qwen-tui"


async def test_stop_kills_a_deaf_child_and_what_it_started(log_file: Path):
    child = await start("deaf", log_file)
    grandchild = int((await hello_of(child)).versions["child"])
    await child.stop(grace_s=0.1)
    assert child.returncode == -signal.SIGKILL
    await until(lambda: not is_alive(grandchild))


async def test_a_stop_that_is_given_up_still_kills(log_file: Path):
    child = await start("deaf", log_file)
    await hello_of(child)
    stopping = asyncio.create_task(child.stop(grace_s=600))
    await asyncio.sleep(0)
    stopping.cancel()
    await asyncio.gather(stopping, return_exceptions=True)
    await until(lambda: not is_alive(child.pid))
    await child.wait()


async def test_a_grandchild_that_holds_the_pipes_does_not_keep_wait_waiting(
    log_file: Path,
):
    child = await start("deaf", log_file)
    grandchild = int((await hello_of(child)).versions["child"])
    os.kill(child.pid, signal.SIGKILL)
    assert await asyncio.wait_for(child.wait(), 60) == -signal.SIGKILL
    await until(lambda: not is_alive(grandchild))


async def test_kill_twice_is_as_good_as_once(log_file: Path):
    child = await start("deaf", log_file)
    child.kill()
    child.kill()
    assert await child.wait() == -signal.SIGKILL
    child.kill()


async def test_a_signal_handler_may_kill(log_file: Path):
    child = await start("deaf", log_file)
    await hello_of(child)
    before = signal.signal(signal.SIGUSR1, lambda _number, _frame: child.kill())
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        await child.wait()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert child.returncode == -signal.SIGKILL


async def test_death_by_sigkill_is_told_as_a_lack_of_memory(log_file: Path):
    child = await start("deaf", log_file)
    await hello_of(child)
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
    assert child.death() == "killed (signal 9), probably out of memory"


async def test_a_crash_and_an_exit_status_are_told_with_the_log(log_file: Path):
    crashed = await start("crash", log_file)
    left = await start("leave", log_file)
    await asyncio.gather(crashed.wait(), left.wait())
    assert crashed.death() == f"crashed (SIGSEGV, signal 11); see the log {log_file}"
    assert left.death() == f"exit status 3; see the log {log_file}"


async def test_a_signal_of_somebody_else_is_no_crash(log_file: Path):
    child = await start("polite", log_file)
    await hello_of(child)
    os.kill(child.pid, signal.SIGTERM)
    await child.wait()
    assert child.death() == "ended by another program (SIGTERM, signal 15)"


async def test_sending_to_an_ended_child_says_so(log_file: Path):
    child = await start("leave", log_file)
    await child.wait()
    with pytest.raises(ChildGone, match="exit status 3"):
        await child.send(wire.Cancel(1))


async def test_sending_while_the_child_dies_says_so_too(log_file: Path):
    child = await start("deaf", log_file)
    await hello_of(child)
    os.kill(child.pid, signal.SIGKILL)
    load = wire.Load(1, ModelSource("m", "x" * 200_000, "folder"), LoadOptions())
    with pytest.raises(ChildGone):
        await send_forever(child, load)
    await child.wait()


async def test_a_log_that_cannot_be_written_is_an_error(tmp_path: Path):
    (tmp_path / "log").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="log"):
        await start("echo", tmp_path / "log" / "child.log")


def test_a_child_ends_within_two_seconds_of_its_parent_being_killed(tmp_path: Path):
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(
                """
                import asyncio, os, sys
                from pathlib import Path
                from qwen_tui.child import Child

                async def main():
                    env = {**os.environ, "SCRIPT": "environment"}
                    child = await Child.start(
                        "tests.scripted_child", env=env, log_file=Path(sys.argv[1])
                    )
                    await anext(aiter(child.messages()))
                    print(child.pid, flush=True)
                    await asyncio.sleep(600)

                asyncio.run(main())
                """
            ),
            str(tmp_path / "child.log"),
        ],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
        killed_at = time.monotonic()
        wait_until(lambda: not is_alive(pid))
    assert time.monotonic() - killed_at < 2.0
