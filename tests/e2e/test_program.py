"""The program itself in a terminal, before any model answers."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.programs import leave, program
from tests.e2e.terminal import Terminal, plain_environment

pytestmark = pytest.mark.e2e

LATER = "\x1b"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def run_without_terminal(home: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "qwen_tui"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=plain_environment(home, **env),
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=False,
    )


def open_composer(terminal: Terminal) -> None:
    """Say "later" to the first-run screen, so that no engine is started."""
    terminal.wait_for("Try the small demo model")
    terminal.send(LATER)
    terminal.wait_for("F1 help")


def test_without_a_terminal_one_line_tells_the_way_out(home: Path):
    ended = run_without_terminal(home)
    assert ended.returncode == 2
    assert "not a terminal" in ended.stderr
    assert "qwen-tui ask" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def test_a_dumb_terminal_is_refused_before_anything_is_drawn(home: Path):
    with program(home, TERM="dumb") as terminal:
        assert terminal.wait_exit() == 2
        assert "TERM=dumb" in terminal.text()
        assert b"\x1b" not in terminal.raw


def test_what_is_typed_and_pasted_stays_in_the_composer(home: Path):
    with program(home) as terminal:
        open_composer(terminal)
        terminal.send("one")
        terminal.send("\x1b\r")  # Alt+Enter
        terminal.send(b"tw\xffo")
        terminal.paste("\rthree \x1b[31mred\r\x1b\rfour")
        terminal.wait_for("four")
        lines = [line.strip(" \u2502|") for line in terminal.text().splitlines()]
        first = next(i for i, line in enumerate(lines) if line.endswith("one"))
        assert lines[first + 1].startswith("tw\ufffdo")
        assert any(line.startswith("three [31mred") for line in lines)
        assert "Write a message below" in terminal.text()  # nothing was sent
        leave(terminal)


def test_the_first_screen_speaks_chinese(home: Path):
    with program(home, "--lang", "zh", columns=80, rows=24) as terminal:
        terminal.wait_for("\u6b22\u8fce\u4f7f\u7528 qwen-tui")
        terminal.wait_quiet(1.5)
        leave(terminal)


def test_a_window_of_any_size_keeps_the_program_alive(home: Path):
    with program(home) as terminal:
        open_composer(terminal)
        for columns, rows in ((40, 12), (10, 3), (1, 1), (200, 60)):
            terminal.resize(columns, rows)
            terminal.wait_quiet(0.3)
        terminal.wait_for("F1 help")
        leave(terminal)


def test_the_models_screen_opens_and_closes(home: Path):
    with program(home, columns=80, rows=24) as terminal:
        open_composer(terminal)
        terminal.send("\x0f")
        terminal.wait_for("Source: official")
        terminal.wait_for("demo")  # the list comes from a thread, after the title
        terminal.send("\x1b")
        terminal.wait_gone("Source: official")
        leave(terminal)
