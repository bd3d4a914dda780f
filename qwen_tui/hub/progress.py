"""How far a download is, counted by several threads and told a few times a second."""

import threading
import time
from collections import deque
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Progressed:
    """Bytes on disk so far."""

    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    """Over the last five seconds."""
    file: str


@dataclass(frozen=True, slots=True)
class Retrying:
    """Something failed and is tried again after `wait_s`."""

    file: str
    """Path in the repo; of the listing the repo itself."""
    reason: str
    """Translated, a clause without a full stop."""
    wait_s: float


Report = Planned | Progressed | Retrying


class Meter:
    """Adds up what the connections have; safe to use from threads."""

    def __init__(self, total_bytes: int) -> None:
        self._total_bytes = total_bytes
        self._lock = threading.Lock()
        self._have: dict[str, int] = {}
        self._received = 0
        self._file = ""
        self._samples: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def set(self, etag: str, have_bytes: int) -> None:
        """Say what a blob has without having received it now."""
        with self._lock:
            self._have[etag] = have_bytes

    def add(self, etag: str, n_bytes: int, file: str) -> None:
        """Count bytes that came and were written."""
        with self._lock:
            self._have[etag] = self._have.get(etag, 0) + n_bytes
            self._received += n_bytes
            self._file = file

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
            return Progressed(done, self._total_bytes, speed, self._file)
