"""One process writes a partial: the library's lock, and a file that names the owner.

On network filesystems two processes can get one lock (huggingface_hub's issue 4306:
flock silently succeeds twice on Lustre, GPFS and NFS). So whoever has the lock also
leaves a file with host, pid and start time, and keeps its date fresh. Who finds one
of a live process waits, whatever the lock says, and can tell for whom.
"""

import contextlib
import json
import os
import threading
import time
from collections.abc import Generator
from dataclasses import asdict
from pathlib import Path
from typing import cast

from qwen_tui.processes import (
    FOREIGN_SILENCE_S,
    ProcessId,
    has_ended,
    this_process,
)

_BEAT_S = 10.0
_SETTLE_S = 0.2
_OWNER_SUFFIX = ".owner"


class ClaimLost(Exception):
    """Another process took over a file that this one was writing."""


class Claim:
    """The right to write one partial, kept fresh by a thread."""

    def __init__(self, owner_file: Path) -> None:
        self._owner_file = owner_file
        self._seen_at = time.time()
        self._ended = threading.Event()
        self._beater = threading.Thread(target=self._keep_fresh, daemon=True)
        self._beater.start()

    def check(self) -> None:
        """Raise ClaimLost when another took over, as it may after a long sleep."""
        if time.time() - self._seen_at < FOREIGN_SILENCE_S / 2:
            return
        if _read_owner(self._owner_file) != this_process():
            raise ClaimLost
        self._beat()

    def release(self) -> None:
        """Leave the file to others."""
        self._ended.set()
        self._beater.join()
        if _read_owner(self._owner_file) == this_process():
            self._owner_file.unlink(missing_ok=True)

    def _keep_fresh(self) -> None:
        while not self._ended.wait(_BEAT_S):
            if _read_owner(self._owner_file) == this_process():
                self._beat()

    def _beat(self) -> None:
        with contextlib.suppress(OSError):
            os.utime(self._owner_file)
            self._seen_at = time.time()


@contextlib.contextmanager
def try_claim(lock_file: Path, wait_s: float) -> Generator[Claim | None]:
    """Hold the library's kind of lock and its owner file.

    Yields None when another process has them; `owner_of` may tell which.

    Raises:
        OSError: the folder cannot be written.
    """
    from huggingface_hub.utils import WeakFileLock

    lock_file.parent.mkdir(parents=True, exist_ok=True)
    owner_file = lock_file.with_suffix(_OWNER_SUFFIX)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(WeakFileLock(lock_file, timeout=wait_s))
        except TimeoutError:
            yield None
            return
        if not _take_within(owner_file, wait_s):
            yield None
            return
        claim = Claim(owner_file)
        stack.callback(claim.release)
        yield claim


def owner_of(lock_file: Path) -> ProcessId | None:
    """The live process that says it writes the partial of this lock."""
    owner_file = lock_file.with_suffix(_OWNER_SUFFIX)
    owner = _read_owner(owner_file)
    try:
        last_seen_at = owner_file.stat().st_mtime
    except OSError:
        return None
    if owner is None or has_ended(owner, last_seen_at):
        return None
    return owner


def _take_within(owner_file: Path, wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    while not _take(owner_file):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_SETTLE_S)
    return True


def _take(owner_file: Path) -> bool:
    """Write our name, unless a live process's stands there."""
    fresh = owner_file.with_suffix(".claim")
    try:
        fresh.unlink(missing_ok=True)
        fresh.write_text(json.dumps(asdict(this_process())), encoding="utf-8")
        if not _link(fresh, owner_file):
            if not _is_free(owner_file, now=fresh.stat().st_mtime):
                return False
            fresh.replace(owner_file)
            time.sleep(_SETTLE_S)  # two may take over at once: the later one stays
    except FileNotFoundError:  # another one's claim at the same moment
        return False
    finally:
        fresh.unlink(missing_ok=True)
    return _read_owner(owner_file) == this_process()


def _link(fresh: Path, owner_file: Path) -> bool:
    """Give the claim its name; False when that is taken, or links are not known."""
    try:
        owner_file.hardlink_to(fresh)  # unlike opening it is atomic on every NFS
    except FileNotFoundError:
        raise
    except OSError:
        return False
    return True


def _is_free(owner_file: Path, now: float) -> bool:
    """Whether the owner has ended; `now` is read off the same filesystem's clock."""
    try:
        silent_s = now - owner_file.stat().st_mtime
    except FileNotFoundError:
        return True
    owner = _read_owner(owner_file)
    if owner is None:  # torn by a crash
        return silent_s > FOREIGN_SILENCE_S
    return owner == this_process() or has_ended(owner, time.time() - silent_s)


def _read_owner(owner_file: Path) -> ProcessId | None:
    try:
        body = json.loads(owner_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(body, dict):
        return None
    fields = cast(dict[str, object], body)
    host, pid, started = fields.get("host"), fields.get("pid"), fields.get("started")
    if isinstance(host, str) and isinstance(pid, int) and isinstance(started, str):
        return ProcessId(host, pid, started)
    return None
