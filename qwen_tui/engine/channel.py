"""The pipes to the parent: requests come in by a thread, messages go out.

The reader thread never computes. It queues jobs, and it sets the flags that the
job in progress looks at between chunks and tokens.
"""

import logging
import os
import sys
import threading
from queue import SimpleQueue
from typing import BinaryIO

from qwen_tui import wire
from qwen_tui.chat.events import StreamEvent

_log = logging.getLogger(__name__)

Job = wire.Load | wire.Generate | wire.Warm | wire.Measure | wire.Unload


class Flags:
    """What the parent asked of jobs that run or wait; safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled: set[int] = set()
        self._answer_now: set[int] = set()

    def cancel(self, job_id: int) -> None:
        with self._lock:
            self._cancelled.add(job_id)

    def answer_now(self, job_id: int) -> None:
        with self._lock:
            self._answer_now.add(job_id)

    def is_cancelled(self, job_id: int) -> bool:
        return job_id in self._cancelled

    def wants_answer(self, job_id: int) -> bool:
        return job_id in self._answer_now

    def forget(self, job_id: int) -> None:
        """Drop what was asked of a job that has ended."""
        with self._lock:
            self._cancelled.discard(job_id)
            self._answer_now.discard(job_id)


class Channel:
    """The protocol's two pipes, taken before anything else can print on them."""

    def __init__(self, requests: BinaryIO, messages: BinaryIO) -> None:
        self._requests = requests
        self._messages = messages
        self.flags = Flags()
        self.jobs: SimpleQueue[Job] = SimpleQueue()

    @classmethod
    def take_standard_pipes(cls) -> "Channel":
        """Keep fd 1 for the protocol and point it at stderr for everybody else."""
        messages = os.fdopen(os.dup(1), "wb", buffering=0)
        # tqdm, C libraries and stray prints write to fd 1; ours is the duplicate
        os.dup2(2, 1)
        return cls(sys.stdin.buffer, messages)

    def start_reading(self) -> None:
        """Start the thread that reads requests until the parent is gone."""
        threading.Thread(target=self._read, name="requests", daemon=True).start()

    def send(self, message: wire.Message) -> None:
        """Write one line; ends the process when nobody reads any more."""
        rest = memoryview(wire.encode(message))
        try:
            while rest:
                rest = rest[self._messages.write(rest) :]
        except BrokenPipeError:
            os._exit(0)

    def tell(self, job_id: int, event: StreamEvent) -> None:
        """Send one stream event of a job."""
        self.send(wire.Event(id=job_id, event=event))

    def _read(self) -> None:
        try:
            for line in self._requests:
                self._take(line)
        finally:
            # The parent is gone. No clean-up is owed, and the main thread may sit
            # deep inside torch where no exception would reach it.
            os._exit(0)

    def _take(self, line: bytes) -> None:
        try:
            message = wire.decode(line)
        except wire.WireError:
            _log.exception("a line that is no message was skipped")
            return
        match message:
            case (
                wire.Load()
                | wire.Generate()
                | wire.Warm()
                | wire.Measure()
                | wire.Unload()
            ):
                self.jobs.put(message)
            case wire.Cancel(id=job_id):
                self.flags.cancel(job_id)
            case wire.AnswerNow(id=job_id):
                self.flags.answer_now(job_id)
            case _:
                _log.warning("a %s is no request", type(message).__name__)
