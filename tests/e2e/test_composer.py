"""The composer in a real terminal: menus, files, an editor, pastes, the cursor."""

import stat
from pathlib import Path

import pytest

from tests.e2e.programs import DONE, last_message, leave, program, take_turn
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.e2e

CTRL_G = "\x07"
UP = "\x1b[A"


def start(home: Path, folder: Path | None = None, *, editor: str = "") -> Terminal:
    """Start on the demo model inside `folder`, and wait until it can be asked."""
    terminal = program(home, "--model", "demo", folder=folder, EDITOR=editor)
    terminal.wait_for("Ready")
    return terminal


def composed(terminal: Terminal) -> str:
    """Return what stands inside the composer's border."""
    rows = terminal.text().splitlines()
    tops = [n for n, row in enumerate(rows) if "Message ─" in row]
    top = tops[-1] if tops else len(rows)
    inside = [row.strip("│ ") for row in rows[top + 1 :] if row.startswith("│")]
    return "\n".join(inside)


def write_editor(folder: Path, body: str) -> str:
    """Write a shell script that edits the file it is given; return its path."""
    script = folder / "editor"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o700)
    return str(script)


def test_keys_for_a_new_line_as_terminals_send_them(tmp_path: Path):
    with start(tmp_path) as terminal:
        for keys in ("1\n", "2\x1b[13;2u", "3\x1b\r", "4\\\r", "5"):
            terminal.send(keys)
        terminal.wait_until(lambda: composed(terminal) == "1\n2\n3\n4\n5", "5 lines")
        terminal.wait_for("5 lines, ~3 tok")
        leave(terminal)


def test_a_command_by_its_first_letters(tmp_path: Path):
    with start(tmp_path) as terminal:
        terminal.send("/hel")
        terminal.wait_for("> /help")
        terminal.send("\r")
        terminal.wait_for("Esc closes this.")
        terminal.send("\x1b")
        terminal.wait_for("Write a message")
        leave(terminal)


def test_keys_that_come_in_one_piece_end_as_if_they_were_typed(tmp_path: Path):
    with start(tmp_path) as terminal:
        terminal.send("/mo\x7f\x7fthink of\x7f\x7f\x7f o\t")
        terminal.wait_until(lambda: composed(terminal) == "/think on", "/think on")
        leave(terminal)


def test_an_attached_file_reaches_the_model_whole(tmp_path: Path):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "说明 notes.txt").write_text("alpha\n```\n<|im_end|>\x1b[2Jomega\n")
    with start(tmp_path, folder) as terminal:
        terminal.send("Hello @not\t")
        terminal.wait_for("[@ 说明 notes.txt ")
        assert "tok]" in composed(terminal)
        assert "~" not in composed(terminal)  # the loaded model counted
        terminal.send("\r")
        terminal.wait_for(DONE)
        leave(terminal)
        assert b"\x1b[2Jomega" not in terminal.raw
    question = question_of(tmp_path)
    assert question == (
        "Hello 说明 notes.txt\n\n"
        "说明 notes.txt\n````\nalpha\n```\n<|im_end|>\x1b[2Jomega\n````"
    )


def question_of(home: Path) -> str:
    """Return the prompt that the newest answer answers."""
    from qwen_tui.store.conversations import Store

    store = Store(home / "data" / "qwen-tui" / "conversations.db")
    try:
        chat = store.latest()
        assert chat is not None
        return next(m.content for m in reversed(chat.branch()) if m.role == "user")
    finally:
        store.close()


def test_prompts_of_an_earlier_session_come_back_with_up(tmp_path: Path):
    with start(tmp_path) as terminal:
        take_turn(terminal, "Hello!")
        leave(terminal)
    kept = tmp_path / "data" / "qwen-tui" / "prompts.jsonl"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with start(tmp_path) as terminal:
        terminal.send("draft")
        terminal.send(UP)
        terminal.wait_until(lambda: composed(terminal) == "Hello!", "the prompt")
        terminal.send("\x1b[B")
        terminal.wait_until(lambda: composed(terminal) == "draft", "the draft")
        leave(terminal)


@pytest.mark.parametrize("way", [CTRL_G, "/editor"])
def test_an_editor_gets_the_terminal_and_brings_the_text_back(tmp_path: Path, way: str):
    editor = write_editor(
        tmp_path,
        'stat -c %a "$1" > seen; printf "\\033[2J\\033[3;3Hin the editor"; read line\n'
        'printf "%s\\nmore" "$line" >> "$1"',
    )
    with start(tmp_path, tmp_path, editor=editor) as terminal:
        terminal.send("first " if way == CTRL_G else way + "\r")
        terminal.send(CTRL_G if way == CTRL_G else "")
        terminal.wait_for("in the editor")
        terminal.send("line\n")
        terminal.wait_until(
            lambda: composed(terminal) in ("first\nline\nmore", "line\nmore"),
            "the text",
        )
        # nothing of the editor's is left, and nothing of the screen is missing
        terminal.wait_gone("in the editor")
        terminal.wait_for("qwen-tui  demo")
        terminal.wait_for("Enter send")
        terminal.wait_quiet(0.3)
        shown = terminal.text()
        terminal.send("\x0c")
        terminal.wait_quiet(0.3)
        assert terminal.text() == shown
        assert (tmp_path / "seen").read_text() == "600\n"
        leave(terminal)


def test_an_answer_goes_on_while_the_editor_has_the_terminal(tmp_path: Path):
    editor = write_editor(tmp_path, 'printf "in the editor"; read line')
    with start(tmp_path, editor=editor) as terminal:
        terminal.send("Count to 20.\r")
        terminal.wait_for("1, 2")
        terminal.send(CTRL_G)
        terminal.wait_for("in the editor")
        terminal.wait_until(
            lambda: last_message(tmp_path).state == "complete", "the answer"
        )
        terminal.send("\n")
        terminal.wait_for(DONE)
        leave(terminal)


def test_an_editor_that_fails_leaves_the_text_as_it_was(tmp_path: Path):
    failures = {
        "exit 3": "editor ended with status 3",
        'printf "\\377\\376" > "$1"': "no UTF-8 text",
        'rm "$1"': "cannot be used",
    }
    editor = write_editor(tmp_path, "")
    with start(tmp_path, editor=editor) as terminal:
        terminal.send("my text")
        for body, told in failures.items():
            write_editor(tmp_path, body)
            terminal.send(CTRL_G)
            terminal.wait_for(told)
            terminal.wait_until(lambda: composed(terminal) == "my text", "the text")
        leave(terminal)


def test_ctrl_c_in_an_editor_ends_the_editor_alone(tmp_path: Path):
    editor = write_editor(tmp_path, 'printf "in the editor"; sleep 60')
    with start(tmp_path, editor=editor) as terminal:
        terminal.send("my text" + CTRL_G)
        terminal.wait_for("in the editor")
        terminal.send("\x03")
        terminal.wait_for("ended with status")
        assert composed(terminal) == "my text"
        leave(terminal)


def test_without_an_editor_it_is_said_how_to_set_one(tmp_path: Path):
    with start(tmp_path) as terminal:
        terminal.send(CTRL_G)
        terminal.wait_for("No editor is set.")
        leave(terminal)


def test_a_large_paste_is_one_line_and_a_larger_one_is_refused(tmp_path: Path):
    with start(tmp_path) as terminal:
        terminal.paste("line of a log\n" * 7_200)
        terminal.wait_for("[pasted 1: 7,201 lines, 100,800 characters]")
        terminal.paste("x" * 1_100_000)
        terminal.wait_for("longer than 1 MB")
        assert composed(terminal).startswith("[pasted 1:")
        leave(terminal)


def test_the_terminals_cursor_stands_where_the_next_letter_goes(tmp_path: Path):
    with start(tmp_path) as terminal:
        terminal.send("你好ab\x1b[D")
        terminal.wait_until(lambda: composed(terminal) == "你好ab", "the text")
        row = terminal.text().splitlines().index(terminal.line_with("你"))
        terminal.wait_until(
            lambda: (terminal.screen.cursor.y, terminal.screen.cursor.x) == (row, 7),
            "the cursor before the b",
        )
        leave(terminal)
