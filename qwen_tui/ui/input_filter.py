r"""Bytes from a terminal, made safe before anything reads them as keys.

A paste arrives between ESC [200~ and ESC [201~. What lies between is text, never
keys, in however many reads it comes and whatever control bytes it holds.
"""

import re
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from dataclasses import dataclass

PASTE_START = "\x1b[200~"
PASTE_END = "\x1b[201~"
SILENCE_S = 30.0
"""A paste whose end was lost is closed after this long without a byte."""

_LINE_ENDS = re.compile(r"\r\n?")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Typed:
    """Text for the key parser."""

    text: str


@dataclass(frozen=True, slots=True)
class Pasted:
    r"""A whole paste: line ends are "\n", no control character but tab is left."""

    text: str


class InputFilter:
    """Splits what a terminal sends into typed text and whole pastes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._clock = clock
        self._last_byte_at = clock()
        self._progress = ""  # of PASTE_START, already handed on as typed
        self._paste: list[str] | None = None
        self._tail = ""  # of a paste, perhaps the beginning of PASTE_END

    def feed(self, data: bytes) -> list[Typed | Pasted]:
        """Return what these bytes complete, in order; what is no UTF-8 is U+FFFD."""
        self._last_byte_at = self._clock()
        found: list[Typed | Pasted] = []
        text = self._decode(data)
        while text:
            step = self._typed if self._paste is None else self._pasted
            text = step(text, found)
        return found

    def tick(self) -> list[Typed | Pasted]:
        """Return the paste that lost its end, once the terminal is long silent."""
        silent_s = self._clock() - self._last_byte_at
        if self._paste is None or silent_s < SILENCE_S:
            return []
        return [self._close_paste(self._tail)]

    def _typed(self, text: str, found: list[Typed | Pasted]) -> str:
        """Hand on typed text; return what follows the start of a paste."""
        known = len(self._progress)
        text = self._progress + text
        start = text.find(PASTE_START)
        if start < 0:
            found.append(Typed(text[known:]))
            self._progress = _beginning(text, PASTE_START)
            return ""
        inside = start + len(PASTE_START)
        # The parser sees an empty paste: it must never believe that one is open,
        # since it gives up on a marker that comes slowly and this filter does not.
        found.append(Typed(text[known:inside] + PASTE_END))
        self._progress = ""
        self._paste = []
        return text[inside:]

    def _pasted(self, text: str, found: list[Typed | Pasted]) -> str:
        """Collect pasted text; return what follows its end."""
        assert self._paste is not None
        text = self._tail + text
        end = _last_end(text)
        if end < 0:
            self._tail = _beginning(text, PASTE_END)
            self._paste.append(text[: len(text) - len(self._tail)])
            return ""
        found.append(self._close_paste(text[:end]))
        return text[end + len(PASTE_END) :]

    def _close_paste(self, rest: str) -> Pasted:
        assert self._paste is not None
        text = "".join([*self._paste, rest])
        self._paste = None
        self._tail = ""
        return Pasted(_CONTROLS.sub("", _LINE_ENDS.sub("\n", text)))


def _beginning(text: str, marker: str) -> str:
    """Return the longest end of `text` that begins `marker` without completing it."""
    lengths = range(min(len(marker) - 1, len(text)), 0, -1)
    return next((text[-n:] for n in lengths if marker.startswith(text[-n:])), "")


def _last_end(text: str) -> int:
    """Return where the paste ends, -1 when it does not end yet.

    A second end before another start gives the first away as part of the pasted
    text: a trap for terminals that do not strip it.
    """
    end = text.find(PASTE_END)
    while end >= 0:
        after = end + len(PASTE_END)
        next_end = text.find(PASTE_END, after)
        if next_end < 0 or PASTE_START in text[after:next_end]:
            return end
        end = next_end
    return -1
