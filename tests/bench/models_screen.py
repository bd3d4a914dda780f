"""The models screen while something is fetched: what it sends, how long it holds on.

python -m tests.bench.models_screen
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator
from pathlib import Path

from qwen_tui.hub.jobs import DownloadEvent
from qwen_tui.paths import demo_model
from qwen_tui.wire import Download, DownloadPlan, DownloadProgress, FileState
from tests.bench.measure import Row, percentile, show, show_machine
from tests.e2e.programs import program, wait_for_model
from tests.e2e.terminal import Terminal
from tests.fake_hub import FakeHub
from tests.ui.model_hosts import (
    FakeDownloads,
    HostApp,
    desk_for,
    sees,
    settings_for,
    write_cached_model,
)

REPO = "Own/Model"
SECONDS = 8.0
N_FILES, FILE_BYTES = 100, 4 << 30
N_MODELS = 40
INTERVAL_S = 0.005
LONGEST_LAG_MS = 50.0


def main() -> None:
    show_machine()
    with tempfile.TemporaryDirectory(prefix="qwen-tui-bench-") as folder:
        show(_bytes(Path(folder) / "terminal"))
        show(asyncio.run(_lag(Path(folder) / "loop")))


def _bytes(home: Path) -> Row:
    """Bytes of a second of progress, against those of a resize."""
    with FakeHub() as hub:
        hub.add_repo(REPO, demo_model())
        hub.bytes_per_s, hub.send_buffer_bytes = 60_000, 16 * 1024
        with program(
            home, "--model", "demo", QWEN_TUI_DOWNLOADS_ENDPOINT=hub.url
        ) as terminal:
            wait_for_model(terminal)
            terminal.send("\x0f")
            terminal.wait_for("Qwen3-0.6B ")
            terminal.send("d")
            terminal.wait_for("Repo to download")
            terminal.send(f"{REPO}\r")
            terminal.wait_for("Enter downloads it into the cache")
            terminal.send("\r")
            terminal.wait_for("KiB/s")
            per_s = _sent(terminal, SECONDS) / SECONDS
            terminal.send("p")
            terminal.wait_for("Paused.")
            terminal.wait_quiet(1.0)
            before = len(terminal.raw)
            terminal.resize(118, 35)
            terminal.wait_quiet(1.0)
            whole = len(terminal.raw) - before
    what = "sent in a second of a download, against a resize of the models screen"
    detail = f"{per_s:.0f} B/s, {whole} B a resize"
    return Row(what, per_s / whole, "x", 0.25, at_least=False, detail=detail)


def _sent(terminal: Terminal, seconds: float) -> int:
    before, until_s = len(terminal.raw), time.monotonic() + seconds
    while time.monotonic() < until_s:
        terminal.pump(0.05)
    return len(terminal.raw) - before


class _ManyShards(FakeDownloads):
    """Ten reports a second on a model of many files."""

    async def run(
        self, request: Download, **_options: object
    ) -> AsyncGenerator[DownloadEvent]:
        files = [FileState(f"model-{n:05}.safetensors", FILE_BYTES, 0)
                 for n in range(N_FILES)]  # fmt: skip
        total = N_FILES * FILE_BYTES
        yield DownloadPlan(1, N_FILES, total, 0, items=tuple(files))
        done = 0
        while True:
            await asyncio.sleep(0.1)
            done += FILE_BYTES // N_FILES
            changed = files[done // FILE_BYTES % N_FILES]
            item = FileState(changed.path, FILE_BYTES, done % FILE_BYTES)
            yield DownloadProgress(1, done, total, 1e8, items=(item,))


async def _lag(folder: Path) -> Row:
    settings = settings_for(folder)
    for number in range(N_MODELS):
        write_cached_model(settings, f"Own/Model-{number}")
    app = HostApp(desk_for(folder, downloads=_ManyShards()))
    late_ms: list[float] = []
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Own/Model-0")
        await pilot.press("d", *"Own/Big", "enter")
        await sees(pilot, "Enter downloads it into the cache")
        await pilot.press("enter")
        await sees(pilot, "fetching")
        end = time.perf_counter() + SECONDS
        while (begun := time.perf_counter()) < end:
            await asyncio.sleep(INTERVAL_S)
            late_ms.append((time.perf_counter() - begun - INTERVAL_S) * 1000)
    what = "event-loop lag of the models screen while 100 shards are fetched, p99"
    detail = f"worst {max(late_ms):.0f} ms of {len(late_ms)} wakings"
    lag_ms = percentile(late_ms, 0.99)
    return Row(what, lag_ms, "ms", LONGEST_LAG_MS, at_least=False, detail=detail)


if __name__ == "__main__":
    main()
