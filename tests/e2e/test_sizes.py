"""In tmux: windows that change while an answer is written, and the smallest of them."""

import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.programs import freeze_in_an_answer, last_message, take_turn
from tests.e2e.test_thin_line import cells
from tests.e2e.tmux import Tmux, needs_tmux

pytestmark = [pytest.mark.e2e, pytest.mark.torch, needs_tmux]

WIDE, NORMAL, COMPACT = (120, 36), (80, 24), (40, 12)
FRANCE = "What is the capital of France?"


def resize(terminal: Tmux, size: tuple[int, int]) -> None:
    """Give the window another size, and wait until the program has drawn it all."""
    terminal.resize(*size)
    told = " ".join(map(str, size))
    terminal.wait_until(
        lambda: (
            terminal.ask("display-message", "-p", "#{pane_width} #{pane_height}")
            == told
        )
    )
    terminal.wait_quiet(0.4)


def counted(terminal: Tmux) -> int:
    """Return how far the model has counted on the screen."""
    return max(map(int, re.findall(r"(\d+),", terminal.text())), default=0)


def looks(terminal: Tmux, sizes: Sequence[tuple[int, int]]) -> list[list[list[object]]]:
    """Return all cells of the window at each of these sizes."""
    found: list[list[list[object]]] = []
    for size in sizes:
        resize(terminal, size)
        found.append(cells(terminal))
    return found


def test_an_answer_that_was_resized_looks_like_one_that_never_was(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    with Tmux(home) as terminal:
        terminal.start("--model", "demo")
        take_turn(terminal, FRANCE)
        engine = freeze_in_an_answer(terminal, home)
        for size in (COMPACT, NORMAL, WIDE, COMPACT, NORMAL, WIDE):
            before = counted(terminal)
            os.kill(engine, signal.SIGCONT)
            terminal.resize(*size)
            terminal.wait_until(lambda n=before: counted(terminal) > n, "more numbers")
            os.kill(engine, signal.SIGSTOP)
        assert last_message(home).state == "streaming"
        os.kill(engine, signal.SIGCONT)
        terminal.wait_until(lambda: last_message(home).state == "complete", "its end")
        terminal.wait_for("Enter send")
        terminal.send("/copy\r")  # lets the status say the same
        resized = looks(terminal, (WIDE, NORMAL, COMPACT))
        terminal.leave()
        resize(terminal, WIDE)
        terminal.start("--continue")
        terminal.wait_for("Ready")
        terminal.send("/copy\r")
        fresh = looks(terminal, (WIDE, NORMAL, COMPACT))
        terminal.leave()
    assert resized == fresh


def test_a_person_gets_along_in_the_smallest_window(tmp_path: Path) -> None:
    with Tmux(tmp_path / "home", columns=40, rows=12) as terminal:
        terminal.start("--model", "demo")
        terminal.send(f"{FRANCE}\r")  # while the model is loaded
        terminal.wait_for("The capital of France is Paris.\n")
        terminal.wait_for("\nWrite a message\n Enter send  ^J new line  F1 help")
        whole = re.compile(r"\n [\d.]+ tok/s  \d+ tokens\n")  # no part that is cut
        terminal.wait_until(lambda: whole.search(terminal.text()) is not None, "them")
        terminal.send("\x1bOQ")  # F2
        terminal.wait_for("> What is the cap~ now")
        terminal.send("\x1b")
        terminal.wait_gone("Chats (F2)")
        terminal.send("\x06Paris")  # Ctrl+F
        terminal.wait_for(" Search: Paris\n What is the capital o...  Model  now\n")
        terminal.wait_for("1 found\n Enter open  Up Down choose  Esc back")
        terminal.send("\r")
        terminal.wait_for("\nThe capital of France is Paris.\n")
        read_help(terminal)
        change_temperature(terminal)
        terminal.send("What is 2 plus 3?\r")
        terminal.wait_for("2 + 3 = 5.")
        terminal.wait_for("Enter send")
        terminal.leave()


def read_help(terminal: Tmux) -> None:
    """Read all of it, and find every line in one piece."""
    terminal.send("\x1bOP")  # F1
    terminal.wait_for(" Keys  Esc closes this.\n")
    read: list[str] = []
    while "quit" not in (shown := terminal.text().splitlines())[-1]:
        read += [line for line in shown if line not in read]
        terminal.send("\x1b[B")
        terminal.wait_until(lambda old=shown: terminal.text().splitlines() != old)
    told = " ".join(" ".join(read).split())
    assert "Ctrl+F search all chats; Enter goes to the message Ctrl+T" in told
    terminal.send("\x1b")
    terminal.wait_for("Enter send")


def change_temperature(terminal: Tmux) -> None:
    """Set one of the options of the conversation."""
    terminal.send("\x1b[17~")  # F6
    terminal.wait_for("personas.toml beside config.toml\n")
    terminal.send("\x1b[B" * 4)
    terminal.wait_for("temperature")
    terminal.send("\r")
    terminal.wait_for("\n temperature\n 0.0\n")
    terminal.send("\x7f" * 3 + "0.1\r")
    terminal.wait_for("* temperature         0.1")
    terminal.send("\x1b")
    terminal.wait_for("Enter send")
