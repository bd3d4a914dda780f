"""The clipboard of the person's terminal: over SSH, in tmux and in GNU screen too.

A terminal takes a text by OSC 52 and never says whether it did, so all that can be
told is that it was sent.
"""

import asyncio
import base64
import contextlib
import os
from collections.abc import Mapping

from textual.app import App

from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize
from qwen_tui.ui.widgets.line_text import long_size
from qwen_tui.ui.widgets.status_line import Tone

SURE_BYTES = 74_994
"""The most that is sure to arrive: a sequence of 100,000 bytes, in base64.

Source: OSC_52_MAX_SEQUENCE of hterm's osc52.sh, the least of the terminals' limits.
"""
MOST_BYTES = 1_000_000
"""More is not sent: it would hold up the screen."""
_CHUNK = 200  # GNU screen 4.0 keeps 256 bytes of a control string, its frame included
_TMUX_S = 5.0


def osc_52(text: str) -> str:
    """Return what makes a terminal take `text` into its clipboard."""
    data = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    return f"\x1b]52;c;{data}\a"  # BEL, because ST would end a wrapping string too


def through_tmux(sequence: str) -> str:
    """Return what tmux hands on unread, where `allow-passthrough` lets it."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def through_screen(sequence: str) -> str:
    """Return what GNU screen hands on unread, in pieces that it keeps whole."""
    pieces = range(0, len(sequence), _CHUNK)
    return "".join(f"\x1bP{sequence[at : at + _CHUNK]}\x1b\\" for at in pieces)


def terminal_bytes(text: str, environ: Mapping[str, str]) -> str:
    """Return what to write so that the outermost terminal takes `text`.

    Without TMUX or STY a multiplexer at the near end of an SSH line is known by TERM
    alone; it may take the plain sequence itself, so both are sent.
    """
    plain, term = osc_52(text), environ.get("TERM", "")
    if environ.get("TMUX"):
        return through_tmux(plain)
    if environ.get("STY"):
        return through_screen(plain)
    if term.startswith("tmux"):
        return through_tmux(plain) + plain
    if term.startswith("screen"):
        return through_screen(plain) + plain
    return plain


def sent_note(text: str) -> tuple[str, Tone]:
    """Return what to tell of a text that was sent, and in which tone."""
    n_bytes = _size(text)
    size = long_size(n_bytes)
    if n_bytes > MOST_BYTES:
        told = _("{size} are too much for a clipboard: /save FILE writes a file.")
        return told.format(size=size), "warning"
    if n_bytes > SURE_BYTES:
        told = _(
            "{size} sent to your terminal, but many take no more than 73 KiB: "
            "/save FILE writes a file."
        )
        return told.format(size=size), "warning"
    return _("Sent to your terminal's clipboard"), "plain"


class ClipboardApp(App[int]):
    """An app that copies through whatever stands between it and the person."""

    def copy_to_clipboard(self, text: str) -> None:
        """Send a text to the terminal; what is told of it is `sent_note`."""
        text = sanitize(text)
        self._clipboard = text
        if _size(text) > MOST_BYTES:
            return
        if os.environ.get("TMUX"):
            sending = self._hand_to_tmux(text)
            self.run_worker(sending, group="clipboard", exclusive=True)
        else:
            self._send(text)

    async def _hand_to_tmux(self, text: str) -> None:
        if not await _load_into_tmux(text):
            self._send(text)

    def _send(self, text: str) -> None:
        if self._driver is not None:
            self._driver.write(terminal_bytes(text, os.environ))


async def _load_into_tmux(text: str) -> bool:
    """Make a text tmux's own buffer and the terminal's clipboard; False if it cannot.

    It works where tmux drops OSC 52 from programs, as it does by default.
    """
    try:
        tmux = await asyncio.create_subprocess_exec(
            "tmux", "load-buffer", "-w", "-",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return False
    try:
        data = text.encode("utf-8", "replace")
        await asyncio.wait_for(tmux.communicate(data), _TMUX_S)
    except (TimeoutError, OSError):
        with contextlib.suppress(ProcessLookupError):
            tmux.kill()
        return False
    return tmux.returncode == 0  # 1 before tmux 3.2, which knows no -w


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
