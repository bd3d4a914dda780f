"""Hash every file of a model, offline, and name those that are not what they should be.

Blocking: run it in a thread. hashlib lets other threads run meanwhile.
"""

import threading
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.hub.cache import LocalModel
from qwen_tui.hub.digest import new_digest, read_steps
from qwen_tui.hub.hashes import HashedFile, hashed_files
from qwen_tui.i18n import _

_REPORT_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class VerifyProgress:
    """How far it is; about ten a second."""

    file: str
    """The one that is read now, as its repo names it."""
    done_bytes: int
    """Of all files together."""
    total_bytes: int


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file that is not what its hash says."""

    path_in_repo: str
    blob: Path
    """What holds the bad bytes."""
    reason: str
    """Translated."""
    revision: str = ""
    """A commit that has the file; empty for a plain folder."""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """The end of it."""

    checked: int
    """Files whose hash is known, the bad ones too."""
    bad: tuple[BadFile, ...]
    unknown: tuple[str, ...]
    """Files for which no hash is known here, so nothing can be said of them."""


def verify_model(
    model: LocalModel, stop: threading.Event
) -> Generator[VerifyProgress | VerifyResult]:
    """Check every file of a model; the last value is the result.

    When `stop` is set it ends within one step of 256 KiB, without a result.
    """
    files = hashed_files(model)
    known = [file for file in files if file.etag or file.stat is None]
    total_bytes = sum(file.stat.size_bytes for file in known if file.stat is not None)
    report = _Report(total_bytes)
    bad: list[BadFile] = []
    for file in known:
        yield report.progress(file)
        reason = yield from _check(file, report, stop)
        if stop.is_set():
            return
        if reason:
            bad.append(BadFile(file.path, file.blob, reason, file.commit))
    yield VerifyResult(
        len(known),
        tuple(bad),
        tuple(file.path for file in files if file not in known),
    )


def discard_bad(bad: Iterable[BadFile]) -> int:
    """Remove bad files, so that a download fetches them alone; returns the bytes freed.

    Of a blob in huggingface_hub's store for all repos only this repo's link goes.

    Raises:
        OSError: a file cannot be removed.
    """
    freed_bytes = 0
    for file in bad:
        if file.blob.is_symlink() or file.blob.is_file():
            freed_bytes += file.blob.lstat().st_size
            file.blob.unlink(missing_ok=True)
    return freed_bytes


class _Report:
    """Counts, and thins out what is told."""

    def __init__(self, total_bytes: int) -> None:
        self._total_bytes = total_bytes
        self._done_bytes = 0
        self._next_at = 0.0

    def add(self, n_bytes: int) -> bool:
        """Count; True when it is time to tell."""
        self._done_bytes += n_bytes
        return time.monotonic() >= self._next_at

    def progress(self, file: HashedFile) -> VerifyProgress:
        self._next_at = time.monotonic() + _REPORT_EVERY_S
        # a file may have grown since it was counted
        done_bytes = min(self._done_bytes, self._total_bytes)
        return VerifyProgress(file.path, done_bytes, self._total_bytes)


def _check(
    file: HashedFile, report: _Report, stop: threading.Event
) -> Generator[VerifyProgress, None, str]:
    """Return why the file is bad, translated; empty when it is good."""
    if file.stat is None:
        return _("missing")
    digest = new_digest(file.etag, file.stat.size_bytes)
    try:
        for step in read_steps(file.blob):
            digest.update(step)
            if report.add(len(step)):
                yield report.progress(file)
            if stop.is_set():
                return ""
    except OSError as error:
        return _("cannot be read: {reason}").format(reason=error.strerror)
    return "" if digest.hexdigest() == file.etag else _("its hash is wrong")
