"""A person edits a message, goes between the branches, and forks; it is all kept."""

from pathlib import Path

import pytest

from qwen_tui.store.conversations import Store
from tests.e2e.programs import DONE, leave, program, take_turn
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.torch]

TAB = "\t"


def saved_branches(home: Path) -> dict[str, list[str]]:
    """Return the prompts of the shown branch of each conversation, by title."""
    store = Store(home / "data" / "qwen-tui" / "conversations.db")
    try:
        chats = [store.load(summary.id) for summary in store.summaries()]
    finally:
        store.close()
    return {
        chat.title: [m.content for m in chat.branch() if m.role == "user"]
        for chat in chats
    }


def go_to_the_messages(terminal: Terminal) -> None:
    """Press Tab, and wait for the bar beside the newest message."""
    terminal.send(TAB)
    terminal.wait_for("│ | ")


def edit_first(terminal: Terminal, prompt: str, new: str) -> None:
    """Go up to the first prompt, change it, and wait for the answer."""
    go_to_the_messages(terminal)
    terminal.send("kkk")
    terminal.wait_for(f"| {prompt}")
    terminal.send("e")
    terminal.wait_for("Editing: Enter new branch")
    terminal.send("\x7f" * len(prompt))
    terminal.wait_for("Write a message")
    terminal.send(new)
    terminal.wait_for(new)
    terminal.send("\r")
    terminal.wait_for("2/2")
    terminal.wait_until(lambda: terminal.text().count(DONE) == 2, "the answer")


def test_an_edit_a_switch_and_a_fork_are_there_after_a_restart(tmp_path: Path):
    first, second = "What is the capital of France?", "What is the capital of Italy?"
    with program(tmp_path, "--model", "demo") as terminal:
        assert "Paris" in take_turn(terminal, first)
        take_turn(terminal, "What is 2 plus 3?")
        edit_first(terminal, first, second)
        terminal.wait_for("Rome")
        terminal.wait_gone("Paris")
        go_to_the_messages(terminal)
        terminal.send("k[")
        terminal.wait_for("1/2")
        terminal.wait_for("Paris")
        terminal.send("j")
        terminal.wait_until(lambda: "│ | demo" in terminal.text(), "the answer")
        terminal.send("f")
        terminal.wait_gone("2 plus 3")
        terminal.wait_until(
            lambda: terminal.text().count("What is the cap~") == 2, "a second title"
        )
        leave(terminal)
    assert saved_branches(tmp_path) == {
        first: [first, "What is 2 plus 3?"],
        f"{first} (2)": [first],
    }
    with program(tmp_path, "--resume", first) as terminal:
        terminal.wait_for("1/2")
        terminal.send("/branch next\r")
        terminal.wait_for("Rome")
        leave(terminal)
    assert saved_branches(tmp_path)[first] == [second]
