"""The bench's end of the pseudo-terminal."""

import json
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.terminal import Terminal, plain_environment

REPO = Path(__file__).parents[2]


class QuietTerminal(Terminal):
    """Keeps the bytes and draws nothing: the emulator would compete for the CPU."""

    def _feed(self, data: bytes) -> None:
        pass


class Child:
    """One run of `screen_child`, and what it told."""

    def __init__(self, terminal: Terminal, out: Path) -> None:
        self.terminal = terminal
        self._out = out
        self._read = 0
        self.events: list[dict[str, Any]] = []

    def until(self, what: str) -> dict[str, Any]:
        """Read the terminal until the child tells of something; return what it told."""
        while True:
            found = [event for event in self._new() if event["what"] == what]
            if found:
                return found[0]
            ended = self.terminal.process.poll() is not None
            if not self.terminal.pump(0.02) and ended:
                raise RuntimeError(f"it ended without {what}: {self._tail()}")

    def end(self) -> None:
        """Wait until it has left."""
        self.terminal.wait_exit()

    def _new(self) -> list[dict[str, Any]]:
        whole, _end, _begun = self._out.read_text().rpartition("\n")
        lines = whole.splitlines()[self._read :]
        self._read += len(lines)
        found = [json.loads(line) for line in lines]
        self.events += found
        return found

    def _tail(self) -> str:
        return bytes(self.terminal.raw[-2000:]).decode(errors="replace")


@contextmanager
def child(spec: Mapping[str, Any], *, emulated: bool = False) -> Generator[Child]:
    """Run the child in a terminal of its own, 120x36."""
    kind = Terminal if emulated else QuietTerminal
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.jsonl"
        out.touch()
        told = json.dumps({**spec, "out": str(out)})
        command = [sys.executable, "-m", "tests.bench.screen_child", told]
        environment = plain_environment(Path(folder))
        with kind(command, env=environment, cwd=REPO) as terminal:
            yield Child(terminal, out)
