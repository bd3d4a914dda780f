"""The hash that names a file's content on the hub."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from qwen_tui.hub.layout import open_unseen

_SHA256_HEX = 64
_STEP_BYTES = 256 * 1024  # stays in the processor's cache between read and hash


class Digest(Protocol):
    """A hash that is being made, as hashlib has them."""

    def update(self, data: memoryview, /) -> None:
        """Go on with these bytes."""
        ...

    def hexdigest(self) -> str:
        """The hash so far, in lower-case hex."""
        ...


def file_hash(file: Path, etag: str, step: Callable[[int], None] | None = None) -> str:
    """The hash of a file in the form of `etag`: sha256, or git's blob sha1.

    `step` is told how many bytes have been read, a few times per MiB; it may raise.
    """
    digest = new_digest(etag, file.stat().st_size)
    done_bytes = 0
    for part in read_steps(file):
        digest.update(part)
        done_bytes += len(part)
        if step is not None:
            step(done_bytes)
    return digest.hexdigest()


def new_digest(etag: str, size_bytes: int) -> Digest:
    """Begin the hash of a file of this size, in the form of `etag`."""
    if len(etag) == _SHA256_HEX:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % size_bytes, usedforsecurity=False)


def read_steps(file: Path) -> Iterator[memoryview]:
    """Read a file step by step; each step is good until the next is asked for.

    Raises:
        OSError: it cannot be opened or read.
    """
    buffer = memoryview(bytearray(_STEP_BYTES))
    with open_unseen(file) as stream:
        while n_bytes := stream.readinto(buffer):
            yield buffer[:n_bytes]
