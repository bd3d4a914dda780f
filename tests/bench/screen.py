"""The screen in a real pseudo-terminal: ours and stock Markdown, in the same run.

python -m tests.bench.screen [lag | flush | bytes | page | echo | open | start | rate]
"""

import os
import statistics
import sys
from collections.abc import Callable, Iterator
from typing import Any

from tests.bench.measure import Row, in_turn, percentile, show, show_machine
from tests.bench.screen_echo import echo_rows, page_rows
from tests.bench.screen_rate import rate_rows
from tests.bench.screen_start import open_rows, start_rows
from tests.bench.screen_tty import child

_ROUNDS = 3
_SECONDS = 6
_LAG_MS = {2_000: 20.0, 8_000: 30.0, 32_000: 50.0}
_WORST_MS = 150.0
_MS = 1000
_KIB = 1024
_FLUSHES_PER_S = 15


def main(wanted: list[str]) -> None:
    show_machine()
    load = os.getloadavg()[0]
    print(f"# load {load:.1f}; a token is 4 letters or 2 Chinese ones", flush=True)
    for name in wanted or GROUPS:
        for row in GROUPS[name]():
            show(row)


class Run:
    """One answer streamed at 50 tokens a second, after so many tokens."""

    def __init__(self, who: str, kind: str, tokens: int, **more: object) -> None:
        spec = {"who": who, "kind": kind, "tokens": tokens, "seconds": _SECONDS}
        spec |= more
        with child(spec) as bench:
            bench.until("start")
            before = len(bench.terminal.raw)
            told: dict[str, Any] = bench.until("end")
            after = len(bench.terminal.raw)
            bench.until("settled")
            settled = len(bench.terminal.raw)
            bench.until("idle")
            self.idle_bytes = len(bench.terminal.raw) - settled
            bench.end()
        self.lags_ms = [lag * _MS for lag in told["lags"]]
        self.busy_ms = [busy * _MS for busy in told["busy"]]
        self.kib_per_s = (after - before) / _KIB / told["wall_s"]
        self.flush_ms = told["cpu_s"] / told["wall_s"] / _FLUSHES_PER_S * _MS


def lag_rows() -> Iterator[Row]:
    """How late the event loop is while an answer streams."""
    for tokens, goal in _LAG_MS.items():
        runs = [Run("ours", "mixed", tokens) for _round in range(_ROUNDS)]
        p99 = _median(percentile(run.lags_ms, 0.99) for run in runs)
        busy = _median(percentile(run.busy_ms, 0.99) for run in runs)
        detail = f"without waiting for a processor {busy:.1f}"
        if tokens < max(_LAG_MS):  # stock takes minutes to show 32k
            stock = Run("stock", "mixed", tokens)
            detail += f", stock {percentile(stock.lags_ms, 0.99):.0f}"
        what = f"event loop lag p99 at {tokens:,} tokens"
        yield Row(what, p99, "ms", goal, at_least=False, detail=detail)
        worst = _median(max(run.lags_ms) for run in runs)
        what = f"worst event loop lag at {tokens:,} tokens"
        yield Row(what, worst, "ms", _WORST_MS, at_least=False)


def flush_rows() -> Iterator[Row]:
    """Processor time of a flush, drawing included, in a long and a short answer."""
    for kind in ("mixed", "code", "list", "table", "paragraph"):
        pair = in_turn(
            lambda kind=kind: Run("ours", kind, 32_000).flush_ms,
            lambda kind=kind: Run("ours", kind, 1_000).flush_ms,
            rounds=2,
        )
        detail = f"{pair.ours:.2f} ms and {pair.theirs:.2f} ms"
        what = f"a flush at 32k tokens over one at 1k, {kind}"
        yield Row(what, pair.ratio, "x", 2.5, at_least=False, detail=detail)


def bytes_rows() -> Iterator[Row]:
    """What the terminal is sent at 50 tokens a second, and when nothing happens."""
    idle: list[int] = []
    for kind in ("mixed", "code", "chinese"):
        ours = [Run("ours", kind, 500) for _round in range(_ROUNDS)]
        stock = Run("stock", kind, 500)
        idle += [run.idle_bytes for run in ours]
        rate = _median(run.kib_per_s for run in ours)
        what = f"bytes at 50 tokens/s, {kind}"
        yield Row(what, rate, "KiB/s", 12, at_least=False)
        detail = f"stock {stock.kib_per_s:.1f} KiB/s"
        fewer = stock.kib_per_s / rate
        yield Row(f"{what}, fewer than stock", fewer, "x", 8, detail=detail)
    slow = Run("ours", "mixed", 500, slow=True).kib_per_s
    usual = Run("ours", "mixed", 500).kib_per_s
    detail = f"{slow:.1f} KiB/s and {usual:.1f} KiB/s"
    what = "bytes with --slow-link over those without, mixed"
    yield Row(what, slow / usual, "x", 0.75, at_least=False, detail=detail)
    yield Row("bytes when idle", max(idle), "B/s", 0, at_least=False)


def _median(values: Iterator[float]) -> float:
    return statistics.median(values)


GROUPS: dict[str, Callable[[], Iterator[Row]]] = {
    "lag": lag_rows,
    "flush": flush_rows,
    "bytes": bytes_rows,
    "page": page_rows,
    "echo": echo_rows,
    "open": open_rows,
    "start": start_rows,
    "rate": rate_rows,
}

if __name__ == "__main__":
    main(sys.argv[1:])
