"""The unfinished files of a job: what a cancel deletes, and what it must not."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.hub.claim import owner_of
from qwen_tui.hub.held import locked
from qwen_tui.hub.partials import RECORDS
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.hub.repo_id import is_content_hash, is_safe_path, repo_folder_name
from qwen_tui.wire import FileState


@dataclass(frozen=True, slots=True)
class CancelPreview:
    """What a cancel deletes, and what stays."""

    partial_bytes: int
    """Of the unfinished files, which are deleted."""
    n_partials: int
    n_finished_files: int
    """Whole, checked files; they stay, and deleting the model deletes them."""


def cancel_preview(job: DownloadJob, others: Iterable[DownloadJob]) -> CancelPreview:
    """Tell what cancelling `job` deletes; `others` are the jobs that stay."""
    partials = _deletable(job, others)
    return CancelPreview(
        partial_bytes=sum(_bytes(path) for path in partials.values()),
        n_partials=len(partials),
        n_finished_files=sum(_is_finished(job, file) for file in job.files),
    )


def delete_partials(job: DownloadJob, others: Iterable[DownloadJob]) -> int:
    """Delete the unfinished files of `job` alone; returns the bytes that are freed.

    One that another program is fetching right now stays.

    Raises:
        OSError: the disk refuses.
    """
    freed = 0
    for etag, partial in _deletable(job, others).items():
        lock_file = _lock_file(job, etag)
        with locked(lock_file) as is_free:
            if is_free and owner_of(lock_file) is None:  # a lock may be had twice
                freed += _bytes(partial)
                partial.unlink(missing_ok=True)
    return freed


def _deletable(job: DownloadJob, others: Iterable[DownloadJob]) -> dict[str, Path]:
    """Etag to unfinished file, for those no other job goes on with."""
    folder = _folder(job)
    kept: set[str] = set()
    for other in others:
        if other.id == job.id or other.state == "done" or _folder(other) != folder:
            continue
        if not other.files:
            return {}  # it may need any of them
        kept |= {file.etag for file in other.files}
    etags = {file.etag for file in job.files if is_content_hash(file.etag)}
    found = {etag: folder / f"{etag}.incomplete" for etag in sorted(etags - kept)}
    return {etag: path for etag, path in found.items() if path.is_file()}


def _is_finished(job: DownloadJob, file: FileState) -> bool:
    if job.local_dir:
        place = Path(job.local_dir) / file.path
        return (
            is_safe_path(file.path)
            and place.is_file()
            and _bytes(place) == file.size_bytes
        )
    return is_content_hash(file.etag) and (_folder(job) / file.etag).is_file()


def _folder(job: DownloadJob) -> Path:
    if job.local_dir:
        return Path(job.local_dir) / RECORDS
    return Path(job.cache_dir) / repo_folder_name(job.repo) / "blobs"


def _lock_file(job: DownloadJob, etag: str) -> Path:
    if job.local_dir:
        return _folder(job) / f"{etag}.lock"
    return Path(job.cache_dir) / ".locks" / repo_folder_name(job.repo) / f"{etag}.lock"


def _bytes(file: Path) -> int:
    """Size of a file, 0 where it is gone meanwhile."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
