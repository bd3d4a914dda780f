"""A person's tmux in a real terminal: a shell, and the program started from it."""

import os
import shlex
import shutil
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from tests.e2e.programs import CTRL_Q, GREEDY, REPO
from tests.e2e.terminal import PATIENCE_S, Terminal, plain_environment

_SHELL = "person$"
_CONFIG = """\
set -g status off
set -g default-terminal {term}
set -g default-command "env PS1='{shell} ' ENV= sh"
"""
_FLAGS = ("alternate_on", "cursor_flag", "insert_flag", "keypad_cursor_flag",
          "keypad_flag", "mouse_any_flag", "mouse_sgr_flag", "origin_flag",
          "wrap_flag")  # fmt: skip

needs_tmux = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="tmux is not installed"
)


class Tmux(Terminal):
    """A terminal that shows one pane of a tmux of its own, without a status line.

    What the program in the pane sends, before tmux has read it, stands in `sent`.
    """

    def __init__(
        self,
        home: Path,
        *,
        columns: int = 120,
        rows: int = 36,
        term: str = "tmux-256color",
        **env: str,
    ) -> None:
        home.mkdir(exist_ok=True)
        config = home / "tmux.conf"
        config.write_text(_CONFIG.format(term=term, shell=_SHELL))
        self.home = home
        self._tmux = ["tmux", "-S", str(home / "tmux"), "-f", str(config)]
        self._sent = home / "sent"
        super().__init__(
            [*self._tmux, "new-session"],
            env=plain_environment(home, **GREEDY, **env),
            columns=columns,
            rows=rows,
            cwd=REPO,
        )
        self.wait_for(_SHELL)
        self.ask("pipe-pane", f"cat >> {shlex.quote(str(self._sent))}")
        self._before = self._state()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        subprocess.run(
            [*self._tmux, "kill-server"], stderr=subprocess.DEVNULL, check=False
        )

    def ask(self, *command: str) -> str:
        """Give tmux a command, and return what it says."""
        said = subprocess.run(
            [*self._tmux, *command], capture_output=True, text=True, check=True
        )
        return said.stdout.removesuffix("\n")

    @property
    def pid(self) -> int:
        """The shell: the server of tmux is no child of what shows it."""
        return int(self.ask(*_is("pane_pid")))

    @property
    def sent(self) -> bytes:
        """Every byte that came out of the pane since the shell began."""
        return self._sent.read_bytes() if self._sent.exists() else b""

    def start(self, *arguments: str) -> None:
        """Type the command that starts the program."""
        self.send(shlex.join([sys.executable, "-m", "qwen_tui", *arguments]) + "\r")
        self.wait_until(lambda: self.ask(*_is("alternate_on")) == "1", "the program")

    def leave(self) -> None:
        """Quit, and fail unless the shell gets its terminal back as it was."""
        self.send(CTRL_Q)
        deadline = time.monotonic() + PATIENCE_S
        while self._state() != self._before:
            assert time.monotonic() < deadline, f"{self._state()} {self._before}"
            self.pump(0.05)
        self.wait_for(_SHELL)

    def _state(self) -> tuple[str, list[Any]]:
        """Return the modes of the pane, and how its line takes keys."""
        flags = self.ask(*_is(*_FLAGS))
        line = os.open(self.ask(*_is("pane_tty")), os.O_RDONLY | os.O_NOCTTY)
        try:
            return flags, termios.tcgetattr(line)
        finally:
            os.close(line)


def _is(*names: str) -> tuple[str, ...]:
    shown = " ".join(f"#{{{name}}}" for name in names)
    return ("display-message", "-p", shown)
