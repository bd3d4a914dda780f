"""A child process that speaks lines of `wire`: start, send, receive, ask-wait-kill.

The child's standard error is a file: a pipe that nobody reads fills up and
stops the child. It runs in a session of its own, so that Ctrl+C in the
terminal reaches the parent alone and the whole group can be ended at once.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from qwen_tui import wire
from qwen_tui.i18n import _
from qwen_tui.paths import private_folder

LOG_LIMIT_BYTES = 4 * 1024 * 1024
_PIPES_GRACE_S = 1.0
_PACKAGES_FOLDERS = ("site-packages", "dist-packages")
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)


class ChildGone(Exception):
    """A message was sent to a child that has ended."""


class _Pipes(asyncio.SubprocessProtocol):
    """What asyncio tells of the process and its pipes.

    asyncio's own `Process` tells the exit only when the pipes are closed, which a
    grandchild may hold for long. Here the group is killed at the exit; what is in
    the pipes can still be read, and a grandchild that got away is not waited for.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.output = asyncio.StreamReader(limit=wire.LINE_LIMIT_BYTES, loop=self.loop)
        self.can_write = asyncio.Event()
        self.can_write.set()
        self.is_input_lost = False
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()
        self._process: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._process = transport
        output = transport.get_pipe_transport(1)
        assert output is not None
        self.output.set_transport(output)  # so that it stops reading when full

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.output.feed_data(data)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == 0:
            self.is_input_lost = True
            self.can_write.set()
        else:
            self.output.feed_eof()

    def pause_writing(self) -> None:
        self.can_write.clear()

    def resume_writing(self) -> None:
        self.can_write.set()

    def process_exited(self) -> None:
        process = self._process
        assert process is not None
        # At once: nobody else can have got its number, which names the group.
        _signal_group(process.get_pid(), signal.SIGKILL)
        self.exited.set()
        self.loop.call_later(_PIPES_GRACE_S, process.close)

    def connection_lost(self, exc: Exception | None) -> None:
        assert self._process is not None
        self._process.close()
        self.closed.set()


class Child:
    """One running child process."""

    def __init__(
        self, process: asyncio.SubprocessTransport, pipes: _Pipes, log_file: Path
    ) -> None:
        entry = process.get_pipe_transport(0)
        assert isinstance(entry, asyncio.WriteTransport)
        self._input = entry
        self._process = process
        self._pipes = pipes
        self._log_file = log_file
        self._ended_by_us = False
        self.pid = process.get_pid()

    @classmethod
    async def start(
        cls, module: str, *, env: Mapping[str, str], log_file: Path
    ) -> "Child":
        """Run `python -m module` with the environment `env`, whole as it is.

        The module is looked for where this program's own code is and on `env`'s
        PYTHONPATH, never in the current folder, which may hold anything.

        Raises:
            OSError: the log cannot be written or the process cannot be started.
        """
        loop = asyncio.get_running_loop()
        log = _open_log(log_file)
        try:
            process, pipes = await loop.subprocess_exec(
                _Pipes,
                *(sys.executable, "-P", "-m", module),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=with_own_code(env),
                start_new_session=True,
            )
        finally:
            os.close(log)
        return cls(process, pipes, log_file)

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while the child runs."""
        return self._process.get_returncode()

    async def send(self, message: wire.Message) -> None:
        """Send one message.

        Raises:
            ChildGone: the child has ended or closed its standard input.
        """
        if not self._hears:
            raise ChildGone(self.death())
        self._input.write(wire.encode(message))
        await self._pipes.can_write.wait()
        if not self._hears:
            raise ChildGone(self.death())

    @property
    def _hears(self) -> bool:
        lost = self._pipes.is_input_lost or self._input.is_closing()
        return not lost and self.returncode is None

    async def messages(self) -> AsyncIterator[wire.Message]:
        """Yield what the child says until it closes its output; read by one task."""
        while True:
            try:
                line = await self._pipes.output.readline()
            except ValueError as error:  # longer than LINE_LIMIT_BYTES; it is skipped
                self._note(str(error))
                continue
            if not line:
                return
            try:
                message = wire.decode(line)
            except wire.WireError as error:
                self._note(str(error))
                continue
            yield message

    async def stop(self, grace_s: float = 2.0) -> None:
        """End the child: close its input, wait, SIGTERM, wait, SIGKILL."""
        self._ended_by_us = True
        self._input.close()
        try:
            if not await self._exits_within(grace_s):
                _signal_group(self.pid, signal.SIGTERM)
                await self._exits_within(grace_s)
        finally:  # also when this task is cancelled meanwhile
            self.kill()
        await self.wait()

    def kill(self) -> None:
        """End the child's process group now; safe in a signal handler, idempotent."""
        if self.returncode is None:
            self._ended_by_us = True
            _signal_group(self.pid, signal.SIGKILL)

    async def wait(self) -> int:
        """Return the exit code once the child, and what it started, has ended."""
        await self._pipes.exited.wait()
        self._input.close()
        await self._pipes.closed.wait()
        code = self.returncode
        assert code is not None
        return code

    def death(self) -> str:
        """Return how the child ended, as a clause for a person."""
        code = self.returncode
        if code is not None and self._ended_by_us:
            return _("ended by qwen-tui")
        if code == -signal.SIGKILL:
            return _("killed (signal 9), probably out of memory")
        if code is None:
            text = _("its connection closed; see the log {path}")
        elif -code in _CRASHES:
            text = _("crashed ({name}, signal {number}); see the log {path}")
        elif code < 0:
            text = _("ended by another program ({name}, signal {number})")
        else:
            text = _("exit status {number}; see the log {path}")
        number = abs(code or 0)
        return text.format(
            name=_signal_name(number), number=number, path=self._log_file
        )

    async def _exits_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._pipes.exited.wait(), seconds)
        return self._pipes.exited.is_set()

    def _note(self, text: str) -> None:
        """Add a line of our own to the child's log."""
        with contextlib.suppress(OSError), self._log_file.open("a") as log:
            log.write(f"qwen-tui: {text}\n")


def _signal_group(pid: int, number: signal.Signals) -> None:
    # gone already, or (macOS, for a group of zombies) not permitted
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal has no name
        return "?"


def _open_log(file: Path) -> int:
    """Open the log for appending, this user's alone; a grown one is set aside."""
    private_folder(file.parent)
    with contextlib.suppress(FileNotFoundError):
        if file.stat().st_size > LOG_LIMIT_BYTES:
            file.replace(file.with_name(file.name + ".old"))
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def with_own_code(env: Mapping[str, str]) -> dict[str, str]:
    """Return `env` in which the child finds the code this process runs."""
    root = Path(__file__).resolve().parent.parent
    if root.name in _PACKAGES_FOLDERS:
        return dict(env)  # on every interpreter's path; first it would hide the stdlib
    paths = [str(root), env.get("PYTHONPATH", "")]
    return {**env, "PYTHONPATH": os.pathsep.join(p for p in paths if p)}
