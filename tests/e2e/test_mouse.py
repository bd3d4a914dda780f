"""The mouse on the messages, as a terminal tells of it."""

from pathlib import Path

import pytest

from tests.e2e.programs import leave, program, take_turn
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.e2e

SELECTED = "Selected. Tab,"


def place(terminal: Terminal, text: str) -> tuple[int, int]:
    """Return column and row of a text, counted from 1 as terminals do."""
    rows = terminal.text().splitlines()
    row = next(n for n, line in enumerate(rows) if text in line)
    return rows[row].index(text) + 1, row + 1


def drag(terminal: Terminal, text: str, cells: int = 0) -> None:
    """Press on a text, move so many cells to the right, let go."""
    x, y = place(terminal, text)
    terminal.send(f"\x1b[<0;{x};{y}M")
    if cells:
        terminal.send(f"\x1b[<32;{x + cells};{y}M")
    terminal.send(f"\x1b[<0;{x + cells};{y}m")


def test_a_click_selects_a_message_and_a_drag_selects_text(tmp_path: Path):
    answer = "How can I help you?"  # as the demo greets
    with program(tmp_path, "--model", "demo") as terminal:
        assert answer in take_turn(terminal, "Hello!")
        terminal.wait_quiet(0.5)
        drag(terminal, answer, cells=6)
        terminal.wait_quiet(0.5)
        assert SELECTED not in terminal.text()
        terminal.send("\x03")
        terminal.wait_for("Sent to your terminal")
        drag(terminal, answer)
        terminal.wait_for(SELECTED)
        terminal.wait_for(f"| Hello! {answer}")
        terminal.send("\t")
        terminal.send("y")
        terminal.wait_for("Sent to your terminal")
        leave(terminal)
