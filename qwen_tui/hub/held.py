"""Whether another process holds a file: a download's lock, or a model in use.

By flock(2) and the owner files of our downloads (see `claim`), so that nothing is
written and no library is imported. A flock ends with its process, however that ends.
"""

import contextlib
import errno
import fcntl
import os
from collections.abc import Generator
from pathlib import Path

from qwen_tui.hub.claim import owner_of

_NO_FLOCK = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)


def is_locked(lock_file: Path) -> bool:
    """Whether somebody holds huggingface_hub's kind of lock on this path.

    A live owner counts, whatever the lock says. Where the filesystem has no flock, the
    library takes the lock by creating the file, so there the file itself means "held".
    """
    if owner_of(lock_file) is not None:
        return True
    held = _is_held(lock_file, fcntl.LOCK_SH)
    return lock_file.exists() if held is None else held


def is_in_use(model_path: Path) -> bool:
    """Whether an engine process holds this model: it keeps a shared lock on the path.

    What cannot be seen: programs other than qwen-tui, engines of other machines on a
    network filesystem, and anything on a filesystem without flock.
    """
    return _is_held(model_path, fcntl.LOCK_EX) is True


@contextlib.contextmanager
def locked(lock_file: Path) -> Generator[bool]:
    """Hold huggingface_hub's kind of lock meanwhile; False when another has it."""
    if owner_of(lock_file) is not None:
        yield False
        return
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        # as the library opens it: everybody of the group may wait for it
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(lock_file, flags, 0o664)
    except OSError:
        yield False
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)


def _is_held(path: Path, kind: int) -> bool | None:
    """Try a lock and give it back; None where the filesystem cannot tell."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        return None if error.errno in _NO_FLOCK else True
    finally:
        os.close(descriptor)
    return False
