"""Queues of download jobs against the fake hub, and what tests do with them."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qwen_tui import wire
from qwen_tui.child import Child
from qwen_tui.hub.jobs import DownloadEvent, run_download
from qwen_tui.hub.layout import look
from qwen_tui.hub.queue import JobQueue
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.hub.queue_run import RunDownload
from tests.fake_hub import FakeHub, Fault
from tests.helpers import files_named, until
from tests.hub.conftest import BIG, REPO

HELD_BYTES = 1_200_000
STEP_BYTES = 256 * 1024


@dataclass
class Watched:
    """A queue and what it told."""

    queue: JobQueue
    told: list[DownloadJob | None] = field(default_factory=list[DownloadJob | None])
    most_running: int = 0

    def __post_init__(self) -> None:
        self.queue.on_change = self._hear

    def _hear(self, job: DownloadJob | None) -> None:
        self.told.append(job)
        self.most_running = max(self.most_running, self.states.count("running"))

    @property
    def states(self) -> list[str]:
        return [job.state for job in self.queue.jobs]

    async def reach(self, *states: str) -> list[DownloadJob]:
        """Wait until the jobs are in these states; return them."""
        await until(lambda: self.states == list(states))
        return self.queue.jobs


@dataclass
class Script:
    """Downloads that say what a test wants them to, one event after the other."""

    events: asyncio.Queue[DownloadEvent] = field(default_factory=asyncio.Queue)
    requests: list[wire.Download] = field(default_factory=list[wire.Download])
    n_running: int = 0

    def say(self, *events: DownloadEvent) -> None:
        for event in events:
            self.events.put_nowait(event)

    async def run(
        self,
        request: wire.Download,
        *,
        log_dir: Path,
        environ: Mapping[str, str] | None,
        on_start: Callable[[Child], None] | None,
    ) -> AsyncGenerator[DownloadEvent]:
        self.requests.append(request)
        self.n_running += 1
        try:
            while True:
                event = await self.events.get()
                yield event
                if isinstance(event, wire.DownloadDone | wire.DownloadFailed):
                    return
        finally:
            self.n_running -= 1


@dataclass
class Place:
    """Where the queues of one user keep their jobs and models."""

    hub: FakeHub
    folder: Path
    environ: dict[str, str]
    queues: list[Watched] = field(default_factory=list[Watched])

    @property
    def file(self) -> Path:
        return self.folder / "data" / "downloads.json"

    @property
    def cache_dir(self) -> Path:
        return self.folder / "hub"

    async def open(
        self,
        *,
        at_once: int = 1,
        run: RunDownload = run_download,
        token_hosts: tuple[str, ...] = (),
    ) -> Watched:
        queue = JobQueue(
            self.file,
            log_dir=self.folder / "log",
            at_once=at_once,
            run=run,
            environ=self.environ,
            token_hosts=token_hosts,
        )
        watched = Watched(queue)
        self.queues.append(watched)
        await queue.open()
        return watched

    async def close(self) -> None:
        for watched in self.queues:
            await watched.queue.close()

    async def add(self, to: Watched, repo: str = REPO, **more: Any) -> DownloadJob:
        endpoint = more.pop("endpoint", self.hub.url)
        return await to.queue.add(
            repo, endpoint=endpoint, cache_dir=self.cache_dir, **more
        )

    def partials(self) -> list[Path]:
        return files_named("*.incomplete", self.folder)

    def partial_bytes(self) -> int:
        """Of the largest unfinished file."""
        found = [look(file) for file in self.partials()]  # one may be gone by now
        return max((stat.size_bytes for stat in found if stat), default=0)

    async def held(self) -> int:
        """Wait until the large file hangs; return what is here of it."""
        await until(lambda: self.partial_bytes() > HELD_BYTES - STEP_BYTES)
        return self.partial_bytes()

    def written(self) -> list[dict[str, Any]]:
        """What the file says of each job, as it is right now."""
        return json.loads(self.file.read_text())["jobs"]

    async def reach_written(self, *states: str) -> None:
        """Wait until the file says that the jobs are in these states."""

        def there() -> bool:
            return [e["job"]["state"] for e in self.written()] == list(states)

        await until(there)


@contextmanager
def holding(hub: FakeHub, times: int = 1) -> Generator[Fault]:
    """Let the large file hang in its middle; it goes on when this ends."""
    fault = Fault("hold", path=BIG, origin="cdn", after_bytes=HELD_BYTES, times=times)
    hub.faults.append(fault)
    try:
        yield fault
    finally:
        hub.faults.remove(fault)
        hub.release.set()
