"""The real program in a real terminal, and what tests do with it again and again."""

import os
import re
import signal
import sys
import time
from pathlib import Path

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.store.conversations import Store
from tests.e2e.terminal import Terminal, descendants, is_alive, plain_environment
from tests.helpers import wait_until

CTRL_Q = "\x11"
DONE = "first token after"
"""In the line below every finished answer."""
_MODEL_NAMED = re.compile(r"qwen-tui  (?!no model)\S")
REPO = Path(__file__).parents[2]
GREEDY = {
    "QWEN_TUI_SAMPLING_THINKING_TEMPERATURE": "0",
    "QWEN_TUI_SAMPLING_ANSWER_TEMPERATURE": "0",
}


def program(
    home: Path,
    *arguments: str,
    columns: int = 120,
    rows: int = 36,
    folder: Path | None = None,
    **env: str,
) -> Terminal:
    """Start qwen-tui with every folder inside `home`, greedy, so that it repeats.

    It runs in `folder`, else in the repository.
    """
    return Terminal(
        [sys.executable, "-m", "qwen_tui", *arguments],
        env=plain_environment(home, **GREEDY, **env),
        columns=columns,
        rows=rows,
        cwd=folder or REPO,
    )


def leave(terminal: Terminal) -> None:
    """Quit as a person does, saying yes where an answer is still being saved."""
    terminal.send(CTRL_Q)
    terminal.wait_until(
        lambda: terminal.process.poll() is not None or "y yes" in terminal.text(),
        "the end, or a question",
    )
    if terminal.process.poll() is None:
        terminal.send("y")
    assert terminal.wait_exit() == 0
    terminal.assert_restored()


def wait_for_model(terminal: Terminal) -> None:
    """Wait until the header names a model."""
    terminal.wait_until(
        lambda: bool(_MODEL_NAMED.search(terminal.text().splitlines()[0])),
        "the model's name",
    )


def take_turn(terminal: Terminal, prompt: str) -> str:
    """Send a prompt, wait for the whole answer, return what stands below the prompt."""
    wait_for_model(terminal)
    terminal.wait_quiet(0.3)  # a saved conversation is drawn piece by piece
    before = terminal.text().count(DONE)
    terminal.send(f"{prompt}\r")
    terminal.wait_until(
        lambda: terminal.text().count(DONE) > before, f"an answer to {prompt!r}"
    )
    return terminal.text().rpartition(prompt)[2]


def freeze_in_an_answer(terminal: Terminal, home: Path) -> int:
    """Let the demo model count, stop its process in the middle of that, return its id.

    What it said so far is on the screen and, within about a second, on disk.
    """
    wait_for_model(terminal)
    before = terminal.text().count("6, 7")
    terminal.send("Count to 100.\r")
    terminal.wait_until(lambda: terminal.text().count("6, 7") > before, "counting")
    engine = engine_of(terminal)
    os.kill(engine, signal.SIGSTOP)
    terminal.wait_until(lambda: "6, 7" in last_message(home).content, "a checkpoint")
    return engine


def engine_of(terminal: Terminal) -> int:
    """Return the id of the engine's process."""
    for pid in descendants(terminal.pid):
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if b"qwen_tui.engine" in command:
            return pid
    raise AssertionError("no engine runs")


def assert_gone_within(pid: int, seconds: float) -> None:
    """Fail when a process is still there after `seconds`."""
    begun = time.monotonic()
    wait_until(lambda: not is_alive(pid))
    assert time.monotonic() - begun <= seconds


def last_message(home: Path) -> ChatMessage:
    """Return the newest message of the newest conversation."""
    store = Store(home / "data" / "qwen-tui" / "conversations.db")
    try:
        conversation = store.latest()
        assert conversation is not None
        return conversation.branch()[-1]
    finally:
        store.close()
