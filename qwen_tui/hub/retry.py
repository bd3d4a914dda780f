"""How hard and how patiently to fetch, and the waiting between two tries."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from qwen_tui.hub.client import HttpOptions
from qwen_tui.hub.faults import Retryable, clause
from qwen_tui.hub.progress import Report, Retrying

_T = TypeVar("_T")


class Stopped(Exception):
    """The download was asked to stop; what came so far is kept."""


@dataclass(frozen=True, slots=True)
class TransferOptions:
    """How hard and how patiently to fetch. Times in seconds."""

    connections: int = 2
    """Files fetched at a time; mirrors count requests."""
    attempts: int = 7
    """In a row without one new byte; then the download fails."""
    backoff_s: float = 0.5
    """First wait; it doubles up to `longest_backoff_s`, and varies by half."""
    longest_backoff_s: float = 30.0
    longest_retry_after_s: float = 600.0
    reserve_bytes: int = 512 * 1024 * 1024
    """Space that a download leaves free."""
    report_interval_s: float = 0.25
    silent_hash_s: float = 1.0
    """Checking a file is reported when it takes longer."""
    lock_wait_s: float = 2.0
    """Between looks at a file that another process is fetching."""
    http: HttpOptions = field(default_factory=HttpOptions)


class Retries:
    """Counts failures in a row and waits between them."""

    def __init__(
        self,
        options: TransferOptions,
        stop: threading.Event,
        report: Callable[[Report], None],
    ) -> None:
        self._options = options
        self._stop = stop
        self._report = report
        self._failures = 0

    def run(self, attempt: Callable[[], _T], what: str) -> _T:
        """Call `attempt` until it returns; raises the last failure's error.

        `what` is named in reports where a file's path would stand.
        """
        while True:
            try:
                return attempt()
            except Retryable as fault:
                self.failed(fault, what)

    def progressed(self) -> None:
        """New bytes came: the next failure counts as the first."""
        self._failures = 0

    def failed(self, fault: Retryable, file: str) -> None:
        """Wait before the next try.

        Raises:
            QwenTuiError: the fault's own error, after too many in a row.
            Stopped: asked to stop while waiting.
        """
        self._failures += 1
        if self._failures >= self._options.attempts:
            raise fault.error from fault
        wait_s = self._wait_s(fault)
        self._report(Retrying(file, clause(fault.error), wait_s))
        if self._stop.wait(wait_s):
            raise Stopped from fault

    def _wait_s(self, fault: Retryable) -> float:
        options = self._options
        backoff_s = min(
            options.backoff_s * 2 ** (self._failures - 1), options.longest_backoff_s
        )
        # two clients that failed together should not come back together
        backoff_s *= random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        asked_s = min(fault.retry_after_s or 0.0, options.longest_retry_after_s)
        return max(backoff_s, asked_s)
