"""A day of use in tmux: three chats, branches, search, copies, a file, the next day."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.programs import take_turn
from tests.e2e.test_branches import edit_first, go_to_the_messages
from tests.e2e.tmux import Tmux, needs_tmux

pytestmark = [pytest.mark.e2e, pytest.mark.torch, needs_tmux]

CTRL_F, CTRL_N = "\x06", "\x0e"
FRANCE, ITALY = "What is the capital of France?", "What is the capital of Italy?"
CHINESE = "法国的首都是哪里？"
PYTHON = "Write Python code for a function that sums a list."


def new_chat(terminal: Tmux) -> None:
    terminal.send(CTRL_N)
    terminal.wait_for("Write a message below")


def talk(terminal: Tmux) -> None:
    """Have three conversations, the last one with two branches."""
    take_turn(terminal, "My name is Ada.")
    assert "Ada" in take_turn(terminal, "What is my name?")
    new_chat(terminal)
    assert "巴黎" in take_turn(terminal, CHINESE)
    new_chat(terminal)
    assert "Paris" in take_turn(terminal, FRANCE)
    take_turn(terminal, PYTHON)
    edit_first(terminal, FRANCE, ITALY)
    terminal.wait_for("Rome")


def switch_branches(terminal: Tmux) -> None:
    go_to_the_messages(terminal)
    terminal.send("k[")
    terminal.wait_for("1/2")
    terminal.wait_for("Paris")
    terminal.wait_gone("Rome")
    terminal.send("\x1b")
    terminal.wait_gone("│ | ")


def search(terminal: Tmux) -> None:
    """Find what was said in another chat, and go there."""
    terminal.send(CTRL_F + "巴黎")
    terminal.wait_for("巴黎。")
    terminal.send("\r")
    terminal.wait_gone("Search:")
    terminal.wait_for("│ | demo")  # the answer that was found is selected
    terminal.wait_for("法国的首都是巴黎。")
    terminal.wait_gone("Paris")


def copy(terminal: Tmux) -> None:
    """Copy the selected answer: into tmux and out of it."""
    terminal.send("/copy\r")
    terminal.wait_for("Sent to your terminal")
    terminal.wait_until(
        lambda: terminal.ask("list-buffers") != "", "something in tmux's buffer"
    )
    assert terminal.ask("show-buffer") == "法国的首都是巴黎。"
    data = re.escape(base64.b64encode("法国的首都是巴黎。".encode()))
    outside = re.compile(rb"\x1b\]52;c?;" + data)
    terminal.wait_until(lambda: outside.search(terminal.raw) is not None, "OSC 52")


def export(terminal: Tmux) -> tuple[str, dict[str, Any]]:
    """Write two files, the second with the branches; return what they hold."""
    folder = terminal.home / "written"
    folder.mkdir()
    terminal.send(f"/export {folder}/day.md\r")
    terminal.wait_for("Exported to")
    terminal.send("\x1b[Z")  # Shift+Tab
    terminal.wait_for("r rename")
    terminal.send("\x1b[A\r")  # the chat above it in the list
    terminal.wait_for("Paris")
    terminal.send(f"/export json {folder}/day.json\r")
    terminal.wait_until((folder / "day.json").exists, "a file")
    terminal.wait_for("Exported to")
    markdown = (folder / "day.md").read_text(encoding="utf-8")
    return markdown, json.loads((folder / "day.json").read_text(encoding="utf-8"))


def test_a_day_of_use_is_there_the_next_morning(tmp_path: Path) -> None:
    with Tmux(tmp_path / "home") as terminal:
        terminal.start("--model", "demo")
        talk(terminal)
        switch_branches(terminal)
        search(terminal)
        copy(terminal)
        markdown, exported = export(terminal)
        terminal.leave()
        terminal.start("--continue", "--lang", "zh")
        terminal.wait_for("就绪")
        for text in (FRANCE, "Paris", PYTHON, "return result"):
            terminal.wait_for(text)
        terminal.leave()
    assert markdown.startswith(f"# {CHINESE}\n")
    assert markdown.rstrip().endswith("法国的首都是巴黎。")
    (chat,) = exported["conversations"]
    prompts = [m["content"] for m in chat["messages"] if m["role"] == "user"]
    assert prompts == [FRANCE, PYTHON, ITALY]
