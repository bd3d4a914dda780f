"""The driver, signals and endings, with a small app in a real terminal."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.terminal import Terminal, is_alive, plain_environment
from tests.helpers import wait_until

pytestmark = pytest.mark.e2e

REPO = Path(__file__).parents[2]
REPAINT_ALWAYS = "\x1b[17~"  # F6
CRASH = "\x1b[15~"  # F5
LEAVE = "\x1b[18~"  # F7


def start(folder: Path) -> Terminal:
    argv = [sys.executable, "-m", "tests.e2e.tiny", str(folder)]
    return Terminal(argv, env=plain_environment(folder), cwd=REPO)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Terminal]:
    with start(tmp_path) as terminal:
        terminal.wait_for("tiny is ready")
        yield terminal


def arrived(folder: Path) -> list[list[Any]]:
    """Return the key and paste events so far."""
    file = folder / "events.jsonl"
    if not file.exists():
        return []
    return [
        json.loads(x) for x in file.read_text().splitlines(keepends=True) if "\n" in x
    ]


def until_z(tiny: Terminal, folder: Path) -> list[list[Any]]:
    """Press z, wait until it arrived, return what came before it."""
    tiny.send("z")
    tiny.wait_until(lambda: ["key", "z", "z"] in arrived(folder), "z")
    found = arrived(folder)
    return found[: found.index(["key", "z", "z"])]


def child_of(folder: Path) -> int:
    return int((folder / "child").read_text())


def stall(tiny: Terminal) -> None:
    """Let the app write until the terminal, which does not read, takes no more."""
    tiny.send(REPAINT_ALWAYS)
    tiny.wait_stalled()


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("\x1b\r", "alt+enter"),
        ("\x1b[13;3u", "alt+enter"),
        ("\x1b[13;2u", "shift+enter"),
        ("\r", "enter"),
        ("\n", "ctrl+j"),
        ("\x1b[27u", "escape"),
        ("\x1bx", "alt+x"),
    ],
)
def test_keys_have_their_names(tiny: Terminal, tmp_path: Path, sent: str, key: str):
    tiny.send(sent)
    assert [event[1] for event in until_z(tiny, tmp_path)] == [key]


def test_bytes_that_are_no_text_neither_end_the_app_nor_reach_it(
    tiny: Terminal, tmp_path: Path
):
    tiny.send(b"\xff")
    tiny.send("\x9b\x1b[55296u\x1b[99999999u\x1b[97;;155u")
    events = until_z(tiny, tmp_path)
    assert [event[2] for event in events] == ["\ufffd"]


def test_a_paste_with_escapes_in_many_reads_is_one_paste_and_no_key(
    tiny: Terminal, tmp_path: Path
):
    for part in ("\x1b[200~rm -rf", " /\x1b", "[31m\r", "\x1b\r\x1b[20", "1~"):
        tiny.send(part)
        tiny.pump(0.01)
    assert until_z(tiny, tmp_path) == [["paste", "rm -rf /[31m\n\n"]]


def test_a_long_paste_arrives_whole(tiny: Terminal, tmp_path: Path):
    text = "x" * 60 + "\u4f60\u597d\n"
    tiny.paste(text * 1500)
    assert until_z(tiny, tmp_path) == [["paste", text * 1500]]


def test_keys_are_asked_for_as_plain_text(tiny: Terminal):
    assert re.findall(rb"\x1b\[>(\d+)u", tiny.raw) == [b"1"]


def test_nothing_is_sent_while_nothing_happens(tiny: Terminal):
    tiny.wait_quiet(1.5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("stalled", [False, True])
def test_an_ending_signal_saves_restores_and_kills(
    tiny: Terminal, tmp_path: Path, number: signal.Signals, stalled: bool
):
    if stalled:
        stall(tiny)
    asked_at = time.monotonic()
    tiny.signal(number)
    assert tiny.wait_exit(reading=not stalled) == 128 + number
    assert time.monotonic() - asked_at < 3
    while tiny.pump(0.1):
        pass
    tiny.assert_restored()
    assert (tmp_path / "saved").exists()
    wait_until(lambda: not is_alive(child_of(tmp_path)))


def test_two_signals_at_once_end_it_like_one(tiny: Terminal, tmp_path: Path):
    os.kill(tiny.process.pid, signal.SIGSTOP)
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGCONT):
        os.kill(tiny.process.pid, number)
    assert tiny.wait_exit() in (128 + signal.SIGHUP, 128 + signal.SIGTERM)
    tiny.assert_restored()
    assert (tmp_path / "saved").exists()


def test_a_save_that_hangs_does_not_keep_the_program(tiny: Terminal, tmp_path: Path):
    (tmp_path / "hang").touch()
    asked_at = time.monotonic()
    tiny.signal(signal.SIGTERM)
    assert tiny.wait_exit() == 128 + signal.SIGTERM
    assert time.monotonic() - asked_at < 3
    tiny.assert_restored()
    wait_until(lambda: not is_alive(child_of(tmp_path)))


def test_a_closed_window_ends_the_program(tiny: Terminal, tmp_path: Path):
    tiny.hang_up()
    assert tiny.wait_exit() == 128 + signal.SIGHUP
    assert (tmp_path / "saved").exists()
    wait_until(lambda: not is_alive(child_of(tmp_path)))


def test_a_terminal_that_vanishes_without_a_signal_ends_the_program(tmp_path: Path):
    argv = ["setsid", "-w", sys.executable, "-m", "tests.e2e.tiny", str(tmp_path)]
    with Terminal(argv, env=plain_environment(tmp_path), cwd=REPO) as terminal:
        terminal.wait_for("tiny is ready")  # in a session that no terminal controls
        terminal.hang_up()
        wait_until(lambda: (tmp_path / "saved").exists())
        wait_until(lambda: not is_alive(child_of(tmp_path)))


def test_a_bug_goes_to_the_log_and_leaves_one_line(tiny: Terminal, tmp_path: Path):
    tiny.send(CRASH)
    assert tiny.wait_exit() == 1
    tiny.assert_restored()
    after = bytes(tiny.raw).rpartition(b"\x1b[?25h")[2].decode()
    log = tmp_path / "log" / "qwen-tui.log"
    assert after.strip() == (
        f"qwen-tui ended because of a bug. The details are in {log}."
    )
    assert b"Traceback" not in tiny.raw
    assert b"planted" not in tiny.raw
    assert "RuntimeError: a bug we planted" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "saved").exists()
    wait_until(lambda: not is_alive(child_of(tmp_path)))


def test_leaving_restores_the_terminal_and_ends_children(
    tiny: Terminal, tmp_path: Path
):
    tiny.send(LEAVE)
    assert tiny.wait_exit() == 0
    tiny.assert_restored()
    wait_until(lambda: not is_alive(child_of(tmp_path)))


def test_a_suspended_program_comes_back(tiny: Terminal):
    tiny.signal(signal.SIGTSTP)
    status = Path(f"/proc/{tiny.process.pid}/stat")
    tiny.wait_until(lambda: ") T " in status.read_text(), "the program stopped")
    tiny.wait_quiet(0.1)  # what it sent last may still be on its way
    tiny.assert_restored()
    tiny.screen.reset()
    tiny.signal(signal.SIGCONT)
    tiny.wait_for("tiny is ready")
    tiny.send(LEAVE)
    assert tiny.wait_exit() == 0


def test_a_terminal_of_unknown_size_does_not_end_the_start(tmp_path: Path):
    argv = [sys.executable, "-m", "tests.e2e.tiny", str(tmp_path)]
    with Terminal(argv, env=plain_environment(tmp_path), cwd=REPO) as terminal:
        terminal.set_window(0, 0)
        terminal.wait_for("tiny is ready")
        terminal.send(LEAVE)
        assert terminal.wait_exit() == 0


def test_errors_sent_to_a_file_do_not_take_the_screen_along(tmp_path: Path):
    line = (
        f'exec "{sys.executable}" -m tests.e2e.tiny "{tmp_path}" 2>"{tmp_path}/errors"'
    )
    env = plain_environment(tmp_path)
    with Terminal(["sh", "-c", line], env=env, cwd=REPO) as terminal:
        terminal.wait_for("tiny is ready")
        terminal.send(LEAVE)
        assert terminal.wait_exit() == 0
        terminal.assert_restored()
    assert (tmp_path / "errors").read_text() == ""


def test_without_a_terminal_there_is_no_start(tmp_path: Path):
    ended = subprocess.run(
        [sys.executable, "-m", "tests.e2e.tiny", str(tmp_path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=plain_environment(tmp_path),
        cwd=REPO,
        timeout=60,
        check=False,
    )
    assert "TerminalError" in ended.stderr
    assert not (tmp_path / "child").exists()
