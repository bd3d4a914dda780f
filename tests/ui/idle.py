"""When an app under test has nothing to do: sooner seen than Textual 8.2.8 sees it.

Textual's pilot sleeps at least 20 ms after each key and in each pause, twice for a
key, and again until a slice of 20 ms took under 1 ms of processor time. That was half
of this room's time. Two slices of 5 ms say the same where no thread works.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

_SLICE_S = 0.005
_QUIET_SLICES = 2
"""In a row: the machine may have been busy with others in one of them."""
_BUSY_SHARE = 0.1
"""Of a slice: who computes longer than that has more to do."""
_THREADS_S = 0.02
"""How long threads are waited for: one may wait for what the test will do next."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class CountingExecutor(ThreadPoolExecutor):
    """An event loop's threads, and how many of them have something to do."""

    def __init__(self) -> None:
        super().__init__(thread_name_prefix="asyncio")
        self.n_waiting = 0

    def submit(
        self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> Future[_T]:
        """Count a piece of work until it is done."""
        self.n_waiting += 1
        future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(self._note_done)
        return future

    def _note_done(self, _future: Future[_T]) -> None:
        self.n_waiting -= 1


class Idle:
    """Waits as `textual._wait.wait_for_idle` does, in the loop of one test."""

    def __init__(self) -> None:
        self._executor: CountingExecutor | None = None

    async def wait(self, min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
        """Return when the process has been quiet; after `max_sleep` seconds anyway."""
        threads = self._threads()
        begun, n_quiet = time.monotonic(), 0
        while True:
            slice_begun, used = time.monotonic(), time.process_time()
            await asyncio.sleep(_SLICE_S)
            now, used = time.monotonic(), time.process_time() - used
            n_quiet = n_quiet + 1 if used < _BUSY_SHARE * (now - slice_begun) else 0
            waited_s = now - begun
            rests = not threads.n_waiting or waited_s > _THREADS_S
            if n_quiet >= _QUIET_SLICES and waited_s > min_sleep and rests:
                return
            if waited_s >= max_sleep:
                return

    def _threads(self) -> CountingExecutor:
        if self._executor is None:
            self._executor = CountingExecutor()
            asyncio.get_running_loop().set_default_executor(self._executor)
        return self._executor
