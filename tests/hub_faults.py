"""What a fake hub is ordered to do wrong, and what it saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

OF_BODY = frozenset(
    ("reset", "close", "hold", "wrong_bytes", "ignore_range", "strip_headers",
     "short_length", "long_length", "wrong_range", "unnumbered", "compressed")
)  # fmt: skip
"""Kinds that only a file's own reply can show."""


@dataclass
class Fault:
    """What goes wrong, where, and how often."""

    kind: Literal[
        "reset",  # the connection is reset after `after_bytes` of the body
        "close",  # it is closed there, cleanly
        "hold",  # nothing more comes, until `FakeHub.release` is set
        "hang",  # the request gets no answer at all, until then
        "status",  # `status` instead of an answer
        "expired",  # what a CDN says to a signed address that is too old
        "html",  # a captive portal's page
        "wrong_bytes",  # right length, one byte differs
        "ignore_range",  # 200 with everything
        "wrong_range",  # 206, but from `after_bytes` on
        "strip_headers",  # neither ETag, Content-Range nor X- headers
        "unnumbered",  # no Content-Length either: chunks, as some proxies send
        "compressed",  # gzip, in spite of what was asked for
        "short_length",  # Content-Length and body lack `after_bytes` bytes
        "long_length",  # they have as many too many
        "redirect",  # 308 to `location`
    ]
    path: str = ""
    """Part of the request path; empty for all."""
    origin: Literal["hub", "cdn", ""] = ""
    times: int = 1
    """-1 for ever."""
    after_bytes: int = 0
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b"{}"
    """Sent with `status`."""
    location: str = ""
    whole: bool = False
    """Send the file from its first byte, whatever the Range, before it breaks."""

    def __str__(self) -> str:
        place = f"{self.origin}{self.path}".replace("/", "")
        what = self.status if self.kind == "status" else self.after_bytes
        return f"{self.kind}-{place}-{what}"


@dataclass
class Seen:
    """One request as the server saw it."""

    origin: str
    method: str
    path: str
    """Decoded; of a CDN request the file's path in its repo."""
    headers: dict[str, str]
    status: int = 0
    sent_bytes: int = 0
    """Of the body, handed to the socket."""

    @property
    def first_byte(self) -> int:
        """Where the Range starts; 0 without one."""
        value = self.headers.get("range", "bytes=0-")
        return int(value.removeprefix("bytes=").split("-")[0])
