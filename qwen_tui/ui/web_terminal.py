"""A terminal for one page of a browser, with the program in it.

The program is the same as in every other terminal: it takes this one over, draws only
what changed, and a page that is closed is a terminal that hung up.
"""

import asyncio
import contextlib
import os
import signal
import sys
import termios
from collections.abc import Callable, Mapping, Sequence
from typing import Self

from qwen_tui.child import with_own_code

MOST_CELLS = 1000
"""Columns or rows; a page that asks for more does not get them."""
_READ_BYTES = 64 * 1024
_GRACE_S = 10.0
"""The program gives itself 3 s to save and to end its children."""
_OF_ANOTHER_TERMINAL = (
    *("TMUX", "TMUX_PANE", "STY", "TERM_PROGRAM", "TERM_PROGRAM_VERSION"),
    *("LC_TERMINAL", "LC_TERMINAL_VERSION", "COLUMNS", "LINES", "TEXTUAL_DRIVER"),
)


class WebTerminal:
    """One program, its terminal's other end, and how to end both."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        """Take over what `start` made."""
        self._process = process
        self._master = master
        self._exited = asyncio.create_task(process.wait())

    @classmethod
    async def start(
        cls,
        arguments: Sequence[str],
        *,
        environ: Mapping[str, str],
        size: tuple[int, int],
    ) -> Self:
        """Start the program.

        Args:
            arguments: Of qwen-tui.
            environ: Ours; what tells of our own terminal is left out.
            size: Columns and rows.

        Raises:
            OSError: the machine has no terminal or process left.
        """
        master, slave = os.openpty()
        try:
            os.set_blocking(master, False)
            _set_size(master, size)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "qwen_tui.ui.web_child", *arguments),
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=_environment(environ),
                start_new_session=True,
            )
        except BaseException:
            os.close(master)
            raise
        finally:
            os.close(slave)
        return cls(process, master)

    async def read(self) -> bytes:
        """Wait for what the program draws; b"" when it has ended."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return os.read(self._master, _READ_BYTES)
            except BlockingIOError:
                if self._exited.done():
                    return b""  # others may still hold the terminal open
                await self._turn(loop.add_reader, loop.remove_reader)
            except OSError:  # EIO: everybody let go of it
                return b""

    async def write(self, data: bytes) -> None:
        """Press keys; what a program that has ended would get is dropped."""
        loop = asyncio.get_running_loop()
        while data and not self._exited.done():
            try:
                data = data[os.write(self._master, data) :]
            except BlockingIOError:
                await self._turn(loop.add_writer, loop.remove_writer)
            except OSError:
                return

    def resize(self, size: tuple[int, int]) -> None:
        """Give the terminal another size, in columns and rows."""
        if not self._exited.done():
            _set_size(self._master, size)

    async def close(self) -> None:
        """Hang up, and wait until the program has saved everything and is gone."""
        os.close(self._master)  # the kernel sends SIGHUP
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._exited), _GRACE_S)
        finally:
            if not self._exited.done():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            await self._exited

    async def _turn(
        self, add: Callable[..., None], remove: Callable[[int], object]
    ) -> None:
        """Wait until the terminal can be read or written, or the program has ended."""
        ready = asyncio.get_running_loop().create_future()
        add(self._master, lambda: ready.done() or ready.set_result(None))
        try:
            await asyncio.wait(
                (ready, self._exited), return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            remove(self._master)


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    mine = {k: v for k, v in environ.items() if k not in _OF_ANOTHER_TERMINAL}
    return with_own_code(mine | {"TERM": "xterm-256color", "COLORTERM": "truecolor"})


def _set_size(master: int, size: tuple[int, int]) -> None:
    columns, rows = (min(max(n, 1), MOST_CELLS) for n in size)
    termios.tcsetwinsize(master, (rows, columns))
