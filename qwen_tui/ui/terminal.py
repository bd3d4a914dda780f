"""The terminal around the program: may we start, and how to leave it as it was."""

import os
import signal
import sys
import termios
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from qwen_tui.errors import TerminalError
from qwen_tui.i18n import _

RESTORE = (
    "\x1b\\"  # ends whatever sequence was cut in the middle
    "\x1b[?2026l"  # synchronized output
    "\x1b[?2004l"  # bracketed paste
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # mouse
    "\x1b[?1004l"  # focus reports
    "\x1b[?2048l"  # resize reports
    # Kitty keys, on the alternate screen, which has a stack of its own: all of it,
    # because Textual adds an entry each time the program is stopped and continued.
    "\x1b[<9u"
    "\x1b[r\x1b[?7h\x1b[0m"  # scroll region, line wrap, colours
    "\x1b[?1049l"  # alternate screen
    "\x1b[?25h"  # cursor
)
"""Undoes everything the program switches on; harmless where nothing is on."""

_PATIENCE_S = 0.5
_PAUSE_S = 0.01


def check_terminal(
    *, stdin: TextIO | None, stdout: TextIO | None, environ: Mapping[str, str]
) -> None:
    """Tell whether the program can be shown here.

    Raises:
        TerminalError: stdin or stdout is no terminal, or the terminal is dumb.
    """
    hint = _('Use qwen-tui ask "your question" without a terminal.')
    if stdin is None or not stdin.isatty():
        raise TerminalError(_("The standard input is not a terminal."), hint=hint)
    if stdout is None or not stdout.isatty():
        raise TerminalError(_("The standard output is not a terminal."), hint=hint)
    if environ.get("TERM") == "dumb":
        raise TerminalError(
            _("This terminal cannot move the cursor (TERM=dumb)."), hint=hint
        )


class TerminalState:
    """The terminal's settings before the program changed them."""

    def __init__(self, fd: int = 0) -> None:
        self._fd = fd
        self._attributes: list[Any] | None = None
        with suppress(termios.error):
            self._attributes = termios.tcgetattr(self._fd)

    def restore(self) -> None:
        """Leave the alternate screen, show the cursor, put the line settings back.

        Never blocks for long: the terminal may have stopped reading, or be gone.
        Output that is still waiting is dropped.
        """
        with (
            _allowed_from_the_background(),
            suppress(OSError),
            self._opened() as tty,
        ):
            self._reset(tty)

    def _reset(self, tty: int) -> None:
        with suppress(termios.error):
            termios.tcflush(tty, termios.TCOFLUSH)
        _write_without_waiting(tty, RESTORE.encode("ascii"))
        with suppress(termios.error):
            if self._attributes is not None:
                termios.tcsetattr(tty, termios.TCSANOW, self._attributes)
            termios.tcflush(tty, termios.TCIFLUSH)

    @contextmanager
    def _opened(self) -> Generator[int]:
        """Open the terminal anew: O_NONBLOCK on our own file would reach the shell."""
        flags = os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK
        try:
            tty = os.open(os.ttyname(self._fd), flags)
        except OSError:
            tty = os.open("/dev/tty", flags)
        try:
            yield tty
        finally:
            os.close(tty)


def silence_output() -> None:
    """Point stdout and stderr at nothing: frames on their way must not follow.

    A thread that waits for a stalled terminal holds the terminal's lock: a signal
    with a handler of ours (SIGWINCH) makes it begin its write again, into nothing.
    """
    nothing = os.open(os.devnull, os.O_WRONLY)
    for fd in (1, 2):
        os.dup2(nothing, fd)
    os.close(nothing)
    # Documented, if underscored; threading.enumerate would take a lock, and this
    # may run in a signal handler.
    for thread in sys._current_frames():  # pyright: ignore[reportPrivateUsage]
        if thread != threading.get_ident():
            with suppress(OSError):
                signal.pthread_kill(thread, signal.SIGWINCH)


def _write_without_waiting(fd: int, data: bytes) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            if time.monotonic() > deadline:
                return
            time.sleep(_PAUSE_S)


@contextmanager
def _allowed_from_the_background() -> Generator[None]:
    """Let a background process set the terminal instead of being stopped for it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
