"""Server-sent events, from bytes to the texts that they carry.

Source: the HTML standard, "Server-sent events", and what servers make of it: no
blank line, no `[DONE]`, comments that keep the connection alive, errors under a
name of their own.
"""

from dataclasses import dataclass

LONGEST_LINE = 1024 * 1024
"""Bytes; a token's line takes a few hundred, and nothing honest takes this many."""
DONE = "[DONE]"


class LineTooLong(Exception):
    """A line that no server has reason to send."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What one line carries."""

    text: str
    is_error: bool = False
    """The line says itself that it tells of an error."""


class EventLines:
    """Takes bytes as they come and gives whole lines; holds one line at most."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_error = False

    def feed(self, chunk: bytes) -> list[Payload]:
        """Take the next bytes; return what the lines carry that they end.

        Raises:
            LineTooLong: there is no end to a line.
        """
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE or any(
            len(line) > LONGEST_LINE for line in lines
        ):
            raise LineTooLong
        return [found for line in lines if (found := self._read(line)) is not None]

    def end(self) -> list[Payload]:
        """Return what the last line carries, which nothing ended."""
        return self.feed(b"\n") if self._rest else []

    def _read(self, line: bytes) -> Payload | None:
        text = line.decode("utf-8", "replace").strip()
        if not text or text.startswith(":"):
            return None  # the end of an event, or a sign of life
        if text[0] in "{<":  # no event at all: JSON or a web page
            return Payload(text)
        name, _colon, value = text.partition(":")
        match name:
            case "data":
                is_error, self._is_error = self._is_error, False
                return Payload(value.strip(), is_error)
            case "error":  # llama.cpp before 2026
                return Payload(value.strip(), is_error=True)
            case "event":
                self._is_error = value.strip() == "error"
            case _:
                pass
        return None
