"""Copying and the bare view, as a real terminal and a real tmux get them."""

import base64
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qwen_tui.ui.clipboard import osc_52
from tests.e2e.programs import leave, program
from tests.e2e.terminal import Terminal, plain_environment
from tests.ui.test_sidebar import save_chat

pytestmark = pytest.mark.e2e

ANSWER = "First 显存 $x^2$.\n\n```python\nprint(1)\n```\n"
F9 = "\x1b[20~"
_MOUSE = re.compile(rb"\x1b\[\?1000([hl])")
_REPO = Path(__file__).parents[2]
_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


def look_at_chat(terminal: Terminal) -> None:
    terminal.wait_for("Try the small demo model")
    terminal.send("\x1b")
    terminal.wait_for("print(1)")
    terminal.wait_for("No model is chosen")


def answered_chat(home: Path) -> str:
    return save_chat(home / "data" / "qwen-tui", "Ways", "How?", ANSWER)


def test_the_terminal_is_sent_the_answer_as_it_was_written(tmp_path: Path):
    with program(tmp_path, "--resume", answered_chat(tmp_path)) as terminal:
        look_at_chat(terminal)
        terminal.send("/copy\r")
        sent = osc_52(ANSWER).encode()
        terminal.wait_until(lambda: sent in terminal.raw, "the answer")
        terminal.wait_for("Sent to your terminal")
        terminal.send("/copy 1\r")
        sent = osc_52("print(1)\n").encode()
        terminal.wait_until(lambda: sent in terminal.raw, "the code")
        leave(terminal)


@_tmux
def test_in_tmux_the_terminal_outside_is_sent_it_too(
    tmp_path: Path, request: pytest.FixtureRequest
):
    chat = answered_chat(tmp_path)
    run = [sys.executable, "-m", "qwen_tui", "--resume", chat]
    tmux = ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null"]
    request.addfinalizer(lambda: subprocess.run([*tmux, "kill-server"], check=False))
    env = plain_environment(tmp_path)
    with Terminal([*tmux, "new-session", *run], env=env, cwd=_REPO) as terminal:
        look_at_chat(terminal)
        terminal.send("/copy\r")
        data = re.escape(base64.b64encode(ANSWER.encode()))
        terminal.wait_until(
            lambda: (
                re.search(rb"\x1b\]52;c?;" + data + rb"(\a|\x1b\\)", terminal.raw)
                is not None
            ),
            "the answer, out of tmux",
        )
        terminal.send("\x11")
        assert terminal.wait_exit() == 0


def test_the_mouse_goes_to_the_terminal_and_comes_back(tmp_path: Path):
    with program(tmp_path, "--resume", answered_chat(tmp_path)) as terminal:
        look_at_chat(terminal)
        assert terminal.line_with("Chats")
        terminal.send(F9)
        terminal.wait_for("F9: back")
        terminal.wait_gone("Chats")
        assert terminal.line_with("print(1)") == " print(1)"
        assert not re.search(r"[│╭╮─]", terminal.text())
        assert _MOUSE.findall(terminal.raw)[-1] == b"l"
        terminal.send(F9)
        terminal.wait_for("Chats")
        terminal.wait_gone("F9: back")
        assert _MOUSE.findall(terminal.raw)[-1] == b"h"
        leave(terminal)
