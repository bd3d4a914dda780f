"""Downloads: speed, what a kill costs, and whether the screen stays alive.

python -m tests.bench.downloads
"""

import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from qwen_tui import wire
from qwen_tui.hub.digest import file_hash
from qwen_tui.hub.jobs import run_download
from tests.bench.measure import Row, in_turn, mib, percentile, show, show_machine
from tests.bench.serve import REPO, bench_files, serving
from tests.fake_hub import FakeHub

ROUNDS = 7
KILLS = 10
N_FILES, FILE_MIB = 3, 64
SEND_BUFFER_BYTES = 16 * 1024
CONNECTIONS = 2  # the default
LAG_INTERVAL_S = 0.002
STEP_KIB = 256.0
LONGEST_LAG_MS = 50.0


def main() -> None:
    _leave_no_proxy()
    show_machine()
    files = bench_files(N_FILES, FILE_MIB)
    show(_speed(files))
    show(_lost_at_kills(files))
    show(asyncio.run(_lag()))


def _leave_no_proxy() -> None:
    for name in [n for n in os.environ if n.lower().endswith("_proxy")]:
        del os.environ[name]


def _speed(files: dict[str, bytes]) -> Row:
    size_mib = mib(sum(map(len, files.values())))
    with FakeHub() as hub:
        hub.add_repo(REPO, files)

        def speed(who: str) -> float:
            with _folder() as cache_dir, _fetching(who, hub, cache_dir) as process:
                output, _ = process.communicate()
            return size_mib / float(output)

        pair = in_turn(lambda: speed("ours"), lambda: speed("theirs"), rounds=ROUNDS)
    detail = f"ours {pair.ours:.0f} MiB/s, theirs {pair.theirs:.0f} MiB/s"
    what = "speed, hash included, against snapshot_download"
    return Row(what, pair.ratio, "x", 1.0, detail=detail)


def _lost_at_kills(files: dict[str, bytes]) -> Row:
    """What the hub sent and no file holds, after kill -9 at random points."""
    total = sum(map(len, files.values()))
    lost: list[int] = []
    with FakeHub() as hub, _folder() as cache_dir:
        # the hub counts what it hands to its kernel, which is not sent yet
        hub.send_buffer_bytes = SEND_BUFFER_BYTES
        hub.add_repo(REPO, files)
        points = sorted(random.sample(range(total // 50, total * 9 // 10), KILLS))
        for point in points:
            with _fetching("ours", hub, cache_dir) as process:
                while _written(cache_dir) < point and process.poll() is None:
                    time.sleep(0.001)
                process.kill()
            written = _written(cache_dir)
            lost.append(hub.file_bytes("model-") - sum(lost) - written)
        with _fetching("ours", hub, cache_dir) as process:
            process.communicate()
        fetched = hub.file_bytes("model-")
        blobs = list(cache_dir.glob("*/blobs/*"))
        assert len(blobs) == len(files)
        assert all(file_hash(blob, blob.name) == blob.name for blob in blobs)
        assert not list(cache_dir.rglob("*.incomplete"))
        assert not list(cache_dir.rglob("*.owner"))
    worst = max(lost) / 1024 / CONNECTIONS
    detail = (
        f"{KILLS} kills; in all {mib(fetched - total):.2f} of {mib(total):.0f} MiB, "
        f"each {', '.join(f'{n / 1024:.0f}' for n in lost)} KiB"
    )
    what = "lost at a kill -9, for each connection, at worst"
    return Row(what, worst, "KiB", STEP_KIB, at_least=False, detail=detail)


def _written(cache_dir: Path) -> int:
    while True:
        with suppress(FileNotFoundError):  # one that just got its name
            return sum(f.stat().st_size for f in cache_dir.glob("*/blobs/*"))


async def _lag() -> Row:
    """How late the event loop of the screen's process wakes meanwhile."""
    late_ms: list[float] = []
    with serving(N_FILES, FILE_MIB) as url, _folder() as folder:
        request = wire.Download(
            1, REPO, "main", url, str(folder / "hub"), connections=N_FILES
        )
        watch = asyncio.create_task(_watch(late_ms))
        async for event in run_download(request, log_dir=folder / "log"):
            if isinstance(event, wire.DownloadFailed):
                raise SystemExit(event.message)
        watch.cancel()
    detail = f"worst {max(late_ms):.0f} ms of {len(late_ms)} wakings"
    what = "event-loop lag while three files download, p99"
    lag_ms = percentile(late_ms, 0.99)
    return Row(what, lag_ms, "ms", LONGEST_LAG_MS, at_least=False, detail=detail)


async def _watch(late_ms: list[float]) -> None:
    while True:
        due_s = time.perf_counter() + LAG_INTERVAL_S
        await asyncio.sleep(LAG_INTERVAL_S)
        late_ms.append((time.perf_counter() - due_s) * 1000)


@contextmanager
def _folder() -> Generator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="qwen-tui-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def _fetching(
    who: str, hub: FakeHub, cache_dir: Path
) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.bench.fetch"]
    quiet = {
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    with subprocess.Popen(
        [*command, who, hub.url, REPO, str(cache_dir)],
        env=os.environ | quiet,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


if __name__ == "__main__":
    main()
