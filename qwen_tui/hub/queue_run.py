"""One download job that runs here: its process, and what it says."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from qwen_tui import wire
from qwen_tui.child import Child
from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.jobs import DownloadEvent, download_request
from qwen_tui.hub.queue_job import DownloadJob, JobProgress, at_rest

TELL_INTERVAL_S = 0.25


class RunDownload(Protocol):
    """Carries out one download, as `hub.jobs.run_download` does."""

    def __call__(
        self,
        request: wire.Download,
        *,
        log_dir: Path,
        environ: Mapping[str, str] | None,
        on_start: Callable[[Child], None] | None,
    ) -> AsyncGenerator[DownloadEvent]:
        """Yield what is told; closing the generator pauses."""
        ...


class JobRun:
    """A job on its way; `job` is always its present value."""

    def __init__(
        self,
        job: DownloadJob,
        *,
        run: RunDownload,
        log_dir: Path,
        environ: Mapping[str, str] | None,
        token_hosts: tuple[str, ...],
        tell: Callable[["JobRun", DownloadEvent | None], None],
    ) -> None:
        """Begin with what is known of the job.

        Args:
            job: As it was before.
            run: Carries it out.
            log_dir: Where the process logs.
            environ: Where HF_TOKEN, HF_HOME and proxies are looked up.
            token_hosts: Hosts beside the official hub's that may see the token.
            tell: Called with every message, and with None when `job` has changed, the
                latter at most every `TELL_INTERVAL_S`, and at once at the end.
        """
        self._progress = JobProgress(job)
        self._run = run
        self._log_dir = log_dir
        self._environ = environ
        self._token_hosts = token_hosts
        self._tell = tell
        self._child: Child | None = None
        self._is_killed = False
        self._told_at = 0.0
        self._tell_later: asyncio.TimerHandle | None = None
        self.is_left = False
        """Set when the program ends, so that the pause is no person's wish."""
        self.task: asyncio.Task[None] | None = None

    @property
    def job(self) -> DownloadJob:
        """The job as it is now."""
        return self._progress.job

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will change."""
        return self.job.state != "running"

    async def follow(self) -> None:
        """Run it to its end; when cancelled it is paused and its process gone."""
        try:
            request = await asyncio.to_thread(self._request)
            events = self._run(
                request,
                log_dir=self._log_dir,
                environ=self._environ,
                on_start=self._keep_child,
            )
            async with aclosing(events):
                async for event in events:
                    self._take(event)
        except QwenTuiError as error:
            self._take(wire.DownloadFailed(1, error.code, error.message, error.hint))
        finally:
            self.rest()
            self._tell_now()

    def rest(self) -> None:
        """Be paused, unless it has ended otherwise."""
        if not self.has_ended:
            self._progress.job = at_rest(self.job, "paused", was_left=self.is_left)

    def kill(self) -> None:
        """End its process at once; safe in a signal handler."""
        self._is_killed = self.is_left = True
        if self._child is not None:
            self._child.kill()

    def _request(self) -> wire.Download:
        job = self.job
        request = download_request(
            job.repo,
            revision=job.revision,
            endpoint=job.endpoint,
            cache_dir=Path(job.cache_dir),
            local_dir=Path(job.local_dir) if job.local_dir else None,
            token_hosts=self._token_hosts,
            environ=self._environ,
        )
        return replace(
            request, connections=job.connections, only=job.only, gguf=job.gguf
        )

    def _keep_child(self, child: Child) -> None:
        self._child = child
        if self._is_killed:
            child.kill()

    def _take(self, event: DownloadEvent) -> None:
        if self._is_killed:
            return  # its death is no failure
        self._progress.take(event)
        self._tell(self, event)
        if not self.has_ended:
            self._tell_soon()

    def _tell_soon(self) -> None:
        loop = asyncio.get_running_loop()
        wait_s = self._told_at + TELL_INTERVAL_S - loop.time()
        if wait_s <= 0:
            self._tell_now()
        elif self._tell_later is None:
            self._tell_later = loop.call_later(wait_s, self._tell_now)

    def _tell_now(self) -> None:
        if self._tell_later is not None:
            self._tell_later.cancel()
            self._tell_later = None
        self._told_at = asyncio.get_running_loop().time()
        self._tell(self, None)
