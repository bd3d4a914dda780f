"""The byte mover: a repo from any endpoint into the HF cache or a plain folder.

huggingface_hub 2.4 begins a killed file again from zero (its issue 4196), so the
bytes are moved here; what is left behind is a cache that it accepts.
"""

import contextlib
import queue
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from qwen_tui.hub.clashes import check_clashes, folds_case
from qwen_tui.hub.client import HubClient, tls_context
from qwen_tui.hub.endpoint import OFFICIAL
from qwen_tui.hub.faults import disk_full, file_trouble
from qwen_tui.hub.plan import Blob, Choice, Plan, make_plan
from qwen_tui.hub.progress import Meter, Report
from qwen_tui.hub.publish import (
    CacheTarget,
    FolderTarget,
    Target,
    existing_folder,
    free_bytes,
)
from qwen_tui.hub.repo_id import check_repo_id, check_revision
from qwen_tui.hub.retry import Retries, Stopped, TransferOptions
from qwen_tui.hub.transfer import Transfer

_LEAVE_S = 0.5


@dataclass(frozen=True, slots=True)
class Job:
    """What to fetch, from where, into which place."""

    repo: str
    endpoint: str
    """Base URL, normalised."""
    cache_dir: Path
    revision: str = "main"
    local_dir: Path | None = None
    """A plain folder instead of the cache."""
    token: str = ""
    token_hosts: tuple[str, ...] = ()
    """Origins that may see the token, beside the official hub."""
    choice: Choice = field(default_factory=Choice)


def download(
    job: Job,
    report: Callable[[Report], None],
    *,
    options: TransferOptions | None = None,
    stop: threading.Event | None = None,
) -> Path:
    """Fetch what is missing of a repo; returns the folder of its files.

    Blocks. `report` is called from several threads, one at a time.

    Args:
        job: What to fetch.
        report: Told the plan, progress a few times a second, and every retry.
        options: How patiently.
        stop: When set, the download ends soon with Stopped; set when it fails.

    Raises:
        UsageError: no repo id or revision.
        HubError: the hub refuses, fails or cannot be reached.
        DownloadError: bytes that stay wrong, or a path that leads outside.
        DiskFull: it does not fit, or no longer does.
        Stopped: `stop` was set. In every case what was fetched is kept.
    """
    options = options or TransferOptions()
    stop = stop or threading.Event()
    check_repo_id(job.repo)
    check_revision(job.revision)
    report = _one_at_a_time(report)
    tls = tls_context()  # once: it takes 40 ms

    def connect() -> HubClient:
        return _client(job, options, tls)

    meter: Meter | None = None
    try:
        with contextlib.closing(connect()) as client:
            plan = _plan(client, job, Retries(options, stop, report))
        target = _target(plan, job)
        meter = _start_meter(plan, target, report, options.reserve_bytes)

        def transfer(client: HubClient) -> Transfer:
            return Transfer(plan, client, target, meter, stop, report, options)

        workers = _Workers(plan.blobs, transfer, connect, stop)
        workers.run(
            options.connections,
            options.report_interval_s,
            lambda: report(meter.read()),
        )
        report(meter.read())
        return target.finish().absolute()
    except OSError as error:
        missing_bytes = meter.missing_bytes if meter is not None else 0
        folder = job.local_dir or job.cache_dir
        raise file_trouble(error, folder, free_bytes(folder), missing_bytes) from error


def _client(job: Job, options: TransferOptions, tls: ssl.SSLContext) -> HubClient:
    return HubClient(
        job.endpoint,
        token=job.token,
        token_origins=(OFFICIAL, *job.token_hosts),
        options=options.http,
        tls=tls,
    )


def _plan(client: HubClient, job: Job, retries: Retries) -> Plan:
    def read_json(address: str) -> tuple[Any, str]:
        return retries.run(lambda: client.read_json(address, what=job.repo), job.repo)

    return make_plan(
        client.host,
        read_json,
        repo=job.repo,
        revision=job.revision,
        choice=job.choice,
    )


def _target(plan: Plan, job: Job) -> Target:
    if job.local_dir is not None:
        target = FolderTarget(plan, job.local_dir)
    else:
        target = CacheTarget(plan, job.cache_dir)
    paths = [file.path for file in plan.files]
    check_clashes(paths, folds_case=lambda: folds_case(existing_folder(target.folder)))
    return target


def _start_meter(
    plan: Plan,
    target: Target,
    report: Callable[[Report], None],
    reserve_bytes: int,
) -> Meter:
    """Report the plan; raises DiskFull when the rest does not fit."""
    meter = Meter(plan.blobs)
    for blob in plan.blobs:
        meter.set(blob.etag, _have_bytes(target, blob))
    planned = meter.plan(plan.commit)
    report(replace(planned, gguf=plan.gguf, other_ggufs=plan.other_ggufs))
    needed = planned.total_bytes - planned.have_bytes
    free = free_bytes(target.folder)
    if needed and needed + reserve_bytes > free:
        raise disk_full(
            target.folder,
            free_bytes=free,
            needed_bytes=needed,
            reserve_bytes=reserve_bytes,
        )
    return meter


def _have_bytes(target: Target, blob: Blob) -> int:
    if target.looks_published(blob):
        return blob.size_bytes
    try:
        partial_bytes = target.partial(blob).stat().st_size
    except FileNotFoundError:
        return 0
    return partial_bytes if partial_bytes <= blob.size_bytes else 0


class _Workers:
    """Fetches blobs with several threads; the first error stops the others."""

    def __init__(
        self,
        blobs: list[Blob],
        make_transfer: Callable[[HubClient], Transfer],
        make_client: Callable[[], HubClient],
        stop: threading.Event,
    ) -> None:
        self._waiting: queue.SimpleQueue[Blob] = queue.SimpleQueue()
        for blob in blobs:
            self._waiting.put(blob)
        self._n_blobs = len(blobs)
        self._make_transfer = make_transfer
        self._make_client = make_client
        self._stop = stop

    def run(self, connections: int, tick_s: float, tick: Callable[[], None]) -> None:
        """Fetch all, calling `tick` every `tick_s` seconds meanwhile.

        Raises:
            Stopped, QwenTuiError, OSError: as `Transfer.fetch`.
        """
        n_threads = min(connections, self._n_blobs)
        pool = ThreadPoolExecutor(connections, thread_name_prefix="download")
        running = {pool.submit(self._work) for _ in range(n_threads)}
        try:
            while running:
                done, running = wait(running, tick_s, FIRST_COMPLETED)
                for future in done:
                    future.result()
                tick()
            if self._stop.is_set():
                raise Stopped
        except BaseException:
            self._stop.set()
            wait(running, _LEAVE_S)  # so that they give back what they hold
            raise
        finally:
            pool.shutdown(wait=False)  # one may sit in a read for a while yet

    def _work(self) -> None:
        # a client each: closing a shared one would pull it from under the others
        with contextlib.closing(self._make_client()) as client:
            transfer = self._make_transfer(client)
            while not self._stop.is_set():
                try:
                    blob = self._waiting.get_nowait()
                except queue.Empty:
                    return
                transfer.fetch(blob)


def _one_at_a_time(report: Callable[[Report], None]) -> Callable[[Report], None]:
    lock = threading.Lock()

    def locked(event: Report) -> None:
        with lock:
            report(event)

    return locked
