"""What can go wrong between us and a hub, in words, and what is worth a retry."""

import email.utils
import errno
import re
import time
from collections.abc import Mapping
from pathlib import Path

from qwen_tui.errors import DiskFull, DownloadError, HubError, QwenTuiError
from qwen_tui.hub.gate import gated
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_RETRIED_STATUS = frozenset((408, 425, 429))
_TOO_MANY = 429
_SERVER_ERRORS = 500
_ACCESS_STATUS = (401, 403)
_NOT_FOUND = 404
_NOT_FOUND_CODES = ("RepoNotFound", "RevisionNotFound", "EntryNotFound")
_EXPIRED_STATUS = (401, 403, 404, 410)  # what a CDN says to an old signed address
_UNIT = 1000
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")  # a number that means nothing to a person


class Retryable(Exception):
    """A failure that may pass; `error` is what to raise when it does not."""

    def __init__(
        self,
        error: QwenTuiError,
        *,
        retry_after_s: float | None = None,
        start_again: bool = False,
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry_after_s = retry_after_s
        """What the server asked for."""
        self.start_again = start_again
        """What is there of the file is of no use."""


def refusal(
    status: int, headers: Mapping[str, str], *, what: str, host: str, at_endpoint: bool
) -> HubError | Retryable:
    """Turn an HTTP status into a failure.

    Args:
        status: 4xx or 5xx, or another that is no answer.
        headers: Of the reply, names in lower case.
        what: Repo or file that was asked for.
        host: Who answered.
        at_endpoint: Whether that is the hub itself, not a host it redirected to.
    """
    code = headers.get("x-error-code", "")
    what = sanitize_line(what)
    if code == "GatedRepo":  # first: the hub also sends it with 401 and 404
        return gated(what, status=status, host=host)
    if status in _RETRIED_STATUS or status >= _SERVER_ERRORS:
        return Retryable(_busy(status, host), retry_after_s=_retry_after(headers))
    if not at_endpoint and status in _EXPIRED_STATUS:
        return Retryable(_address_refused(status, host))
    return _denial(status, code, what, host)


def missing(what: str, host: str) -> HubError:
    """There is no such repo or file."""
    return HubError(
        _("{host} has no {repo}.").format(
            host=sanitize_line(host), repo=sanitize_line(what)
        ),
        hint=_("Check the name; a private repo needs a token (HF_TOKEN)."),
        code="not_found",
    )


def bad_reply(host: str, detail: str) -> HubError:
    """The server answers, but not as a hub does."""
    return HubError(
        _("{host} does not answer as a hub does: {detail}.").format(
            host=sanitize_line(host), detail=sanitize_line(detail[:200])
        ),
        hint=_("Check the endpoint, or try another one."),
        code="bad_reply",
    )


def captive_portal(host: str) -> HubError:
    """A web page came where data was asked for."""
    return HubError(
        _("A web page came instead of data from {host}.").format(
            host=sanitize_line(host)
        ),
        hint=_("The network may ask you to log in first; open a browser and look."),
        code="captive_portal",
    )


def unreachable(host: str, detail: str) -> HubError:
    """No connection, or it broke."""
    words = _ERRNO.sub("", detail)[:200]
    return HubError(
        _("{host} cannot be reached: {detail}.").format(
            host=sanitize_line(host), detail=sanitize_line(words)
        ),
        hint=_("Check the network and proxy, or try --endpoint mirror."),
        code="unreachable",
    )


def stalled(host: str, silent_s: float) -> HubError:
    """The connection is open and silent."""
    return HubError(
        _("No byte from {host} for {seconds} s.").format(
            host=sanitize_line(host), seconds=f"{silent_s:g}"
        ),
        hint=_("Check the network and proxy, or try --endpoint mirror."),
        code="stalled",
    )


def redirected(host: str, target: str) -> HubError:
    """The server sends us to a host that the user did not choose."""
    return HubError(
        _("{host} sends this request on to {target}, which was not chosen.").format(
            host=sanitize_line(host), target=sanitize_line(target[:200])
        ),
        hint=_("Choose that source with --endpoint, or another one."),
        code="redirected",
    )


def wrong_size(path: str, said: int, known: int) -> DownloadError:
    """The server's file is of another size than its listing says."""
    return DownloadError(
        _("{file} has {said} bytes on the server, {known} in its listing.").format(
            file=sanitize_line(path), said=said, known=known
        ),
        hint=_("Try again later, or use another endpoint."),
        code="size_mismatch",
    )


def wrong_hash(path: str) -> DownloadError:
    """The bytes are not those that the hub lists."""
    return DownloadError(
        _("{file} came damaged: its hash is not the one listed.").format(
            file=sanitize_line(path)
        ),
        hint=_("Nothing bad was kept. Try again, or use another endpoint."),
        code="hash_mismatch",
    )


def disk_full(
    folder: Path, *, free_bytes: int, needed_bytes: int, reserve_bytes: int
) -> DiskFull:
    """The files do not fit beside what is to stay free."""
    text = _("{needed} are needed, with {reserve} to spare; {free} free on {folder}.")
    return DiskFull(
        text.format(
            needed=size_text(needed_bytes),
            reserve=size_text(reserve_bytes),
            free=size_text(free_bytes),
            folder=sanitize_line(str(folder)),
        ),
        hint=_("Free some space, or choose another folder (--hf-home)."),
    )


def file_trouble(
    error: OSError, folder: Path, free_bytes: int, needed_bytes: int
) -> QwenTuiError:
    """What a failed write means to a person.

    Args:
        error: What the system said.
        folder: Where the files go.
        free_bytes: On its disk.
        needed_bytes: What is still to be fetched.
    """
    if error.errno == errno.ENOSPC:
        return _filled_up(folder, free_bytes, needed_bytes)
    if error.errno == errno.EDQUOT:
        return _quota_used_up(folder, needed_bytes)
    return DownloadError(
        _("{path} cannot be written: {reason}.").format(
            path=sanitize_line(str(error.filename or folder)),
            reason=error.strerror or str(error),
        ),
        hint=_("Check the folder's permissions, or choose another one (--hf-home)."),
    )


def clause(error: QwenTuiError) -> str:
    """What happened, fit to stand inside another sentence."""
    return error.message.rstrip(".。")


def size_text(n_bytes: int) -> str:
    """Bytes as people read them: 1.5 GB (powers of 1000, as the hub shows)."""
    size = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < _UNIT:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= _UNIT
    return f"{size:.1f} TB"


def _filled_up(folder: Path, free_bytes: int, needed_bytes: int) -> DiskFull:
    return DiskFull(
        _("The disk is full: {needed} to go, {free} free on {folder}.").format(
            needed=size_text(needed_bytes),
            free=size_text(free_bytes),
            folder=sanitize_line(str(folder)),
        ),
        hint=_("Free some space and go on: what was fetched is kept."),
    )


def _quota_used_up(folder: Path, needed_bytes: int) -> DiskFull:
    # free space is no use as a number here: it is the disk's, not the user's
    return DiskFull(
        _("Your quota on {folder} is used up: {needed} to go.").format(
            needed=size_text(needed_bytes), folder=sanitize_line(str(folder))
        ),
        hint=_("Free some space and go on: what was fetched is kept."),
    )


def _denial(status: int, code: str, what: str, host: str) -> HubError:
    if status == _NOT_FOUND or code in _NOT_FOUND_CODES:
        return missing(what, host)
    if status in _ACCESS_STATUS:
        return _unauthorized(status, what, host)
    return bad_reply(host, f"HTTP {status}")


def _unauthorized(status: int, what: str, host: str) -> HubError:
    return HubError(
        _("{host} refuses access to {repo} (HTTP {status}).").format(
            host=sanitize_line(host), repo=what, status=status
        ),
        hint=_("Set HF_TOKEN to a token that may read it, or use another endpoint."),
        code="unauthorized",
    )


def _busy(status: int, host: str) -> HubError:
    if status == _TOO_MANY:
        return HubError(
            _("{host} asks for fewer requests (HTTP 429).").format(
                host=sanitize_line(host)
            ),
            hint=_("Wait some minutes and start again: what was fetched is kept."),
            code="rate_limited",
        )
    return HubError(
        _("{host} has trouble (HTTP {status}).").format(
            host=sanitize_line(host), status=status
        ),
        hint=_("Wait some minutes and start again: what was fetched is kept."),
        code="server_error",
    )


def _address_refused(status: int, host: str) -> HubError:
    return HubError(
        _("{host} refuses the address it was given (HTTP {status}).").format(
            host=sanitize_line(host), status=status
        ),
        hint=_("Wait some minutes and start again: what was fetched is kept."),
        code="server_error",
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks for: a number, an HTTP date, or `ratelimit`."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    # the official hub's form, after an IETF draft: "api";r=0;t=55
    if found := re.search(r";\s*t=(\d+)", headers.get("ratelimit", "")):
        return float(found[1])
    try:
        when = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, when.timestamp() - time.time())
