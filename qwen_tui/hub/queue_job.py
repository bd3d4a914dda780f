"""What a download job is: plain values, and how its messages change them."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from qwen_tui import wire
from qwen_tui.hub.jobs import DownloadEvent
from qwen_tui.i18n import _

JobState = Literal["queued", "running", "paused", "failed", "done"]
SLOWEST_BYTES_PER_S = 1.0
"""Below this no time of arrival is told."""
_VERIFY_SILENCE_S = 2.0
_SILENCE_S = 5.0
"""A pause of so long is told; much later the connection is opened anew."""


@dataclass(frozen=True, slots=True)
class DownloadJob:
    """One download as it is shown and kept."""

    id: str
    repo: str
    revision: str
    endpoint: str
    """"official", "mirror" or a URL, as the user named it."""
    cache_dir: str
    """The folder of models--* folders."""
    local_dir: str
    """A plain folder instead of the cache; "" for none."""
    connections: int
    created_at: float
    """Unix time."""
    only: tuple[str, ...] = ()
    """Paths in the repo, to repair just these files; empty: the whole model."""
    gguf: str = ""
    """Name or pattern of the quantisation, as a person chose it; empty: ours."""
    state: JobState = "queued"
    done_bytes: int = 0
    total_bytes: int = 0
    """0 until the hub told what there is to fetch."""
    bytes_per_s: float = 0.0
    """Over the last five seconds."""
    eta_s: float | None = None
    files: tuple[wire.FileState, ...] = ()
    """Every file, small ones first; empty until the hub told."""
    waiting: str = ""
    """Why nothing comes right now, one translated line; "" while bytes come."""
    retries: int = 0
    """In this run."""
    code: str = ""
    """Of the failure, with `message` and `hint`; all empty in other states."""
    message: str = ""
    hint: str = ""
    path: str = ""
    """When done: the snapshot folder, or `local_dir`."""
    was_left: bool = False
    """Paused because its program ended, not because a person said so."""
    holder: str = ""
    """Who runs it, where that is another qwen-tui: a translated clause."""

    @property
    def target(self) -> tuple[str, str, str]:
        """What makes two jobs the same: repo, revision and place."""
        return self.repo, self.revision, self.local_dir or self.cache_dir

    @property
    def is_active(self) -> bool:
        """Whether it runs or is about to."""
        return self.state in ("queued", "running")


def new_job(request: wire.Download, endpoint: str) -> DownloadJob:
    """Return a job that fetches what a checked request asks for.

    Args:
        request: Its token and address are left out: they are looked up at each start.
        endpoint: As the user named it.
    """
    return DownloadJob(
        id=uuid.uuid4().hex[:12],
        repo=request.repo,
        revision=request.revision,
        endpoint=endpoint.strip(),
        cache_dir=request.cache_dir,
        local_dir=request.local_dir,
        connections=request.connections,
        created_at=time.time(),
        only=request.only,
        gguf=request.gguf,
    )


def at_rest(
    job: DownloadJob, state: JobState, *, was_left: bool = False
) -> DownloadJob:
    """Return a job that no longer runs, or not yet."""
    return replace(
        job,
        state=state,
        bytes_per_s=0.0,
        eta_s=None,
        waiting="",
        was_left=was_left,
        holder="",
    )


def wants_to_run(job: DownloadJob) -> DownloadJob:
    """Return a job that waits for its turn, its last failure forgotten."""
    fresh = replace(job, retries=0, code="", message="", hint="", path="")
    return at_rest(fresh, "queued")


class JobProgress:
    """A running job, changed by what its process says."""

    def __init__(
        self, job: DownloadJob, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.job = replace(job, state="running")
        self._waits = _Waits(clock)
        self._files = {file.path: file for file in job.files}

    def take(self, event: DownloadEvent) -> None:
        """Take one message; `job` is another value afterwards."""
        job = self.job
        match event:
            case wire.DownloadPlan(total_bytes=total, have_bytes=have, items=items):
                self._files.clear()
                self._waits.bytes_came()  # it counts from now
                files = self._merged(items)
                job = replace(job, done_bytes=have, total_bytes=total, files=files)
            case wire.DownloadProgress():
                job = self._progressed(event)
            case wire.DownloadRetry(file=file, reason=reason, wait_s=wait_s):
                self._waits.retry(file, reason, wait_s)
                job = replace(job, retries=job.retries + (not event.is_lock))
            case wire.DownloadVerify(file=file, done_bytes=done, total_bytes=total):
                self._waits.verify(file, done, total)
            case wire.DownloadDone(path=path):
                job = replace(job, state="done", path=path, done_bytes=job.total_bytes)
            case wire.DownloadFailed(code=code, message=text, hint=hint):
                job = replace(job, state="failed", code=code, message=text, hint=hint)
        if job.state == "running":
            is_whole = job.done_bytes >= job.total_bytes
            self.job = replace(job, waiting=self._waits.text(is_whole=is_whole))
        else:
            self.job = at_rest(job, job.state)

    def _progressed(self, event: wire.DownloadProgress) -> DownloadJob:
        if event.done_bytes > self.job.done_bytes:
            self._waits.bytes_came()
        left_bytes = event.total_bytes - event.done_bytes
        speed = event.bytes_per_s
        return replace(
            self.job,
            done_bytes=event.done_bytes,
            total_bytes=event.total_bytes,
            bytes_per_s=speed,
            eta_s=left_bytes / speed if speed >= SLOWEST_BYTES_PER_S else None,
            files=self._merged(event.items),
        )

    def _merged(
        self, changed: tuple[wire.FileState, ...]
    ) -> tuple[wire.FileState, ...]:
        if not changed:
            return self.job.files
        self._files.update((file.path, file) for file in changed)
        return tuple(self._files.values())


@dataclass(frozen=True, slots=True)
class _Wait:
    text: str
    until: float
    """By the clock: when it goes on, or when the news is too old."""
    is_verify: bool = False


class _Waits:
    """What the files of one job wait for, the latest news first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waits: dict[str, _Wait] = {}
        self._last_bytes_at = clock()

    def retry(self, file: str, reason: str, wait_s: float) -> None:
        self._note(file, _Wait(reason, self._clock() + wait_s))

    def verify(self, file: str, done_bytes: int, total_bytes: int) -> None:
        self._waits.pop(file, None)
        self._last_bytes_at = self._clock()  # the disk is busy, not the network
        if done_bytes < total_bytes:
            percent = int(100 * done_bytes / total_bytes)
            text = _("checking {file}: {percent} %").format(file=file, percent=percent)
            until = self._clock() + _VERIFY_SILENCE_S
            self._note(file, _Wait(text, until, is_verify=True))

    def bytes_came(self) -> None:
        """Forget what was waited for long enough: it goes on."""
        now = self._last_bytes_at = self._clock()
        self._waits = {f: wait for f, wait in self._waits.items() if wait.until > now}

    def text(self, *, is_whole: bool) -> str:
        """Say why nothing comes; a whole download needs no more bytes."""
        now = self._clock()
        for file, wait in reversed(self._waits.items()):
            left_s = wait.until - now
            if not wait.is_verify:
                return _retry_text(file, wait.text, left_s)
            if left_s > 0:
                return wait.text
        silent_s = now - self._last_bytes_at
        if silent_s < _SILENCE_S or is_whole:
            return ""
        return _("no data for {seconds} s").format(seconds=int(silent_s))

    def _note(self, file: str, wait: _Wait) -> None:
        self._waits.pop(file, None)  # the latest comes last
        self._waits[file] = wait


def _retry_text(file: str, reason: str, left_s: float) -> str:
    """Say why a file waits; what matters most stands first, lines may be cut."""
    if left_s <= 0:
        return _("{reason}; trying again ({file})").format(reason=reason, file=file)
    return _("{reason}; trying again in {seconds} s ({file})").format(
        reason=reason, seconds=max(1, round(left_s)), file=file
    )
