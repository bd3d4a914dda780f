"""What was sent, kept across sessions: one JSON line a prompt, the newest last.

Several programs may write at once: each adds whole lines under a lock, and whoever
finds the file grown writes it anew without what is too old or stands there twice.
"""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Generator, Iterable
from pathlib import Path

from qwen_tui import paths

PROMPTS_FILE = "prompts.jsonl"
LIMIT = 1_000
PROMPT_LIMIT_CHARS = 65_536
"""A longer prompt is a pasted file, which nobody looks for here."""
_GROWN_LINES = 2 * LIMIT
_GROWN_BYTES = 8_000_000
_READ_BYTES = 64_000_000  # the file is a person's own, and yet may be anything


class PromptHistory:
    """Reads and writes the file; every method may wait for the disk."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def load(self) -> list[str]:
        """Return the prompts, oldest first, each once; lines that are none are left.

        Raises:
            OSError: the file is there and cannot be read.
        """
        try:
            with self.file.open("rb") as stream:
                return _newest(_prompts_of(stream.read(_READ_BYTES)))
        except FileNotFoundError:
            return []

    def add(self, prompt: str) -> None:
        """Write one prompt down; blank and very long ones are left out.

        Raises:
            OSError: the file cannot be written.
        """
        if not prompt.strip() or len(prompt) > PROMPT_LIMIT_CHARS:
            return
        paths.private_folder(self.file.parent)
        line = json.dumps({"prompt": prompt}).encode("ascii") + b"\n"
        with self._locked() as descriptor:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # a program ended in the middle of its line
            os.write(descriptor, line)
            self._shorten(descriptor, size + len(line))

    @contextlib.contextmanager
    def _locked(self) -> Generator[int]:
        """Open the file that has the name now, and no other, for this program alone."""
        while True:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(self.file, flags, 0o600)
            try:
                with contextlib.suppress(OSError):  # network filesystems without locks
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                if self._is_current(descriptor):
                    yield descriptor
                    return
            finally:
                os.close(descriptor)

    def _is_current(self, descriptor: int) -> bool:
        """Tell whether nobody wrote the file anew while this program waited."""
        try:
            return os.path.samestat(os.fstat(descriptor), self.file.stat())
        except FileNotFoundError:
            return False

    def _shorten(self, descriptor: int, size: int) -> None:
        data = os.pread(descriptor, min(size, _READ_BYTES), 0)
        if data.count(b"\n") <= _GROWN_LINES and size <= _GROWN_BYTES:
            return
        kept = _newest(_prompts_of(data))
        # mkstemp makes the file 0600.
        handle, name = tempfile.mkstemp(
            dir=self.file.parent, prefix=f".{self.file.name}."
        )
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                stream.writelines(json.dumps({"prompt": p}) + "\n" for p in kept)
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(self.file)
        finally:
            unfinished.unlink(missing_ok=True)


def _prompts_of(data: bytes) -> Generator[str]:
    for line in data.split(b"\n"):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):  # of another program, or cut in the middle
            continue
        match entry:
            case {"prompt": str() as prompt} if 0 < len(prompt) <= PROMPT_LIMIT_CHARS:
                yield prompt
            case _:
                continue


def _newest(prompts: Iterable[str]) -> list[str]:
    """Return the last ones, oldest first, each where it was written last."""
    once = dict.fromkeys(reversed(list(prompts)))
    return list(once)[:LIMIT][::-1]
