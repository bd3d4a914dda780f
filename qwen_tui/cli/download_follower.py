"""Follow one job of the queue to its end, whichever qwen-tui runs it."""

import asyncio
from collections.abc import Awaitable, Callable

from qwen_tui import wire
from qwen_tui.cli.download_output import DownloadOutput
from qwen_tui.errors import DownloadError, QwenTuiError
from qwen_tui.hub.jobs import DownloadEvent
from qwen_tui.hub.queue import JobQueue
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.i18n import _

PAUSED = 130
"""Exit status of a download that was paused elsewhere: as after Ctrl+C."""


class Follower:
    """Shows one job and decides what to do when it stands still."""

    def __init__(
        self, queue: JobQueue, output: DownloadOutput, add: Callable[[], Awaitable[str]]
    ) -> None:
        """Prepare.

        Args:
            queue: Not open yet.
            output: Where the job is shown.
            add: Puts the job into the queue and returns its id.
        """
        self._queue = queue
        self._output = output
        self._add = add
        self._id = ""
        self._holder = ""
        """Who else runs it, or did when it was last looked at."""
        self._is_planned = False
        self._output_error: OSError | None = None
        self._changed = asyncio.Event()
        queue.on_change = lambda _job: self._changed.set()
        queue.on_event = self._show

    def job(self) -> DownloadJob | None:
        """The job as it is now, None where there is none (any more)."""
        return next((j for j in self._queue.jobs if j.id == self._id), None)

    async def follow(self) -> int:
        """Return the exit status when the download has come to an end.

        Raises:
            DownloadError: it failed.
            OSError: nobody reads the output any more.
            QwenTuiError: it was cancelled elsewhere, or the queue's file fails.
        """
        await self._queue.open()
        if self._queue.notice:
            self._output.say(self._queue.notice)
        self._id = await self._add()
        while True:
            self._changed.clear()
            status = await self._look()
            if status is not None:
                return status
            await self._changed.wait()

    async def pause(self) -> None:
        """Pause the job because a person said so; one that runs elsewhere goes on."""
        job = self.job()
        if job is not None and job.is_active and not job.holder:
            await self._queue.pause(job.id)

    async def _look(self) -> int | None:
        if self._output_error is not None:
            raise self._output_error
        job = self.job()
        if job is None:
            await self._add_again()
            return None
        holder, self._holder = self._holder, job.holder
        if job.holder:
            self._show_elsewhere(job, is_news=not holder)
            return None
        match job.state:
            case "done":
                await self._leave_done(job, was_elsewhere=bool(holder))
                return 0
            case "failed":
                await self._leave_failed(job)
            case "paused" if job.was_left:
                self._output.say(_("That one ended: the download goes on here."))
                self._id = await self._add()  # from the endpoint asked for here
            case "paused":
                return PAUSED
            case "queued" | "running":
                pass
        return None

    async def _add_again(self) -> None:
        """Begin anew after another qwen-tui was through with the job.

        Raises:
            QwenTuiError: "cancelled", it ran here and was cancelled from elsewhere.
        """
        if not self._holder:
            raise QwenTuiError(
                _("The download was cancelled from another qwen-tui."),
                hint=_("Its unfinished files are deleted."),
                code="cancelled",
            )
        self._id = await self._add()
        self._changed.set()

    async def _leave_done(self, job: DownloadJob, *, was_elsewhere: bool) -> None:
        if was_elsewhere:
            self._show(job, wire.DownloadDone(1, job.path))
        else:
            await self._queue.forget(job.id)

    async def _leave_failed(self, job: DownloadJob) -> None:
        if not job.total_bytes:  # a mistyped name is nothing to go on with
            await self._queue.forget(job.id)
        raise DownloadError(job.message, hint=job.hint, code=job.code)

    def _show(self, job: DownloadJob, event: DownloadEvent) -> None:
        try:
            self._output.show(job, event)
        except OSError as error:  # who read the output is gone; not the job's fault
            self._output_error = error
            self._changed.set()

    def _show_elsewhere(self, job: DownloadJob, *, is_news: bool) -> None:
        """Show what the other program wrote of the job, as if it ran here."""
        if is_news and job.state == "queued":
            text = _("{repo} waits for its turn in {holder}.")
            self._output.say(text.format(repo=job.repo, holder=job.holder))
        elif is_news:
            text = _(
                "{repo} is being downloaded by {holder}; this shows how far it is."
            )
            self._output.say(text.format(repo=job.repo, holder=job.holder))
        if not job.total_bytes:
            return
        done, total = job.done_bytes, job.total_bytes
        if not self._is_planned:
            self._is_planned = True
            n_files = len(job.files)
            self._show(job, wire.DownloadPlan(1, n_files, total, done, items=job.files))
        self._show(job, wire.DownloadProgress(1, done, total, job.bytes_per_s))
