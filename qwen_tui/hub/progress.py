"""How far a download is, counted by several threads and told a few times a second."""

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qwen_tui.hub.plan import Blob
from qwen_tui.wire import FileState

_SPEED_WINDOW_S = 5.0
_SHORTEST_S = 0.001  # never divide by nothing


@dataclass(frozen=True, slots=True)
class Planned:
    """What will be fetched."""

    n_files: int
    total_bytes: int
    have_bytes: int
    """Already here: whole files and partials."""
    commit: str
    items: tuple[FileState, ...]
    gguf: str = ""
    """As in `Plan`, with the next."""
    other_ggufs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progressed:
    """Bytes on disk so far."""

    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    """Over the last five seconds."""
    file: str
    items: tuple[FileState, ...]
    """Files that changed since the last report."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """Something failed and is tried again after `wait_s`."""

    file: str
    """Path in the repo; of the listing the repo itself."""
    reason: str
    """Translated, a clause without a full stop."""
    wait_s: float
    is_lock: bool = False
    """Another program fetches it; nothing failed."""


@dataclass(frozen=True, slots=True)
class Verifying:
    """A whole file is read again to check its hash."""

    file: str
    done_bytes: int
    total_bytes: int


Report = Planned | Progressed | Retrying | Verifying


class Meter:
    """Adds up what the connections have; safe to use from threads."""

    def __init__(self, blobs: Sequence[Blob]) -> None:
        """Begin with nothing of any blob; the order stays that of `blobs`."""
        self._blobs = {blob.etag: blob for blob in blobs}
        self._total_bytes = sum(blob.size_bytes for blob in blobs)
        self._lock = threading.Lock()
        self._have = dict.fromkeys(self._blobs, 0)
        self._changed: dict[str, None] = {}
        self._received = 0
        self._file = ""
        self._samples: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def set(self, etag: str, have_bytes: int) -> None:
        """Say what a blob has without having received it now."""
        with self._lock:
            if self._have[etag] != have_bytes:
                self._have[etag] = have_bytes
                self._changed[etag] = None

    def add(self, etag: str, n_bytes: int, file: str) -> None:
        """Count bytes that came and were written."""
        with self._lock:
            self._have[etag] += n_bytes
            self._changed[etag] = None
            self._received += n_bytes
            self._file = file

    @property
    def missing_bytes(self) -> int:
        """What is still to be fetched."""
        with self._lock:
            return self._total_bytes - sum(self._have.values())

    def plan(self, commit: str) -> Planned:
        """What there is to fetch; the first report."""
        with self._lock:
            self._changed.clear()
            items = self._states(self._blobs)
            have = sum(self._have.values())
            return Planned(len(items), self._total_bytes, have, commit, items)

    def read(self) -> Progressed:
        """How far it is now; to be read a few times a second, also in a stall."""
        with self._lock:
            now, samples = time.monotonic(), self._samples
            samples.append((now, self._received))
            while len(samples) > 1 and samples[1][0] <= now - _SPEED_WINDOW_S:
                samples.popleft()
            since_s, before = samples[0]
            speed = (self._received - before) / max(now - since_s, _SHORTEST_S)
            done = sum(self._have.values())
            items = self._states(self._changed)
            self._changed.clear()
            return Progressed(done, self._total_bytes, speed, self._file, items)

    def _states(self, etags: Iterable[str]) -> tuple[FileState, ...]:
        return tuple(
            FileState(path, blob.size_bytes, self._have[blob.etag], blob.etag)
            for blob in map(self._blobs.__getitem__, etags)
            for path in blob.paths
        )
