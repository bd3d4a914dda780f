"""Textual's terminal driver with the faults put right that lose text or keys.

It leans on textual 8.2.8 inside and out: import it through
`qwen_tui.ui.launch.choose_driver`, which checks the version first.
"""

import os
import selectors
import signal
import sys
import threading
import unicodedata
from collections.abc import Iterable
from typing import Any

from textual import events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.keys import Keys

from qwen_tui.ui.input_filter import InputFilter, Pasted, Typed

_STOCK_KITTY_KEYS = "\x1b[>25u"
# Only "disambiguate": Shift+Enter is told from Enter, while text stays plain UTF-8.
# The stock flags report every key as an escape code, which breaks input methods.
_KITTY_KEYS = "\x1b[>1u"
_ALT_ENTER = "\x1b\r"
_POLL_S = 0.1
_WAITING = 1
_READ_BYTES = 64 * 1024


class KeyParser(XTermParser):
    """The stock parser, without its wrong and its fatal key events."""

    def _sequence_to_key_events(
        self, sequence: str, alt: bool = False
    ) -> Iterable[events.Key]:
        if sequence == _ALT_ENTER or (alt and sequence == "\r"):
            return [events.Key("alt+enter", None)]  # stock: a plain enter, which sends
        nothing = [events.Key(Keys.Ignore, sequence)]  # understood, and dropped
        try:
            keys = list(super()._sequence_to_key_events(sequence, alt))
        except (ValueError, OverflowError):  # a code point that does not exist
            return nothing
        if any(_is_hostile(key.character) for key in keys):
            return nothing if sequence.startswith("\x1b") else []
        return keys


def _is_hostile(character: str | None) -> bool:
    """Tell whether a key's text is a C1 control or half a character."""
    if character is None:
        return False
    return any(
        "\x80" <= c <= "\x9f" or unicodedata.category(c) == "Cs" for c in character
    )


class TerminalDriver(LinuxDriver):
    """The stock driver with its own way from bytes to events."""

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.n_starts = 0
        """How often it took the terminal over."""
        if sys.__stdout__ is not None and not self._file.isatty():
            self._file = sys.__stdout__  # `2>file` must not take the screen away

    def _sigtstp_application(self, *_: object) -> None:
        """Suspend from the event loop, never out of the middle of something.

        The stock handler stops the writer's thread at once; where the signal comes
        while a frame is being handed to that thread, both wait for one lock for ever.
        """

        def suspend() -> None:
            LinuxDriver._sigtstp_application(self)

        self._loop.call_soon_threadsafe(suspend)

    @property
    def is_behind(self) -> bool:
        """Frames wait for the terminal to read; more of them would stop the loop."""
        if self._writer_thread is None:
            return False
        queue = self._writer_thread._queue  # pyright: ignore[reportPrivateUsage]
        return queue.qsize() > _WAITING

    def take_mouse(self, taken: bool) -> None:
        """Have the mouse told to the program, or leave it to the terminal."""
        self._mouse = True  # the two below do nothing without it
        (self._enable_mouse_support if taken else self._disable_mouse_support)()
        self._mouse = taken
        self.flush()

    def start_application_mode(self) -> None:
        """Take the terminal over, at the start and after it was suspended."""
        self.n_starts += 1
        super().start_application_mode()

    def write(self, data: str) -> None:
        """Send to the terminal."""
        super().write(_KITTY_KEYS if data == _STOCK_KITTY_KEYS else data)

    def run_input_thread(self) -> None:
        """Read the terminal until the app stops; a terminal that is gone ends it."""
        parser = KeyParser(self._debug)
        input_filter = InputFilter()
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                found = input_filter.tick()
                if selector.select(_POLL_S):
                    data = self._read()
                    if not data:
                        _tell_that_the_terminal_is_gone()
                        return
                    found += input_filter.feed(data)
                self._pass_on(found, parser)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, _READ_BYTES)
        except OSError:  # EIO: the other end was closed
            return b""

    def _pass_on(self, found: list[Typed | Pasted], parser: KeyParser) -> None:
        for part in found:
            if isinstance(part, Pasted):
                self.process_message(events.Paste(part.text))
                continue
            for message in parser.feed(part.text):
                # The filter took the paste's text; this one is its empty frame.
                if not isinstance(message, events.Paste):
                    self.process_message(message)
        for message in parser.tick():
            self.process_message(message)


def _tell_that_the_terminal_is_gone() -> None:
    # The kernel sends SIGHUP to a session's leader only; we may be its child.
    main = threading.main_thread().ident
    if main is not None:
        signal.pthread_kill(main, signal.SIGHUP)
