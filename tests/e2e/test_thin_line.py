"""The real program over a thin line: silent when idle, whole after a disturbance."""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.programs import leave, program
from tests.e2e.terminal import Terminal
from tests.ui.test_sidebar import save_chat

pytestmark = pytest.mark.e2e

ANSWER = "\n\n".join(f"第 {n} 段：显存占用 and paragraph {n} of it." for n in range(60))
PAGE_UP, REDRAW = "\x1b[5~", "\x0c"


def open_chat(
    home: Path,
    frame_diff: str = "on",
    term: str = "xterm-256color",
    colours: str = "truecolor",
) -> Terminal:
    """Start with a saved chat and no model."""
    chat = save_chat(home / "data" / "qwen-tui", "Long", "A question", ANSWER)
    return program(
        home,
        "--resume",
        chat,
        QWEN_TUI_UI_FRAME_DIFF=frame_diff,
        TERM=term,
        COLORTERM=colours,
    )


def look_at_chat(terminal: Terminal) -> None:
    terminal.wait_for("Try the small demo model")
    terminal.send("\x1b")
    terminal.wait_for("paragraph 59 of it.")
    terminal.wait_for("No model is chosen")
    terminal.wait_quiet(1.0)


def cells(terminal: Terminal) -> list[list[object]]:
    screen = terminal.screen
    columns, lines = range(screen.columns), range(screen.lines)
    return [[screen.buffer[y][x] for x in columns] for y in lines]


def assert_whole(terminal: Terminal) -> None:
    """Fail unless drawing everything anew changes nothing."""
    terminal.wait_quiet(0.7)
    shown = cells(terminal)
    before = len(terminal.raw)
    terminal.send(REDRAW)
    terminal.wait_until(lambda: len(terminal.raw) > before + 2000, "a whole frame")
    terminal.wait_quiet(0.7)
    assert cells(terminal) == shown


def bytes_of(terminal: Terminal, act: Callable[[], None]) -> int:
    """Return what the terminal is sent for something a person does."""
    before = len(terminal.raw)
    act()
    terminal.wait_until(lambda: len(terminal.raw) > before, "an answer to it")
    terminal.wait_quiet(0.7)
    return len(terminal.raw) - before


def test_an_idle_screen_sends_nothing_and_each_key_little(tmp_path: Path):
    with open_chat(tmp_path) as terminal:
        look_at_chat(terminal)
        before = len(terminal.raw)
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            terminal.pump(0.1)
        assert len(terminal.raw) == before
        assert bytes_of(terminal, lambda: terminal.send("a")) < 300
        assert bytes_of(terminal, lambda: terminal.send(PAGE_UP)) < 6000
        assert_whole(terminal)
        leave(terminal)


def test_a_suspended_or_resized_screen_is_whole_again(tmp_path: Path):
    with open_chat(tmp_path) as terminal:
        look_at_chat(terminal)
        terminal.send(PAGE_UP)
        terminal.signal(signal.SIGTSTP)
        status = Path(f"/proc/{terminal.process.pid}/stat")
        terminal.wait_until(lambda: ") T " in status.read_text(), "it stopped")
        terminal.screen.reset()
        terminal.signal(signal.SIGCONT)
        terminal.wait_for("Write a message")
        assert_whole(terminal)
        terminal.resize(80, 24)
        terminal.wait_gone("Chats (F2)")
        assert_whole(terminal)
        terminal.resize(120, 36)
        terminal.wait_for("Chats (F2)")
        assert_whole(terminal)
        leave(terminal)


@pytest.mark.parametrize("term", ["screen", "xterm-16color"])
def test_a_terminal_of_few_colours_gets_no_more_of_them(tmp_path: Path, term: str):
    with open_chat(tmp_path, term=term, colours="") as terminal:
        look_at_chat(terminal)
        assert bytes_of(terminal, lambda: terminal.send(PAGE_UP)) < 6000
        assert_whole(terminal)
        leave(terminal)
    assert not re.findall(rb"\x1b\[[0-9;]*[34]8;[25];", terminal.raw)


def test_the_switch_leaves_the_drawing_to_textual(tmp_path: Path):
    with open_chat(tmp_path, "off") as terminal:
        look_at_chat(terminal)
        before = len(terminal.raw)
        terminal.send(REDRAW)
        terminal.wait_until(lambda: len(terminal.raw) > before, "a whole frame")
        assert bytes_of(terminal, lambda: terminal.send(PAGE_UP)) > 3000
        leave(terminal)
