"""A download job as it is kept in the file: with who has it, as JSON and back."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast, get_args

from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.endpoint import resolve_endpoint
from qwen_tui.hub.queue_job import DownloadJob, JobState
from qwen_tui.hub.repo_id import check_repo_id, check_revision
from qwen_tui.i18n import _
from qwen_tui.processes import ProcessId
from qwen_tui.wire import FileState

VERSION = 1
_MOST_FILES = 1000
"""A job of more files is kept without them; the next run tells them again."""
_TEXTS = ("id", "repo", "revision", "endpoint", "cache_dir", "local_dir",
          "state", "waiting", "code", "message", "hint", "path")  # fmt: skip
_COUNTS = ("connections", "done_bytes", "total_bytes", "retries")


@dataclass(frozen=True, slots=True)
class Owner:
    """The queue that runs a job or will; one process may have several queues."""

    process: ProcessId
    queue: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A job and who has it."""

    job: DownloadJob
    owner: Owner | None = None
    """Of a queued or running job; nobody else may run it."""
    seen_at: float = 0.0
    """Unix time at which the owner last wrote it."""
    queued_at: float = 0.0
    """Unix time; of those that wait the earliest is run first."""
    wish: str = ""
    """What another program asks of the owner: "pause" or "cancel"."""


def encode_entries(entries: Iterable[Entry]) -> str:
    """Return the file's text."""
    body = {"version": VERSION, "jobs": [_body(entry) for entry in entries]}
    return json.dumps(body, indent=1)


def decode_entries(text: str, file: Path) -> list[Entry]:
    """Return what a file of this name says.

    Raises:
        QwenTuiError: "queue_newer", a newer qwen-tui wrote it.
        ValueError, KeyError, TypeError, AttributeError, UsageError: it is damaged, or
            no list of downloads.
    """
    body = json.loads(text)
    if _number(body, "version") > VERSION:
        raise QwenTuiError(
            _("A newer qwen-tui wrote the list of downloads {file}.").format(file=file),
            hint=_("Use that one, or move the file away: what was fetched stays."),
            code="queue_newer",
        )
    return [_entry(item) for item in body["jobs"]]


def _body(entry: Entry) -> Mapping[str, Any]:
    body = asdict(entry)
    job = body["job"]
    del job["holder"]  # depends on who looks
    if len(job["files"]) > _MOST_FILES:
        job["files"] = ()
    return body


def _entry(body: Any) -> Entry:  # noqa: ANN401 - whatever the JSON holds
    return Entry(
        job=_job(body["job"]),
        owner=None if body["owner"] is None else _owner(body["owner"]),
        seen_at=_number(body, "seen_at"),
        queued_at=_number(body, "queued_at"),
        wish=_text(body, "wish"),
    )


def _owner(body: Mapping[str, Any]) -> Owner:
    process = body["process"]
    return Owner(
        ProcessId(
            _text(process, "host"),
            int(_number(process, "pid")),
            _text(process, "started"),
        ),
        _text(body, "queue"),
    )


def _job(body: Mapping[str, Any]) -> DownloadJob:
    texts = {name: _text(body, name) for name in _TEXTS}
    check_repo_id(texts["repo"])
    check_revision(texts["revision"])
    resolve_endpoint(texts["endpoint"])
    for folder in ("cache_dir", "local_dir"):
        if texts[folder] and not Path(texts[folder]).is_absolute():
            raise ValueError(texts[folder])
    if texts["state"] not in get_args(JobState):
        raise ValueError(texts["state"])
    files = [_file(item) for item in body["files"]]
    return DownloadJob(
        **cast(Any, texts),
        **cast(Any, {name: int(_number(body, name)) for name in _COUNTS}),
        created_at=_number(body, "created_at"),
        bytes_per_s=_number(body, "bytes_per_s"),
        eta_s=None if body["eta_s"] is None else _number(body, "eta_s"),
        only=tuple(str(path) for path in body["only"]),
        gguf=_text({"gguf": "", **body}, "gguf"),  # files of before know it not
        files=tuple(files),
        was_left=body["was_left"] is True,
    )


def _file(body: Mapping[str, Any]) -> FileState:
    size, have = _number(body, "size_bytes"), _number(body, "have_bytes")
    return FileState(_text(body, "path"), int(size), int(have), _text(body, "etag"))


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _number(body: Mapping[str, Any], name: str) -> float:
    value = body[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(name)
    return value
