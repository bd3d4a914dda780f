"""The engine process, driven by its pipes as the parent does."""

import queue
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from qwen_tui import wire
from qwen_tui.backends.engine_child import engine_environment
from qwen_tui.chat.backend import ModelSource, PromptMessage, TurnRequest
from qwen_tui.chat.events import Failed, Finished, Loaded, StreamEvent
from qwen_tui.chat.sampling import Sampling
from qwen_tui.wire_engine import LoadOptions
from tests.helpers import PATIENCE_S
from tests.models import REPOSITORY

GIVES_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536"}
"""For glibc: a process then keeps no large memory that it does not use."""

_ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def memory_of(pid: int) -> int:
    """Return what RLIMIT_DATA counts of a process, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(row for row in status.splitlines() if row.startswith("VmData:"))
    return int(line.split()[1]) * 1024


_LAST = (Loaded, Finished, Failed)


class EngineProcess:
    """One `python -m qwen_tui.engine`."""

    def __init__(self, log: Path, environ: Mapping[str, str] | None = None) -> None:
        with log.open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "qwen_tui.engine"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=REPOSITORY,
                env={**engine_environment(None), **_ONE_THREAD, **(environ or {})},
                start_new_session=True,
            )
        self._messages: queue.SimpleQueue[wire.Message | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self._n_requests = 0

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._messages.put(wire.decode(line))
        self._messages.put(None)

    def next(self) -> wire.Message:
        message = self._messages.get(timeout=2 * PATIENCE_S)
        assert message is not None, "the engine ended"
        return message

    def send(self, message: wire.Message) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(wire.encode(message))
        self.process.stdin.flush()

    def load(self, path: Path, kind: str = "", **options: object) -> int:
        self._n_requests += 1
        kind = kind or ("gguf" if path.suffix == ".gguf" else "folder")
        source = ModelSource(
            path.name, str(path), "gguf" if kind == "gguf" else "folder"
        )
        request = wire.Load(self._n_requests, source, LoadOptions(**options))  # pyright: ignore[reportArgumentType]
        self.send(request)
        return self._n_requests

    def ask(
        self,
        prompt: str,
        *,
        limit: int = 32,
        sampling: Sampling | None = None,
        messages: tuple[PromptMessage, ...] = (),
    ) -> int:
        self._n_requests += 1
        request = TurnRequest(
            messages or (PromptMessage("user", prompt),),
            sampling or Sampling(temperature=0),
            limit,
        )
        self.send(wire.Generate(self._n_requests, request))
        return self._n_requests

    def warm(self, *messages: PromptMessage) -> int:
        self._n_requests += 1
        request = TurnRequest(messages, Sampling(temperature=0), 32)
        self.send(wire.Warm(self._n_requests, request))
        return self._n_requests

    def unload(self) -> int:
        self._n_requests += 1
        self.send(wire.Unload(self._n_requests))
        return self._n_requests

    def events(self, request: int) -> Iterator[StreamEvent]:
        """Yield the events of a request up to its last one."""
        while True:
            message = self.next()
            assert isinstance(message, wire.Event)
            if message.id < request:
                continue  # late, of an earlier request
            assert message.id == request
            yield message.event
            if isinstance(message.event, _LAST):
                return

    def last(self, request: int) -> StreamEvent:
        return list(self.events(request))[-1]

    def limit_memory(self, more_bytes: int) -> None:
        """Let the process have so much more memory than it has now, and no more."""
        limit = memory_of(self.process.pid) + more_bytes
        self._limit((limit, resource.RLIM_INFINITY))

    def lift_limit(self) -> None:
        """Let the process have what it wants again."""
        self._limit((resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def _limit(self, limits: tuple[int, int]) -> None:
        resource.prlimit(self.process.pid, resource.RLIMIT_DATA, limits)

    def end(self) -> float:
        """Close stdin; return the seconds until the process was gone, by itself."""
        assert self.process.stdin is not None
        begun = time.monotonic()
        self.process.stdin.close()
        assert self.process.wait(timeout=PATIENCE_S) == 0
        return time.monotonic() - begun

    def kill(self) -> None:
        """Leave nothing behind, however a test ended."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None and not pipe.closed:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
