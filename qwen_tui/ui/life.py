"""How the program ends: on a signal, on a bug, and always with everything saved.

Plain `signal.signal` handlers, because a handler of the event loop never runs
while the loop waits for a terminal that has stopped reading.
"""

import io
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

from rich.console import Console

from qwen_tui import paths
from qwen_tui.i18n import _
from qwen_tui.ui.terminal import TerminalState, silence_output

ENDING_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
WATCHDOG_S = 2.0
"""After this long the last things left are done without saving."""
_LAST_RESORT_S = 3
"""After this long the kernel ends the program, whatever it waits for."""
LOG_NAME = "qwen-tui.log"


class EndableApp(Protocol):
    """The part of the app that matters when it ends."""

    error_console: Console
    """Where Textual prints the traceback of a crash."""

    def run(self) -> object:
        """Show the program until it is left; returns its exit status or None."""
        ...

    @property
    def return_code(self) -> int | None:
        """Textual's own exit status, 1 after a crash."""
        ...

    def save_now(self) -> None:
        """Save the conversation as it is, at once; callable in a signal handler."""
        ...

    def kill_children(self) -> None:
        """End engine and downloads at once; callable in a signal handler, twice too."""
        ...


def run_to_the_end(app: EndableApp, *, log_dir: Path) -> int:
    """Run the app and return the exit status; ending signals do not return.

    Whatever ends the program, the conversation is saved, child processes are
    dead and the terminal is as it was.
    """
    ending = _Ending(app, TerminalState(), paths.private_folder(log_dir) / LOG_NAME)
    app.error_console = Console(file=io.StringIO())  # the log has it instead
    with ending.on_signals():
        try:
            result = app.run()
            error = _crash_of(app)
        except Exception as failure:  # noqa: BLE001 - a bug must not cost the terminal
            result, error = None, failure
        if error is not None:
            return ending.after_crash(error)
        ending.attempt(app.kill_children)
    return result if isinstance(result, int) else app.return_code or 0


class _Ending:
    """The last things to do, in order, each whatever becomes of the others."""

    def __init__(self, app: EndableApp, terminal: TerminalState, log: Path) -> None:
        self._app = app
        self._terminal = terminal
        self._log = log
        self._status = 0
        self._called = threading.Lock()  # released by a handler, which may take none
        self._called.acquire()

    @contextmanager
    def on_signals(self) -> Generator[None]:
        """Answer the ending signals while the program runs."""
        # Started now: starting a thread takes locks that a handler may find taken.
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        before = {n: signal.signal(n, self._on_signal) for n in ENDING_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._status:
            return  # two at once: the first one ends the program
        self._status = 128 + number
        for each in ENDING_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(_LAST_RESORT_S)
        self._called.release()
        signal.signal(signal.SIGWINCH, _ignore)
        self._note(f"ending on {signal.Signals(number).name}\n")
        self.attempt(self._app.save_now)
        self._leave()

    def _watch(self) -> None:
        self._called.acquire()
        time.sleep(WATCHDOG_S)
        self._leave()

    def _leave(self) -> None:
        """End the process; Python's own way out waits for threads that may hang."""
        try:
            self.attempt(self._app.kill_children)
            self.attempt(silence_output)
            self.attempt(self._terminal.restore)
        finally:
            os._exit(self._status)

    def after_crash(self, error: BaseException) -> int:
        """Write the traceback to the log, tell where it is, return the exit status."""
        self._note("".join(traceback.format_exception(error)))
        self.attempt(self._app.save_now)
        self.attempt(self._app.kill_children)
        self.attempt(self._terminal.restore)
        sys.stderr.write(
            _("qwen-tui ended because of a bug. The details are in {path}.").format(
                path=self._log
            )
            + "\n"
        )
        return 1

    def attempt(self, last_act: Callable[[], None]) -> None:
        """Do one of the last things; a failure goes to the log."""
        try:
            last_act()
        except Exception:  # noqa: BLE001 - the rest must still be done
            self._note(traceback.format_exc())

    def _note(self, text: str) -> None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        try:
            fd = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError:
            return  # a full or vanished disk must not stop the ending
        with open(fd, "a", encoding="utf-8", errors="replace") as out:  # noqa: PTH123
            out.write(f"{stamp} {text}")


def _ignore(number: int, frame: FrameType | None) -> None:
    """Interrupt system calls and do nothing else, as SIG_IGN would not."""


def _crash_of(app: EndableApp) -> BaseException | None:
    """Return what Textual caught and ended the app for."""
    # Textual has no public name for it; without it a crash is still told by status.
    error: BaseException | None = getattr(app, "_exception", None)
    inner = getattr(error, "error", None)  # WorkerFailed carries the real one
    if isinstance(inner, BaseException):
        return inner
    if error is None and app.return_code == 1:
        return RuntimeError("Textual ended the app and did not say why")
    return error
