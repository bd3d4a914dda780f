"""What SQLite and the file system say, told so that a person can act on it."""

import errno
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qwen_tui.errors import ChatNotFound, StoreError
from qwen_tui.i18n import N_, _
from qwen_tui.sanitize import sanitize_line

_CANDIDATES_TOLD = 5

_LOCKED = (
    "store_locked",
    N_("Another program keeps the conversations file {file} locked."),
    N_("Close the other program, or wait a moment and try again."),
)
_FULL = (
    "disk_full",
    N_("The disk that holds the conversations file {file} is full."),
    N_("Free some space, or choose another folder with --data-dir."),
)
_READ_ONLY = (
    "store_read_only",
    N_("The conversations file {file} cannot be written."),
    N_("Check who owns the file and its folder, or choose another with --data-dir."),
)
_CORRUPT = (
    "store_corrupt",
    N_("The conversations file {file} is damaged or is no conversations file."),
    N_(
        "Keep a copy of it. Move it away to start with an empty one, or put back "
        "a .bak copy that lies beside it."
    ),
)
_TROUBLE = (
    "store_io",
    N_("The conversations file {file} cannot be used: {reason}."),
    N_("Check the disk, the quota and the network drive it lies on."),
)

_BY_PRIMARY_CODE = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _CORRUPT,
    sqlite3.SQLITE_NOTADB: _CORRUPT,
}
_BY_ERRNO = {
    errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY,
    errno.EROFS: _READ_ONLY,
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
}


def store_error(file: Path, error: Exception) -> StoreError:
    """Return what `error`, met while using `file`, means to a person."""
    if isinstance(error, OSError):
        name, message, hint = _BY_ERRNO.get(error.errno or 0, _TROUBLE)
    else:
        # The low byte is the kind; the rest says where it happened.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        name, message, hint = _BY_PRIMARY_CODE.get(code, _TROUBLE)
    return StoreError(
        _(message).format(file=file, reason=error), hint=_(hint), code=name
    )


def damaged(file: Path) -> StoreError:
    """Return the failure of a file whose rows make no sense."""
    name, message, hint = _CORRUPT
    return StoreError(_(message).format(file=file), hint=_(hint), code=name)


@contextmanager
def told_to_a_person(file: Path) -> Generator[None]:
    """Turn what SQLite and the file system raise inside into `StoreError`."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise store_error(file, error) from error


def not_found(ref: str) -> ChatNotFound:
    """Return the failure to find a conversation by what a person wrote."""
    return ChatNotFound(
        _("There is no conversation {ref}.").format(ref=repr(sanitize_line(ref))),
        hint=_("See `qwen-tui chats list`."),
    )


def message_not_found(chat_id: str) -> ChatNotFound:
    """Return the failure to find a message in a conversation."""
    return ChatNotFound(
        _("The message is no longer in the conversation {ref}.").format(
            ref=repr(sanitize_line(chat_id))
        ),
        hint=_("Open the conversation again to see what it holds."),
        code="message_not_found",
    )


def ambiguous(ref: str, found: Sequence[tuple[str, str]]) -> ChatNotFound:
    """Return the failure to choose between conversations, given by id and title."""
    told = [f"{chat_id} {sanitize_line(title)}" for chat_id, title in found]
    return ChatNotFound(
        _("More than one conversation fits {ref}.").format(
            ref=repr(sanitize_line(ref))
        ),
        hint=_("Name one by its id: {chats}").format(
            chats="; ".join(told[:_CANDIDATES_TOLD])
        ),
        code="chat_ambiguous",
    )
