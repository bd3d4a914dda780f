"""What runs inside the bench's terminal: python -m tests.bench.screen_child SPEC.

SPEC is a JSON object; what happened is written to its "out" file, a JSON object a
line: how late the event loop was, what a flush cost, when a frame was drawn.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.screen_text import KINDS
from tests.helpers import until

PROBE_S = 0.005
RATE = 50
_SETTLE_S = 1.0


class Report:
    """Tells the other side, and measures the event loop in between."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.lags: list[float] = []
        """Seconds by which the event loop was late."""
        self.busy: list[float] = []
        """Seconds of processor time that others took meanwhile: a machine that is
        busy with something else does not count."""
        self._out = Path(spec["out"]).open("a")  # noqa: SIM115 - until the end

    def tell(self, what: str, **more: object) -> None:
        self._out.write(json.dumps({"what": what, "at": time.time(), **more}) + "\n")
        self._out.flush()

    async def probe(self) -> None:
        """Note again and again by how much the event loop is late."""
        while True:
            start, busy = time.perf_counter(), time.thread_time()
            await asyncio.sleep(PROBE_S)
            self.lags.append(time.perf_counter() - start - PROBE_S)
            self.busy.append(time.thread_time() - busy)

    async def window(self, stream: Callable[[], Any], settled: Callable[[], bool]):
        """Measure while an answer streams, once what is there has been drawn."""
        await until(settled)
        await asyncio.sleep(_SETTLE_S)
        self.lags.clear()
        self.busy.clear()
        self.tell("start")
        cpu, wall = time.thread_time(), time.perf_counter()
        await stream()
        cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
        more = {"lags": self.lags, "busy": self.busy, "rss": rss_mib()}
        self.tell("end", cpu_s=cpu, wall_s=wall, **more)
        await asyncio.sleep(_SETTLE_S)
        self.tell("settled")
        await asyncio.sleep(_SETTLE_S)
        self.tell("idle")
        await asyncio.sleep(_SETTLE_S)  # the other side counts before we leave


def rss_mib() -> float:
    """Return this process's resident memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def answer(spec: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the text that is there at first, and the tokens that follow."""
    kind, tokens = KINDS[spec["kind"]], spec["tokens"]
    return kind.text(tokens), kind.pieces(tokens, RATE * spec["seconds"])


def main() -> None:
    report = Report(json.loads(sys.argv[1]))
    if report.spec["who"] == "stock":
        from tests.bench.screen_stock import run_stock

        run_stock(report)
        return
    from qwen_tui.ui.launch import choose_driver, prepare_environment
    from qwen_tui.ui.pace import pace_for

    pace = pace_for(slow_link="slow" in report.spec)
    prepare_environment(os.environ, pace)
    from tests.bench.screen_ours import BenchApp

    with tempfile.TemporaryDirectory() as folder:
        app = BenchApp(report, Path(folder))
        app.driver_class = choose_driver() or app.driver_class
        app.run()


if __name__ == "__main__":
    main()
