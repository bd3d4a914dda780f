"""A real terminal around a real program: a pty, and every byte kept."""

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e.shown import Shown

PATIENCE_S = 60.0
_SLICE_S = 0.05
_STALLED_S = 0.7
_STALLED_TICKS = 10  # of a hundredth of a second, within that time
_FULL_BYTES = 4000  # Linux lets 4095 bytes wait for a reader
_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")


class Terminal(Shown):
    """One program in one terminal. Nothing is read unless a method waits."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        columns: int = 120,
        rows: int = 36,
        cwd: Path | None = None,
    ) -> None:
        super().__init__(columns, rows)
        self.master, slave = os.openpty()
        self.set_window(columns, rows)
        self.attributes_before = termios.tcgetattr(self.master)
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self._master_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            error.add_note(f"the screen was:\n{self.text()}")
        if self.process.poll() is None:
            for pid in descendants(self.process.pid) | {self.process.pid}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
        self.hang_up()

    # what a person does

    def send(self, keys: str | bytes) -> None:
        """Press keys: text, or the bytes a terminal would send."""
        data = keys.encode() if isinstance(keys, str) else keys
        while data:
            self.pump(0)
            _, ready, _ = select.select([], [self.master], [], PATIENCE_S)
            assert ready, "the program reads no more keys"
            data = data[os.write(self.master, data[:1024]) :]

    def paste(self, text: str) -> None:
        """Paste as a terminal with bracketed paste does."""
        self.send(f"\x1b[200~{text}\x1b[201~")

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self.screen.resize(rows, columns)
        self.set_window(columns, rows)

    @property
    def pid(self) -> int:
        """The process below which all that is shown runs."""
        return self.process.pid

    def hang_up(self) -> None:
        """Close the window."""
        if self._master_open:
            self._master_open = False
            os.close(self.master)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        self.process.send_signal(number)

    # what a person sees

    def line_with(self, text: str) -> str:
        """Return the first line that holds `text`, empty when none does."""
        return next((x for x in self.text().splitlines() if text in x), "")

    def wait_for(self, text: str, *, patience_s: float = PATIENCE_S) -> None:
        """Wait until `text` is on the screen."""
        self.wait_until(lambda: text in self.text(), repr(text), patience_s=patience_s)

    def wait_gone(self, text: str, *, patience_s: float = PATIENCE_S) -> None:
        """Wait until `text` is not on the screen."""
        self.wait_until(
            lambda: text not in self.text(), f"no {text!r}", patience_s=patience_s
        )

    def wait_until(
        self,
        condition: Callable[[], bool],
        what: str = "",
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Read what the program sends until `condition()` holds."""
        deadline = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < deadline, f"never seen: {what or condition}"
            alive = self.process.poll() is None
            if not self.pump(_SLICE_S) and not alive:
                assert condition(), f"the program ended without {what or condition}"

    def wait_quiet(self, quiet_s: float, *, patience_s: float = PATIENCE_S) -> None:
        """Wait until the program has sent nothing for `quiet_s` seconds."""
        deadline = time.monotonic() + patience_s
        last = time.monotonic()
        while time.monotonic() - last < quiet_s:
            assert time.monotonic() < deadline, "the program never falls silent"
            if self.pump(_SLICE_S):
                last = time.monotonic()

    def wait_stalled(self, *, patience_s: float = PATIENCE_S) -> None:
        """Read nothing until the terminal stays full, and the program does little.

        It may look now and then whether anybody reads again.
        """
        deadline = time.monotonic() + patience_s
        used, since = -_STALLED_TICKS, time.monotonic()
        while time.monotonic() - since < _STALLED_S:
            assert time.monotonic() < deadline, "the program is not stalled"
            now_used = _ticks(self.process.pid)
            if not self._is_full() or now_used - used >= _STALLED_TICKS:
                used, since = now_used, time.monotonic()
            time.sleep(_SLICE_S)

    def wait_exit(self, *, patience_s: float = PATIENCE_S, reading: bool = True) -> int:
        """Wait for the end; `reading=False` is a terminal that has stalled."""
        deadline = time.monotonic() + patience_s
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "the program does not end"
            if reading:
                self.pump(_SLICE_S)
            else:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(_SLICE_S)
        while reading and self.pump(_SLICE_S):
            pass
        return self.process.returncode

    def pump(self, timeout_s: float, *, most: int = 65536) -> int:
        """Read once, at most so many bytes; return how many came in time."""
        if not self._master_open:
            return 0
        ready, _, _ = select.select([self.master], [], [], timeout_s)
        if not ready:
            return 0
        try:
            data = os.read(self.master, most)
        except OSError:  # EIO: the program and all its children let go
            return 0
        self.feed(data)
        return len(data)

    def modes(self) -> dict[int, bool]:
        """Return every private mode the program touched, and whether it is on."""
        found: dict[int, bool] = {}
        for numbers, switch in _MODE.findall(bytes(self.raw)):
            for number in numbers.split(b";"):
                found[int(number)] = switch == b"h"
        return found

    def assert_restored(self) -> None:
        """Fail unless the terminal is as the program found it."""
        modes = self.modes()
        assert modes.pop(25), "the cursor is hidden"
        assert modes.pop(7, True), "lines do not wrap"
        on = [number for number, is_on in modes.items() if is_on]
        assert not on, f"modes left on: {on}"
        pushed = len(re.findall(rb"\x1b\[>\d+u", self.raw))
        popped = sum(int(n or 1) for n in re.findall(rb"\x1b\[<(\d*)u", self.raw))
        assert popped >= pushed
        assert termios.tcgetattr(self.master) == self.attributes_before

    def _is_full(self) -> bool:
        asked = fcntl.ioctl(self.master, termios.FIONREAD, b"    ")
        return struct.unpack("i", asked)[0] >= _FULL_BYTES

    def set_window(self, columns: int, rows: int) -> None:
        """Tell the program a size, 0 for unknown; our own picture keeps its own."""
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)


def plain_environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment whose every folder is inside `home`."""
    keep = {k: os.environ[k] for k in ("PATH", "LD_LIBRARY_PATH") if k in os.environ}
    return {
        **keep,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        **more,
    }


def _ticks(pid: int) -> int:
    """Return the processor time a process has used, in clock ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def descendants(pid: int) -> set[int]:
    """Return the ids of every process below `pid`."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            rest: list[Any] = stat.read_text().rpartition(")")[2].split()
            parents[int(stat.parent.name)] = int(rest[1])
    found: set[int] = set()
    while True:
        more = {p for p, q in parents.items() if q == pid or q in found} - found
        if not more:
            return found
        found |= more


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
