"""Tokens a second through the screen, against the same engine without it."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.bench.measure import Row, in_turn
from tests.bench.screen_tty import REPO, QuietTerminal
from tests.e2e.programs import last_message
from tests.e2e.terminal import plain_environment

_ROUNDS = 3
_PROMPT = "Count to 100."
_OPTIONS = {
    "QWEN_TUI_MODEL_DEFAULT": "demo",
    "QWEN_TUI_MODEL_THREADS": "1",
    "QWEN_TUI_SAMPLING_THINKING_TEMPERATURE": "0",
}


def rate_rows() -> Iterator[Row]:
    """The demo model in both: its tokens come much faster than any real model's."""
    pair = in_turn(_on_screen, _alone, rounds=_ROUNDS)
    detail = f"{pair.ours:.0f} and {pair.theirs:.0f} tokens/s, demo model"
    what = "tokens/s seen through the screen, over the engine alone"
    yield Row(what, pair.ratio, "x", 0.97, detail=detail)


def _on_screen() -> float:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        environment = plain_environment(home, **_OPTIONS)
        command = [sys.executable, "-m", "qwen_tui"]
        with QuietTerminal(command, env=environment, cwd=REPO) as terminal:
            terminal.wait_until(lambda: b"Ready" in terminal.raw, "a loaded model")
            terminal.send(f"{_PROMPT}\r")
            terminal.wait_until(lambda: b"first token after" in terminal.raw, "an end")
            time.sleep(1)  # it is saved
            usage = last_message(home).usage
            terminal.process.kill()
        return _rate(usage)


def _alone() -> float:
    with tempfile.TemporaryDirectory() as folder:
        found = subprocess.run(
            [sys.executable, "-m", "qwen_tui", "ask", "--json", "--no-save", _PROMPT],
            env=plain_environment(Path(folder), **_OPTIONS),
            cwd=REPO,
            check=True,
            capture_output=True,
            text=True,
        )
        return _rate(json.loads(found.stdout.splitlines()[-1])["usage"])


def _rate(usage: Mapping[str, Any]) -> float:
    return (usage["thinking_tokens"] + usage["answer_tokens"]) / usage["decode_s"]
