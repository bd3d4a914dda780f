"""The jobs in memory, kept equal to the file that other programs share.

What runs or waits here is known better here; everything else is as the file says.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace

from qwen_tui.errors import QwenTuiError
from qwen_tui.hub import queue_changes as changes
from qwen_tui.hub.queue_entry import Entry, Owner
from qwen_tui.hub.queue_file import Entries, QueueFile
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.hub.queue_run import JobRun
from qwen_tui.i18n import _
from qwen_tui.processes import has_ended, this_process
from qwen_tui.sanitize import sanitize_line

_LOOK_INTERVAL_S = 0.5
_SAVE_INTERVAL_S = 2.0

Change = Callable[[Entries], object]


@dataclass(frozen=True, slots=True)
class Hands:
    """What a table has others do."""

    make_run: Callable[[DownloadJob], JobRun]
    heed: Callable[[str, str], Awaitable[None]]
    """Does what another program wishes: a job's id, "pause" or "cancel"."""
    tell: Callable[[DownloadJob | None], None]
    """Told a job that changed; None when jobs came or went, or `notice` changed."""


class JobTable:
    """Every job with who has it, and the runs of ours.

    Attributes:
        owner: This queue, as the file names it.
        at_once: Jobs that run at a time, those of other programs counted.
        entries: As of the last look at the file; to be changed by `change` only.
        is_closing: Set when nothing more may be started.
    """

    def __init__(self, file: QueueFile, at_once: int, hands: Hands) -> None:
        self.owner = Owner(this_process(), uuid.uuid4().hex)
        self.at_once = at_once
        self.entries: Entries = {}
        self.is_closing = False
        self._file = file
        self._hands = hands
        self._runs: dict[str, JobRun] = {}
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._run_tasks: set[asyncio.Task[None]] = set()
        self._heeded: set[str] = set()
        self._failure = ""
        self._save_due = 0.0

    @property
    def notice(self) -> str:
        """One translated line about the file, "" when all is well."""
        return self._failure or self._file.notice

    @property
    def jobs(self) -> list[DownloadJob]:
        """Every job as it is now, in the order in which they were made."""
        return [self.shown(entry) for entry in self.entries.values()]

    @property
    def is_busy(self) -> bool:
        """Whether a job runs here or waits here for its turn."""
        return any(entry.job.is_active for entry in self._own_entries())

    def shown(self, entry: Entry) -> DownloadJob:
        """Return an entry's job as it is now."""
        run = self._runs.get(entry.job.id)
        if run is not None:
            return run.job
        if self.is_elsewhere(entry):
            return replace(entry.job, holder=self._holder(entry))
        return entry.job

    def is_elsewhere(self, entry: Entry) -> bool:
        """Whether another queue runs it or will."""
        return entry.job.is_active and entry.owner != self.owner

    def watch(self) -> None:
        """Save progress and see what others did, until `stop_watching`."""
        _spawn(self._tend(), self._tasks)

    def stop_watching(self) -> None:
        """Leave the file alone from now on."""
        for task in self._tasks:
            task.cancel()

    async def change(self, change: Change) -> None:
        """Change the file, and take over what it says then.

        Goes on to its end when the caller is cancelled.

        Args:
            change: Alters the entries; called in a thread, under the file's lock.

        Raises:
            QwenTuiError: as `QueueFile.change`, and what `change` raises.
        """
        await asyncio.shield(asyncio.ensure_future(self._change_in_turn(change)))

    async def end_run(self, job_id: str) -> None:
        """Stop a job that runs here and wait until its process is gone."""
        run = self._runs.get(job_id)
        if run is None or run.task is None:
            return
        if not run.has_ended:
            run.task.cancel()
        await asyncio.wait([run.task])
        run.rest()

    async def end_all_runs(self) -> None:
        """Stop every job that runs here, because the program ends."""
        for run in self._runs.values():
            run.is_left = True
        await asyncio.gather(*(self.end_run(job_id) for job_id in list(self._runs)))
        if self._run_tasks:  # a job is done a little before its process is gone
            await asyncio.wait(self._run_tasks)

    def kill(self) -> None:
        """End every download process at once; safe in a signal handler."""
        for run in list(self._runs.values()):
            run.kill()

    def _holder(self, entry: Entry) -> str:
        if entry.owner is None:
            return ""
        process = entry.owner.process
        if process.host == self.owner.process.host:
            return _("another qwen-tui (process {pid})").format(pid=process.pid)
        return _("another qwen-tui (process {pid} on {host})").format(
            pid=process.pid, host=sanitize_line(process.host)
        )

    async def _change_in_turn(self, change: Change) -> None:
        async with self._changing:
            own = self._own_entries()

            def whole_change(entries: Entries) -> None:
                changes.keep_own(entries, own, self.owner)
                change(entries)
                if not self.is_closing:
                    changes.start_next(entries, self.owner, self.at_once)

            entries = await asyncio.to_thread(self._file.change, whole_change)
            self._failure = ""
            self._save_due = time.monotonic() + _SAVE_INTERVAL_S
            self._take_over(entries, {e.job.id for e in own if not e.job.is_active})

    def _own_entries(self) -> list[Entry]:
        """What is known better here than in the file: our running and waiting jobs."""
        runs = self._runs
        return [
            replace(entry, job=runs[job_id].job) if job_id in runs else entry
            for job_id, entry in self.entries.items()
            if job_id in runs or (entry.owner == self.owner and entry.job.is_active)
        ]

    def _take_over(self, entries: Entries, written: set[str]) -> None:
        """Make `entries` what there is: start and stop accordingly, tell it.

        `written` are the runs whose end is in the file now.
        """
        before = {job.id: job for job in self.jobs}
        for job_id in written:
            self._runs.pop(job_id, None)
        self.entries = entries
        for job_id, entry in entries.items():
            run = self._runs.get(job_id)
            if entry.owner != self.owner:
                if run is not None and run.task is not None:
                    run.task.cancel()  # another host thought us dead and took it
                continue
            if run is None and entry.job.state == "running":
                self._start(entry.job)
            if entry.wish:
                _spawn(self._heed(job_id, entry.wish), self._tasks)
        self._tell_differences(before)

    def _tell_differences(self, before: dict[str, DownloadJob]) -> None:
        after = {job.id: job for job in self.jobs}
        if list(before) != list(after):
            self._hands.tell(None)
        for job_id, job in after.items():
            if before.get(job_id) != job:
                self._hands.tell(job)

    def _start(self, job: DownloadJob) -> None:
        run = self._runs[job.id] = self._hands.make_run(job)
        run.task = _spawn(self._carry_out(run), self._run_tasks)

    async def _carry_out(self, run: JobRun) -> None:
        await run.follow()
        await self._try_change()

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_INTERVAL_S)
            is_due = self._own_entries() and time.monotonic() >= self._save_due
            if is_due or await asyncio.to_thread(self._is_outdated):
                await self._try_change()

    def _is_outdated(self) -> bool:
        """Whether the file was changed, or a program that had a job has ended."""
        return self._file.has_changed() or any(
            self.is_elsewhere(entry)
            and entry.owner is not None
            and has_ended(entry.owner.process, entry.seen_at)
            for entry in self.entries.values()
        )

    async def _heed(self, job_id: str, wish: str) -> None:
        if job_id in self._heeded:
            return
        self._heeded.add(job_id)
        try:
            await self._hands.heed(job_id, wish)
        except QwenTuiError as error:
            self._fail(error)
        finally:
            self._heeded.discard(job_id)

    async def _try_change(self) -> None:
        """Write and read; what fails is told and tried again at the next round."""
        try:
            await self.change(nothing)
        except QwenTuiError as error:
            self._fail(error)

    def _fail(self, error: QwenTuiError) -> None:
        if self._failure != error.message:
            self._failure = error.message
            self._hands.tell(None)


def nothing(entries: Entries) -> None:
    """Change nothing: only read, and write what is known better here."""


def _spawn(
    work: Coroutine[None, None, None], tasks: set[asyncio.Task[None]]
) -> asyncio.Task[None]:
    """Start a task that `tasks` holds until it is done."""
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task
