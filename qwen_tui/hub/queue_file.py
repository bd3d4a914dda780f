"""The download jobs on the disk: one JSON file that several programs share.

It appears whole or not at all, for its owner's eyes only (0600), and holds no token.
Whoever changes it reads it first, under a lock beside it.
"""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Generator
from pathlib import Path

from qwen_tui import paths
from qwen_tui.errors import QwenTuiError, UsageError
from qwen_tui.hub.queue_entry import Entry, decode_entries, encode_entries
from qwen_tui.hub.queue_job import at_rest
from qwen_tui.i18n import _
from qwen_tui.processes import has_ended

_LOCK_PATIENCE_S = 10.0
_LOCK_LOOK_S = 0.02
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
_DAMAGED = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RecursionError,
    UsageError,
)


Entries = dict[str, Entry]
"""By the job's id, in the order in which the jobs were made."""


class QueueFile:
    """Reads and changes the file; every method blocks for as long as the disk does."""

    def __init__(self, file: Path, lock_patience_s: float = _LOCK_PATIENCE_S) -> None:
        self._file = file
        self._lock_patience_s = lock_patience_s
        self._lock_file = file.with_name(f"{file.name}.lock")
        self._seen: tuple[int, int, int] | None = None
        self.notice = ""
        """Told once to a person: what was wrong with the file."""

    def has_changed(self) -> bool:
        """Whether somebody else wrote it since this object read or wrote it."""
        return self._signature() != self._seen

    def change(self, change: Callable[[Entries], object]) -> Entries:
        """Read the jobs, let `change` alter them, write them, return them.

        Raises:
            QwenTuiError: "queue_newer", a newer qwen-tui wrote it; "queue_locked";
                "queue_file", the disk refuses.
        """
        try:
            paths.private_folder(self._file.parent)
            with self._locked():
                before = self._read()
                after = dict(before)
                change(after)
                if after != before:
                    self._write(after)
                self._seen = self._signature()
                return after
        except OSError as error:
            raise QwenTuiError(
                _("The list of downloads {file} cannot be used: {reason}.").format(
                    file=self._file, reason=error.strerror or error
                ),
                hint=_("Check the disk and who owns the file and its folder."),
                code="queue_file",
            ) from error

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            stat = self._file.stat()
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    @contextlib.contextmanager
    def _locked(self) -> Generator[None]:
        lock = os.open(self._lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take_lock(lock)
            yield
        finally:
            os.close(lock)

    def _take_lock(self, lock: int) -> None:
        """Wait for the lock, unless the filesystem has none.

        Raises:
            QwenTuiError: "queue_locked", another program does not let go of it.
        """
        deadline = time.monotonic() + self._lock_patience_s
        while not _try_lock(lock):
            if time.monotonic() > deadline:
                raise QwenTuiError(
                    _("Another program keeps the list of downloads {file}.").format(
                        file=self._file
                    ),
                    hint=_("Look for a qwen-tui that hangs or was suspended."),
                    code="queue_locked",
                )
            time.sleep(_LOCK_LOOK_S)

    def _read(self) -> Entries:
        try:
            text = self._file.read_text(encoding="utf-8")
            return {e.job.id: _settled(e) for e in decode_entries(text, self._file)}
        except FileNotFoundError:
            return {}
        except _DAMAGED:
            return self._set_aside()

    def _set_aside(self) -> Entries:
        """Move a file away that is none of ours; nothing in it is lost."""
        stamp = time.strftime("%Y%m%d-%H%M%S")
        broken = self._file.with_name(f"{self._file.name}.broken-{stamp}")
        self._file.replace(broken)
        self.notice = _(
            "The list of downloads was damaged and is now {file}. What was fetched "
            "is still there: download the model again, it goes on."
        ).format(file=broken)
        return {}

    def _write(self, entries: Entries) -> None:
        # one name for all, under the lock: a kill leaves one such file at most
        unfinished = self._file.with_name(f".{self._file.name}.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(unfinished, flags, 0o600), "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor
            stream.write(encode_entries(entries.values()))
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(self._file)
        _sync_folder(self._file.parent)


def _sync_folder(folder: Path) -> None:
    """Bring the file's new name to the disk, where the system knows how."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _try_lock(lock: int) -> bool:
    """Take the lock if it is free, or if the filesystem has none."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


def _settled(entry: Entry) -> Entry:
    """Return an entry as it is now: what its program left running is paused."""
    if not entry.job.is_active:
        return entry
    owner = entry.owner
    if owner is not None and not has_ended(owner.process, entry.seen_at):
        return entry
    return Entry(at_rest(entry.job, "paused", was_left=True))
