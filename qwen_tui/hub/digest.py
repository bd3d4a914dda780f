"""The hash that names a file's content on the hub."""

import hashlib
from collections.abc import Callable
from pathlib import Path

_SHA256_HEX = 64
_STEP_BYTES = 256 * 1024  # stays in the processor's cache between read and hash


def file_hash(file: Path, etag: str, step: Callable[[int], None] | None = None) -> str:
    """The hash of a file in the form of `etag`: sha256, or git's blob sha1.

    `step` is told how many bytes have been read, a few times per MiB; it may raise.
    """
    if len(etag) == _SHA256_HEX:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(usedforsecurity=False)
        digest.update(b"blob %d\0" % file.stat().st_size)
    buffer = memoryview(bytearray(_STEP_BYTES))
    done_bytes = 0
    with file.open("rb", buffering=0) as stream:
        while n_bytes := stream.readinto(buffer):
            digest.update(buffer[:n_bytes])
            done_bytes += n_bytes
            if step is not None:
                step(done_bytes)
    return digest.hexdigest()
