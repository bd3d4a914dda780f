"""What can be done to the list of jobs, as changes of plain entries."""

import time
from collections.abc import Iterable
from dataclasses import replace

from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.queue_entry import Entry, Owner
from qwen_tui.hub.queue_file import Entries
from qwen_tui.hub.queue_job import DownloadJob, at_rest, wants_to_run
from qwen_tui.i18n import _


def known(entries: Entries, job_id: str) -> Entry:
    """Return a job's entry.

    Raises:
        QwenTuiError: "no_job", it is not in the list.
    """
    entry = entries.get(job_id)
    if entry is None:
        raise QwenTuiError(
            _("This download is not in the list any more."),
            hint=_("Another qwen-tui may have finished or cancelled it."),
            code="no_job",
        )
    return entry


def elsewhere(job: DownloadJob) -> QwenTuiError:
    """The job is another program's, which `job.holder` names."""
    return QwenTuiError(
        _("This model is being downloaded by {holder}.").format(holder=job.holder),
        hint=_("Pause it there first."),
        code="job_elsewhere",
    )


def same_target(entries: Entries, job: DownloadJob) -> Entry | None:
    """Return the entry that fetches the same revision into the same place."""
    return next((e for e in entries.values() if e.job.target == job.target), None)


def add(entries: Entries, job: DownloadJob, owner: Owner) -> None:
    """Queue a new job, or the one of the same target as `job` now asks for it."""
    there = same_target(entries, job)
    if there is None:
        enqueue(entries, job, owner)
    elif not there.job.is_active:
        is_done = there.job.state == "done"
        whole = not job.only or (not is_done and not there.job.only)
        again = replace(
            there.job,
            endpoint=job.endpoint,
            connections=job.connections,
            only=() if whole else job.only,
            gguf=job.gguf or ("" if is_done else there.job.gguf),
        )
        enqueue(entries, again, owner)


def enqueue(
    entries: Entries, job: DownloadJob, owner: Owner, *, is_first: bool = False
) -> None:
    """Let a job wait for its turn, behind those that wait already, or before them."""
    now = time.time()
    queued_at = 0.0 if is_first else now
    entries[job.id] = Entry(
        wants_to_run(job), owner=owner, seen_at=now, queued_at=queued_at
    )


def lay_down(entries: Entries, job: DownloadJob) -> None:
    """Keep a job that nobody runs."""
    entries[job.id] = Entry(job)


def wish(entries: Entries, job_id: str, what: str) -> None:
    """Ask the program that has a job for something."""
    entries[job_id] = replace(entries[job_id], wish=what)


def start_next(entries: Entries, owner: Owner, at_once: int) -> None:
    """Let our jobs run, the longest waiting first, `at_once` in all programs."""
    running = sum(entry.job.state == "running" for entry in entries.values())
    waiting = [e for e in entries.values() if e.job.state == "queued"]
    for entry in sorted(waiting, key=lambda e: e.queued_at):
        if entry.owner == owner and running < at_once:
            running += 1
            job = replace(entry.job, state="running")
            entries[job.id] = replace(entry, job=job)


def keep_own(entries: Entries, own: Iterable[Entry], owner: Owner) -> None:
    """Write over the file's word what is known better here: our own active jobs.

    A job that another program has taken over, because it thought us dead, is left to
    it. A job that is gone from the file is put back.
    """
    for mine in own:
        job, there = mine.job, entries.get(mine.job.id)
        if there is not None and there.owner not in (None, owner):
            continue
        if not job.is_active:
            lay_down(entries, job)
            continue
        wished = there.wish if there is not None else ""
        entries[job.id] = replace(mine, owner=owner, seen_at=time.time(), wish=wished)


def pause_all(entries: Entries, owner: Owner) -> None:
    """Pause what still waits for its turn here, because the program ends."""
    for entry in list(entries.values()):
        if entry.owner == owner and entry.job.state == "queued":
            lay_down(entries, at_rest(entry.job, "paused", was_left=True))
