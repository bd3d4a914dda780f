"""Queues of download jobs against the fake hub, and what tests do with them."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qwen_tui.hub.queue import JobQueue
from qwen_tui.hub.queue_job import DownloadJob
from tests.fake_hub import FakeHub, Fault
from tests.helpers import until
from tests.hub.conftest import BIG, REPO

HELD_BYTES = 1_200_000
STEP_BYTES = 256 * 1024


@dataclass
class Watched:
    """A queue and what it told."""

    queue: JobQueue
    told: list[DownloadJob | None] = field(default_factory=list[DownloadJob | None])

    def __post_init__(self) -> None:
        self.queue.on_change = self.told.append

    @property
    def states(self) -> list[str]:
        return [job.state for job in self.queue.jobs]

    async def reaches(self, state: str, job_id: str = "") -> DownloadJob:
        """Wait until a job (the only one) is in a state; return it."""

        def there() -> bool:
            jobs = [j for j in self.queue.jobs if job_id in ("", j.id)]
            return bool(jobs) and jobs[-1].state == state

        await until(there)
        return next(j for j in self.queue.jobs if job_id in ("", j.id))


@dataclass
class Place:
    """Where queues of one user keep their jobs and models."""

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

    async def open(self, *, at_once: int = 1) -> Watched:
        queue = JobQueue(
            self.file,
            log_dir=self.folder / "log",
            at_once=at_once,
            environ=self.environ,
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

    def partial_bytes(self) -> int:
        return sum(f.stat().st_size for f in self.folder.rglob("*.incomplete"))

    async def held(self, patience_bytes: int = HELD_BYTES - STEP_BYTES) -> int:
        """Wait until the large file hangs; return what is here of it."""
        await until(lambda: self.partial_bytes() > patience_bytes)
        return self.partial_bytes()

    def written(self) -> dict[str, Any]:
        return json.loads(self.file.read_text())

    def written_states(self) -> list[str]:
        return [entry["job"]["state"] for entry in self.written()["jobs"]]


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
