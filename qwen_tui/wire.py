r"""Every line that a child process and its parent exchange, as frozen dataclasses.

A line is one JSON object: {"type": "<class name>", ...fields}, UTF-8, ended by
"\n". Requests go to the child's stdin, the rest comes from its stdout. Every
answer carries the `id` of the request it answers, so that what arrives late,
after a stop, can be dropped.
"""

import json
import types
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from qwen_tui.chat.events import StreamEvent
from qwen_tui.wire_engine import (
    AnswerNow,
    Cancel,
    Generate,
    Leaving,
    Load,
    Measure,
    Measured,
    Unload,
    Warm,
)
from qwen_tui.wire_hub import (
    Info,
    InfoResult,
    Probe,
    ProbeResult,
    QueryFailed,
    Search,
    SearchResult,
)

PROTOCOL = 1
LINE_LIMIT_BYTES = (
    64 * 1024 * 1024
)  # asyncio's default of 64 KiB breaks on long prompts


@dataclass(frozen=True, slots=True)
class Hello:
    """The child's first line."""

    protocol: int
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    """Library name to version."""
    devices: tuple[str, ...] = ()
    """Torch device names that can be used: "cuda:0", "mps", "cpu"."""


@dataclass(frozen=True, slots=True)
class Event:
    """One stream event of request `id`."""

    id: int
    event: StreamEvent


@dataclass(frozen=True, slots=True)
class Download:
    """Fetch a repo into the HF cache, or as plain files into `local_dir`."""

    id: int
    repo: str
    revision: str
    endpoint: str
    """Base URL, normalised, without a trailing slash."""
    cache_dir: str
    local_dir: str = ""
    token: str = ""
    """Sent to the official hub and to `token_hosts` only."""
    connections: int = 2
    """Files fetched at a time."""
    allow: tuple[str, ...] = ()
    """Patterns (fnmatch, over the whole path) of the files to fetch; empty: ours."""
    only: tuple[str, ...] = ()
    """Paths; fetch just these, for the repair of files that are damaged."""
    gguf: str = ""
    """Name or pattern of the quantisation to fetch, "Q4_K_M"; empty: ours."""
    token_hosts: tuple[str, ...] = ()
    """Origins that the user allows to see the token, beside the official hub."""
    reserve_bytes: int = 512 * 1024 * 1024
    """Space on the disk that is left free."""
    stall_s: float = 20.0
    """A connection without a byte for so long is opened anew."""


@dataclass(frozen=True, slots=True)
class FileState:
    """How much of one file is here."""

    path: str
    """In the repo."""
    size_bytes: int
    have_bytes: int
    etag: str = ""
    """The content's hash, which names its unfinished file: sha256 or git's sha1."""


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """What a download will fetch and what is there already."""

    id: int
    files: int
    total_bytes: int
    """What paths share is fetched, and counted, once."""
    have_bytes: int
    revision: str = ""
    """Commit sha."""
    items: tuple[FileState, ...] = ()
    """Every file, in the order they are fetched in."""
    gguf: str = ""
    """The quantisation that is fetched because nobody named one; else empty."""
    other_ggufs: tuple[str, ...] = ()
    """What there is beside that."""


@dataclass(frozen=True, slots=True)
class DownloadProgress:
    """How far a download is, at most a few times a second."""

    id: int
    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    """Over the last five seconds."""
    file: str = ""
    """The one that got the last byte."""
    items: tuple[FileState, ...] = ()
    """Files that have more, or less, than at the last report."""


@dataclass(frozen=True, slots=True)
class DownloadRetry:
    """A file is waited for: its transfer failed, or another program fetches it."""

    id: int
    file: str
    """Path in the repo; the repo itself while its listing is asked for."""
    reason: str
    """Translated, a clause without a full stop."""
    wait_s: float
    is_lock: bool = False
    """Another program fetches it; nothing failed."""


@dataclass(frozen=True, slots=True)
class DownloadVerify:
    """A whole file is read again to check its hash, which takes a while."""

    id: int
    file: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class DownloadDone:
    """Everything is in place and checked."""

    id: int
    path: str
    """The snapshot folder, or `local_dir`."""


@dataclass(frozen=True, slots=True)
class DownloadFailed:
    """The download ended; what was fetched is kept."""

    id: int
    code: str
    message: str
    hint: str = ""


Message = (
    Hello
    | Load
    | Generate
    | Warm
    | Cancel
    | AnswerNow
    | Measure
    | Measured
    | Unload
    | Leaving
    | Event
    | Download
    | DownloadPlan
    | DownloadProgress
    | DownloadRetry
    | DownloadVerify
    | DownloadDone
    | DownloadFailed
    | Probe
    | ProbeResult
    | Search
    | SearchResult
    | Info
    | InfoResult
    | QueryFailed
)

_MESSAGES: dict[str, type] = {cls.__name__: cls for cls in get_args(Message)}
_EVENTS: dict[str, type] = {cls.__name__: cls for cls in get_args(StreamEvent)}


class WireError(ValueError):
    """A line is not a message of this protocol."""


def encode(message: Message) -> bytes:
    r"""Return the line of a message, "\n" included."""
    body = asdict(message)
    if isinstance(message, Event):
        body["event"] = {"type": type(message.event).__name__, **body["event"]}
    # surrogatepass: a lone surrogate in a pasted text must not end the program
    text = json.dumps({"type": type(message).__name__, **body}, ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def decode(line: bytes) -> Message:
    """Return the message of a line.

    Raises:
        WireError: the line is no JSON object, names no known type, or lacks a field.
    """
    try:
        body = json.loads(line.decode("utf-8", "surrogatepass"))
        kind = _MESSAGES[body.pop("type")]
        return _build(kind, body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WireError(f"not a message: {line[:200]!r}") from error


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _build(kind: type, body: dict[str, Any]) -> Any:
    hints = _hints(kind)
    known = {f.name for f in fields(kind)}
    return kind(**{k: _value(hints[k], v) for k, v in body.items() if k in known})


def _value(hint: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return _object(hint, cast(dict[str, Any], value))
    if isinstance(value, list):
        inner = get_args(hint)
        item = inner[0] if inner else Any
        return tuple(_value(item, v) for v in cast(list[Any], value))
    return value


def _object(hint: Any, value: dict[str, Any]) -> Any:
    if get_origin(hint) in (types.UnionType, Union):
        value = dict(value)
        return _build(_EVENTS[value.pop("type")], value)
    return _build(cast(type, hint), value) if is_dataclass(hint) else value
