"""The download jobs: one after the other, through pauses, restarts and crashes.

Every method belongs to one event loop; disk work is done in threads. The file is
shared: another qwen-tui's jobs are seen here, and nobody runs a job that another
runs. Whoever queues a job runs it; when that program ends, its jobs are paused.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from qwen_tui.errors import QwenTuiError
from qwen_tui.hub import queue_changes as changes
from qwen_tui.hub.endpoint import resolve_endpoint
from qwen_tui.hub.jobs import DownloadEvent, download_request, run_download
from qwen_tui.hub.queue_file import Entries, QueueFile
from qwen_tui.hub.queue_job import DownloadJob, at_rest, new_job
from qwen_tui.hub.queue_partials import CancelPreview, cancel_preview, delete_partials
from qwen_tui.hub.queue_run import JobRun, RunDownload
from qwen_tui.hub.queue_table import Hands, JobTable, nothing

FILE_NAME = "downloads.json"
"""In the data folder."""


class JobQueue:
    """The download jobs of this program and, to be looked at, of all others.

    Attributes:
        on_change: Told a job that changed, at most about four times a second each;
            None when jobs came or went, or `notice` changed.
        on_event: Told every message of a job that runs here.
        environ: Where HF_TOKEN, HF_HOME and proxies are looked up at a job's start.
        token_hosts: Hosts beside the official hub's that may see the token.
    """

    def __init__(
        self,
        file: Path,
        *,
        log_dir: Path,
        at_once: int = 1,
        run: RunDownload = run_download,
        environ: Mapping[str, str] | None = None,
        token_hosts: tuple[str, ...] = (),
    ) -> None:
        """Prepare; `open` reads the file.

        Args:
            file: Where the jobs are kept, usually `FILE_NAME` in the data folder.
            log_dir: Where download processes log.
            at_once: Jobs that run at a time, those of other programs counted.
            run: Carries out one job.
            environ: See above; the process's own where not given.
            token_hosts: See above.
        """
        self.on_change: Callable[[DownloadJob | None], None] | None = None
        self.on_event: Callable[[DownloadJob, DownloadEvent], None] | None = None
        self.environ = environ
        self.token_hosts = token_hosts
        self._log_dir = log_dir
        self._run = run
        hands = Hands(self._make_run, self._heed, self._tell)
        self._table = JobTable(QueueFile(file), at_once, hands)

    # what there is

    @property
    def jobs(self) -> list[DownloadJob]:
        """Every job, in the order in which they were made."""
        return self._table.jobs

    @property
    def is_busy(self) -> bool:
        """Whether a job runs here or waits here for its turn."""
        return self._table.is_busy

    @property
    def notice(self) -> str:
        """One translated line about the file, "" when all is well."""
        return self._table.notice

    def job(self, job_id: str) -> DownloadJob:
        """Return a job as it is now.

        Raises:
            QwenTuiError: "no_job".
        """
        return self._table.shown(changes.known(self._table.entries, job_id))

    # what can be done

    async def open(self) -> None:
        """Read the file and begin to watch it.

        Raises:
            QwenTuiError: "queue_newer", "queue_locked", "queue_file".
        """
        await self._table.change(nothing)
        self._table.watch()

    async def add(  # noqa: PLR0913 - what a person may say of a download
        self,
        repo: str,
        *,
        revision: str = "main",
        endpoint: str,
        cache_dir: Path,
        local_dir: Path | None = None,
        connections: int = 2,
        only: tuple[str, ...] = (),
        gguf: str = "",
    ) -> DownloadJob:
        """Queue a download and return its job.

        Where the same revision is fetched into the same place already, that job goes
        on, from this endpoint; one that runs or waits, here or elsewhere, is left as
        it is.

        Args:
            repo: Repo id, or an alias of the catalogue.
            revision: Branch, tag or commit.
            endpoint: "official", "mirror" or a URL.
            cache_dir: The HF cache.
            local_dir: A plain folder instead of the cache.
            connections: Files fetched at a time.
            only: Paths of the files to fetch, for a repair; empty: the whole model.
            gguf: Name or pattern of the quantisation to fetch; empty: the usual one.

        Raises:
            UsageError: no repo id, revision or endpoint.
            HubError: "unreachable", HF_HUB_OFFLINE forbids it.
            QwenTuiError: the file, as in `open`.
        """
        request = await asyncio.to_thread(
            download_request,
            repo,
            revision=revision,
            endpoint=endpoint,
            cache_dir=cache_dir,
            local_dir=local_dir,
            environ=self.environ,
        )
        request = replace(request, connections=connections, only=only, gguf=gguf)
        job = new_job(request, endpoint)
        table = self._table
        await table.change(lambda entries: changes.add(entries, job, table.owner))
        there = changes.same_target(table.entries, job)
        return table.shown(there) if there is not None else job

    async def pause(self, job_id: str) -> None:
        """Stop a job and keep what it fetched; one that does not run stays as it is.

        A job of another qwen-tui is paused by that one, within about a second.

        Raises:
            QwenTuiError: "no_job"; the file, as in `open`.
        """
        await self._bring_to_rest(job_id, wish="pause")

    async def resume(self, job_id: str, *, endpoint: str | None = None) -> None:
        """Queue a job again that is paused, failed or done.

        Args:
            job_id: Which.
            endpoint: Go on from there; a job that runs here changes over, too.

        Raises:
            UsageError: no endpoint.
            QwenTuiError: "no_job"; "job_elsewhere", another qwen-tui has it; the file.
        """
        before = self.job(job_id)
        if endpoint is not None:
            resolve_endpoint(endpoint)
            if before.endpoint != endpoint:
                await self._table.end_run(job_id)

        def change(entries: Entries) -> None:
            entry = changes.known(entries, job_id)
            job = replace(entry.job, endpoint=endpoint or entry.job.endpoint)
            if self._table.is_elsewhere(entry):
                raise changes.elsewhere(self._table.shown(entry))
            if job.is_active:
                entries[job_id] = replace(entry, job=job)
            else:
                is_first = before.state == "running"  # it keeps its turn
                changes.enqueue(entries, job, self._table.owner, is_first=is_first)

        await self._table.change(change)

    async def retry(self, job_id: str) -> None:
        """Queue a job again that failed; raises as `resume`."""
        await self.resume(job_id)

    async def cancel_preview(self, job_id: str) -> CancelPreview:
        """Tell what `cancel` would delete; raises QwenTuiError "no_job"."""
        return await asyncio.to_thread(cancel_preview, self.job(job_id), self.jobs)

    async def cancel(self, job_id: str) -> None:
        """Stop a job, delete its unfinished files and forget it.

        A job of another qwen-tui is cancelled by that one, within about a second.

        Raises:
            QwenTuiError: "no_job"; the file, as in `open`.
        """
        await self._bring_to_rest(job_id, wish="cancel")
        job = self.job(job_id)
        if job.holder:
            return
        await asyncio.to_thread(delete_partials, job, self.jobs)
        await self._table.change(lambda e: e.pop(job_id, None))

    async def forget(self, job_id: str) -> None:
        """Take a job that is done, or never began, off the list; nothing is deleted.

        Raises:
            QwenTuiError: "no_job"; the file, as in `open`.
        """

        def change(entries: Entries) -> None:
            if not changes.known(entries, job_id).job.is_active:
                del entries[job_id]

        await self._table.change(change)

    async def set_at_once(self, at_once: int) -> None:
        """Let so many jobs run at a time; what runs already goes on.

        Raises:
            QwenTuiError: the file, as in `open`.
        """
        self._table.at_once = at_once
        await self._table.change(nothing)

    async def close(self) -> None:
        """Pause what runs or waits here, and stop watching the file."""
        table = self._table
        table.is_closing = True
        table.stop_watching()
        await table.end_all_runs()
        # where it cannot be written: who reads it next sees that we have ended
        with contextlib.suppress(QwenTuiError):
            await table.change(lambda e: changes.pause_all(e, table.owner))

    def kill(self) -> None:
        """End every download process at once; safe in a signal handler.

        The jobs are paused for whoever reads the file when this program is gone.
        """
        self._table.is_closing = True
        self._table.kill()

    async def _bring_to_rest(self, job_id: str, *, wish: str) -> None:
        """Pause a job; of one that is elsewhere, have its program do `wish`."""
        await self._table.end_run(job_id)

        def change(entries: Entries) -> None:
            entry = changes.known(entries, job_id)
            if self._table.is_elsewhere(entry):
                changes.wish(entries, job_id, wish)
            elif entry.job.is_active:
                changes.lay_down(entries, at_rest(entry.job, "paused"))

        await self._table.change(change)

    async def _heed(self, job_id: str, wish: str) -> None:
        await (self.cancel(job_id) if wish == "cancel" else self.pause(job_id))

    def _make_run(self, job: DownloadJob) -> JobRun:
        return JobRun(
            job,
            run=self._run,
            log_dir=self._log_dir,
            environ=self.environ,
            token_hosts=self.token_hosts,
            tell=self._hear,
        )

    def _hear(self, run: JobRun, event: DownloadEvent | None) -> None:
        if event is None:
            self._tell(run.job)
        elif self.on_event is not None:
            self.on_event(run.job, event)

    def _tell(self, job: DownloadJob | None) -> None:
        if self.on_change is not None:
            self.on_change(job)
