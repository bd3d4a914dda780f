"""How soon something is to be seen, and what a very long chat costs."""

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measure import Row, in_turn
from tests.bench.screen_tty import REPO, QuietTerminal, child
from tests.e2e.terminal import plain_environment

_SHORT, _LONG = 20, 5_000
_ROUNDS = 5
_MS = 1000
_KIB = 1024
_BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    def compose(self):
        yield Static("Write a message")
Bare().run()
"""


def open_rows() -> Iterator[Row]:
    """Opening a chat of 5,000 messages, and the memory of the process then."""
    with child({"who": "ours", "sizes": [_SHORT, _LONG]}) as bench:
        memory = bench.until("memory")
        opened = [e["seconds"] for e in bench.events if e["what"] == "opened"]
        bench.end()
    short, long = (_MS * statistics.median(some) for some in zip(*opened, strict=True))
    detail = f"{long:.0f} ms and {short:.0f} ms"
    what = f"first paint of {_LONG:,} messages over {_SHORT}"
    yield Row(what, long / short, "x", 2, at_least=False, detail=detail)
    yield Row("memory of the UI then", memory["rss"], "MiB", 90, at_least=False)


def start_rows() -> Iterator[Row]:
    """From the start of the process to its first frame, against a bare app."""
    pair = in_turn(
        lambda: _first_frame([sys.executable, "-m", "qwen_tui"]),
        lambda: _first_frame([sys.executable, "-c", _BARE]),
        rounds=_ROUNDS,
    )
    detail = f"{pair.ours * _MS:.0f} ms and {pair.theirs * _MS:.0f} ms"
    what = "first frame over a bare Textual app's"
    yield Row(what, pair.ratio, "x", 2, at_least=False, detail=detail)
    memory, is_there = _memory_at_first()
    detail = "torch is loaded" if is_there else "no torch is loaded"
    yield Row("memory at the first frame", memory, "MiB", 60, False, detail)


def _memory_at_first() -> tuple[float, bool]:
    """Return the memory in MiB, and whether torch is in it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "qwen_tui"]
        environment = plain_environment(Path(folder))
        with QuietTerminal(command, env=environment, cwd=REPO) as terminal:
            terminal.wait_until(lambda: b"Write a message" in terminal.raw)
            process = Path(f"/proc/{terminal.process.pid}")
            status = (process / "status").read_text()
            is_there = "torch" in (process / "maps").read_text()
            terminal.process.kill()
        return int(status.partition("VmRSS:")[2].split()[0]) / _KIB, is_there


def _first_frame(command: list[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        environment = plain_environment(Path(folder))
        start = time.monotonic()
        with QuietTerminal(command, env=environment, cwd=REPO) as terminal:
            while b"Write a message" not in terminal.raw:
                terminal.pump(0.01)
            seconds = time.monotonic() - start
            terminal.process.kill()
        return seconds
