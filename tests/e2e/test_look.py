"""Our themes in real terminals: 256 colours, 16, none; and the library of personas."""

import sys
from pathlib import Path

import pytest
from pyte.screens import Char

from tests.e2e.programs import leave, program
from tests.e2e.terminal import Terminal

_F10 = "\x1b[21~"
_TERMINALS = {
    "256": {"COLORTERM": ""},
    "16": {"COLORTERM": "", "TERM": "xterm-16color"},
    "none": {"NO_COLOR": "1"},
}


def cells(terminal: Terminal, text: str) -> list[Char]:
    """Return the cells of the first line with `text`, from where it begins."""
    display = terminal.screen.display
    row = next(n for n, line in enumerate(display) if text in line)
    start = display[row].index(text)
    line = terminal.screen.buffer[row]
    return [line[start + n] for n in range(len(text))]


def look(char: Char) -> tuple[object, ...]:
    """Return what sets a cell apart."""
    return (char.fg, char.bg, char.bold, char.reverse, char.italics)


@pytest.mark.e2e
@pytest.mark.parametrize("colours", _TERMINALS)
@pytest.mark.parametrize("theme", ["qwen-dark", "qwen-light"])
def test_what_matters_can_be_told_apart(
    tmp_path: Path, theme: str, colours: str
) -> None:
    env = {**_TERMINALS[colours], "QWEN_TUI_UI_THEME": theme}
    started = program(
        tmp_path, "--model", "demo", columns=120, rows=36, folder=None, **env
    )
    with started as terminal:
        terminal.wait_for("Ready")
        plain, muted = cells(terminal, "demo")[0], cells(terminal, "Enter send")[0]
        assert muted.fg != muted.bg
        assert plain.fg != plain.bg
        assert look(muted) != look(plain)
        terminal.send(_F10)
        terminal.wait_for("kv_cache_mib")
        terminal.wait_quiet(0.3)
        chosen, other = cells(terminal, "default")[0], cells(terminal, "dtype")[0]
        assert look(chosen) != look(other)
        assert chosen.bg != other.bg
        assert chosen.fg != chosen.bg
        terminal.send("\x1b[B" * 3 + "\r")
        terminal.wait_quiet(0.3)  # the line to write on is open
        terminal.send("x\r")  # threads: 0x
        terminal.wait_for("! config.toml: model.threads must be")
        wrong, hint = cells(terminal, "! config")[2], cells(terminal, "Enter change")[0]
        assert wrong.fg != wrong.bg
        if colours != "none":
            assert wrong.fg != hint.fg
        terminal.send("\x1b\x1b")
        terminal.wait_for("Write a message")
        leave(terminal)


@pytest.mark.e2e
def test_the_library_of_personas_is_written_in_the_persons_editor(
    tmp_path: Path,
) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import pathlib, sys\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "ours = file.read_text()\n"
        "file.write_text(ours + '\\n[cook]\\nsystem_prompt = \"You cook.\"\\n')\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    command = f"{sys.executable} {editor}"
    with program(home, "--model", "demo", EDITOR=command) as terminal:
        terminal.wait_for("Ready")
        terminal.send("/persona edit\r")
        terminal.wait_for("Personas: translator, reviewer, cook.")
        terminal.send("/persona cook\r")
        terminal.wait_for("cook answers from the next message on.")
        leave(terminal)
    library = home / "config" / "qwen-tui" / "personas.toml"
    assert library.stat().st_mode & 0o777 == 0o600
    assert "[cook]" in library.read_text()
