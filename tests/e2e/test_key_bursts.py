"""Keys that arrive in one piece, as over a slow line, in a real terminal."""

from pathlib import Path

import pytest

from tests.e2e.programs import leave, program

pytestmark = pytest.mark.e2e

SHIFT_TAB, F2, F6 = "\x1b[Z", "\x1bOQ", "\x1b[17~"
DOWN, ESC, CTRL_F = "\x1b[B", "\x1b", "\x06"


@pytest.mark.parametrize(
    ("columns", "rows", "to_the_list"), [(120, 36, SHIFT_TAB), (40, 12, F2)]
)
def test_letters_reach_what_the_key_before_them_opens(
    tmp_path: Path, columns: int, rows: int, to_the_list: str
):
    with program(tmp_path, "--model", "demo", columns=columns, rows=rows) as terminal:
        terminal.wait_for("Ready")
        terminal.send(f"{to_the_list}/xyz")
        terminal.wait_for(" xyz")
        terminal.send(ESC)
        terminal.wait_gone("xyz")
        terminal.send(ESC)
        terminal.wait_for("Write a message")
        terminal.send(f"{CTRL_F}hello")
        terminal.wait_for("0 found")
        assert "hello" in terminal.text()
        terminal.send(ESC)
        terminal.wait_gone("Search:")
        terminal.send(F6)
        terminal.wait_for("thinking budget")
        terminal.send(f"{DOWN * 3}\r4321\r")
        terminal.wait_for("4,321" if "4,321" in terminal.text() else "4321")
        terminal.wait_gone("no limit")
        terminal.send(ESC)
        terminal.wait_gone("thinking budget")
        leave(terminal)
