"""Keys while an answer streams: a page in one frame, typing over a slow line."""

import re
import select
import statistics
import time
from collections.abc import Iterator

from tests.bench.measure import Row
from tests.bench.screen_tty import Child, child
from tests.e2e.terminal import Terminal

PAGE_UP = b"\x1b[5~"
_LINE_BYTES_PER_S = 60_000
_TYPED = "abcdefghijklmnopqrstuvwxyz"
_PAUSE_S = 0.15
_MS = 1000
# How each of our frames ends: the cursor goes where it belongs.
_FRAME_END = re.compile(rb"\x1b\[0m\x1b\[\d+;\d+H")
_ROWS_OF_COMPOSER = 6


class SlowLine:
    """Reads a terminal no faster than the line is."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._free_at = time.monotonic()

    def pump(self) -> None:
        """Wait until the line is free, then read what it can carry in 5 ms."""
        time.sleep(max(self._free_at - time.monotonic(), 0))
        if not select.select([self._terminal.master], [], [], 0.005)[0]:
            return
        got = self._terminal.pump(0, most=_LINE_BYTES_PER_S // 200)
        self._free_at = time.monotonic() + got / _LINE_BYTES_PER_S

    def seen(self, text: str) -> bool:
        """Tell whether a text stands in the rows of the composer."""
        rows = self._terminal.screen.display[-_ROWS_OF_COMPOSER:]
        return any(text in row for row in rows)


def echo_rows() -> Iterator[Row]:
    """How long a letter takes to the screen over 60 KB/s while an answer streams."""
    spec = {"who": "ours", "kind": "mixed", "tokens": 2_000, "seconds": 20}
    with child(spec, emulated=True) as bench:
        bench.until("start")
        times = _type(bench)
        bench.terminal.process.kill()
    detail = f"worst {max(times) * _MS:.0f} of {len(times)} letters"
    median = statistics.median(times) * _MS
    yield Row("typing echo over 60 KB/s", median, "ms", 60, False, detail)


def _type(bench: Child) -> list[float]:
    line = SlowLine(bench.terminal)
    times: list[float] = []
    for number in range(1, len(_TYPED) + 1):
        start = time.monotonic()
        bench.terminal.send(_TYPED[number - 1])
        while not line.seen(_TYPED[:number]):
            line.pump()
        times.append(time.monotonic() - start)
        rest = time.monotonic() + _PAUSE_S
        while time.monotonic() < rest:
            line.pump()
    return times


def page_rows() -> Iterator[Row]:
    """A page scrolled is one frame."""
    spec = {"who": "ours", "kind": "mixed", "tokens": 2_000, "seconds": 1, "stay": True}
    with child(spec) as bench:
        bench.until("idle")
        before = len(bench.terminal.raw)
        bench.terminal.send(PAGE_UP)
        bench.terminal.wait_quiet(1.0)
        sent = bytes(bench.terminal.raw[before:])
        bench.terminal.process.kill()
    detail = f"{len(sent):,} bytes"
    frames = len(_FRAME_END.findall(sent))
    yield Row("frames for PageUp", frames, "frames", 1, False, detail)
