"""The composer in a real pseudo-terminal: a large paste, keys in a long draft.

python -m tests.bench.composer
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.measure import Row, percentile, show, show_machine
from tests.bench.screen_tty import REPO, Child, QuietTerminal
from tests.e2e.terminal import plain_environment

_PASTED = "一行 of a log that somebody pasted\n" * 2_500  # 100 KB
_DRAFTS = {
    "20 KB": ("some words of a draft that is as long as this line\n" * 400, 8.0),
    "20,000 Chinese characters in one line": ("\u4e00\u53e5\u957f\u8bdd" * 5_000, 20.0),
    "5,000 English words in one line": ("words of it " * 1_667, 20.0),
}
"""What is being written, and what a key may cost in it, in ms."""
_KEYS = "abcdefghijklmnopqrstuvwxyz"
_PAUSE_S = 0.1
_MS = 1000


def main() -> None:
    """Print a row for each number."""
    show_machine()
    print(f"# load {os.getloadavg()[0]:.1f}", flush=True)
    for row in rows():
        show(row)


def rows() -> Iterator[Row]:
    """How late the event loop is after a paste, and what a key costs."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.jsonl"
        out.touch()
        command = [sys.executable, "-m", "tests.bench.composer", str(out)]
        environment = plain_environment(Path(folder))
        with QuietTerminal(command, env=environment, cwd=REPO) as terminal:
            bench = Child(terminal, out)
            bench.until("ready")
            terminal.paste(_PASTED)
            pasted = bench.until("pasted")
            yield _lag_row("event loop lag, 100 KB pasted", pasted)
            for name, (_draft, goal) in _DRAFTS.items():
                drafted = bench.until(f"drafted {name}")
                _type(terminal)
                typed = bench.until(f"typed {name}")
                cost = typed["cpu_s"] / len(_KEYS) * _MS
                what = f"a key in a draft of {name}"
                yield Row(what, cost, "ms", goal, False, _worst(typed))
                yield _lag_row("event loop lag when it was brought", drafted)
            terminal.process.kill()


def _lag_row(what: str, told: dict[str, Any]) -> Row:
    busy = max(told["busy"]) * _MS
    detail = f"without waiting for a processor {busy:.1f}"
    return Row(what, max(told["lags"]) * _MS, "ms", 50, False, detail)


def _worst(told: dict[str, Any]) -> str:
    lags = told["lags"]
    p99, busy = percentile(lags, 0.99) * _MS, max(told["busy"]) * _MS
    return f"lag p99 {p99:.1f} ms, worst {max(lags) * _MS:.1f} of which busy {busy:.1f}"


def _type(terminal: QuietTerminal) -> None:
    for key in _KEYS:
        terminal.send(key)
        until = time.monotonic() + _PAUSE_S
        while time.monotonic() < until:
            terminal.pump(0.005)


def run_child(out: str) -> None:
    """Be the program that is measured."""
    from qwen_tui.ui.launch import choose_driver, prepare_environment

    prepare_environment(os.environ)
    from tests.bench.screen_child import Report
    from tests.bench.screen_ours import BenchApp
    from tests.helpers import until

    class ComposerBench(BenchApp):
        CSS_PATH = BenchApp.CSS_PATH

        async def _measure(self) -> None:
            composer = self.chat.composer
            await until(lambda: self.desk.backend is not None)
            await asyncio.sleep(1)
            await self._note("ready")
            await until(lambda: "[pasted" in composer.text)
            await asyncio.sleep(0.5)
            await self._note("pasted")
            for name, (draft, _goal) in _DRAFTS.items():
                composer.drop_text()
                composer.write(draft)
                await asyncio.sleep(1)
                await self._note(f"drafted {name}")
                start = time.thread_time()
                await until(lambda: composer.text.endswith(_KEYS))
                await asyncio.sleep(0.2)
                await self._note(f"typed {name}", cpu_s=time.thread_time() - start)

        async def _note(self, what: str, **more: Any) -> None:
            report.tell(what, lags=report.lags, busy=report.busy, **more)
            report.lags.clear()
            report.busy.clear()

    report = Report({"out": out, "who": "ours"})
    with tempfile.TemporaryDirectory() as folder:
        app = ComposerBench(report, Path(folder))
        app.driver_class = choose_driver() or app.driver_class
        app.run()


if __name__ == "__main__":
    run_child(sys.argv[1]) if len(sys.argv) > 1 else main()
