"""What `doctor` tells of settings and disks: whose they are, and is there room."""

import errno
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qwen_tui.cli.context import Context
from qwen_tui.cli.doctor_parts import Problem, Section
from qwen_tui.cli.output import size_text
from qwen_tui.errors import StoreError
from qwen_tui.filesystem import filesystem_of
from qwen_tui.hub.environment import NO_TOKEN_VARIABLE, Token, look_up_token
from qwen_tui.hub.machine import disk_free
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.store.look import look_at

_LITTLE_BYTES = 2_000_000_000  # the smallest model and what a download leaves free


def hugging_face(context: Context, environ: Mapping[str, str]) -> Section:
    """The Hugging Face settings in force, and who set them; never the token."""
    settings = context.settings
    origins = settings.origins
    token = look_up_token({**environ, "HF_HOME": str(settings.hf_home)})
    hosts = ["huggingface.co", *settings.downloads.token_hosts]
    cache = _origin(origins["hf_cache"])
    if origins["hf_cache"] != origins["hf_home"]:
        cache = _("{origin}, which wins over HF_HOME").format(origin=cache)
    rows = [
        ("HF_HOME", f"{_shown(settings.hf_home)} ({_origin(origins['hf_home'])})"),
        (_("models"), f"{_shown(settings.hf_cache)} ({cache})"),
        (
            _("source"),
            f"{_without_password(settings.downloads.endpoint)} "
            f"({_origin(origins['downloads.endpoint'])})",
        ),
        (
            _("offline"),
            f"{_('yes') if settings.hf_offline else _('no')} "
            f"({_origin(origins['hf_offline'])})",
        ),
        (_("token"), _token_text(token)),
        (_("shown to"), sanitize_line(", ".join(hosts))),
    ]
    fields = {
        "hf_home": str(settings.hf_home),
        "hf_cache": str(settings.hf_cache),
        "endpoint": _without_password(settings.downloads.endpoint),
        "offline": settings.hf_offline,
        "token": bool(token.value),
        "token_origin": token.origin,
        "token_hosts": hosts,
        "origins": {
            name: origins[name]
            for name in ("hf_home", "hf_cache", "downloads.endpoint", "hf_offline")
        },
    }
    notices = [Problem("settings", text, "") for text in settings.notices]
    return Section("hugging_face", "Hugging Face", rows, fields, notices)


def _token_text(token: Token) -> str:
    if token.value:
        text = _("yes, from {origin}")
    elif token.origin == NO_TOKEN_VARIABLE:
        text = _("not used: {origin} is set")
    else:
        text = _("none in {origin}")
    return text.format(origin=sanitize_line(token.origin))


def disks(context: Context) -> Section:
    """Free space and filesystem of each folder that is written to."""
    folders = {
        "models": (_("models"), context.settings.hf_cache),
        "data": (_("conversations"), context.data_dir),
        "log": (_("logs"), context.log_dir),
    }
    rows: list[tuple[str, str]] = []
    fields: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, (label, folder) in folders.items():
        place = _existing(folder)
        try:
            free = disk_free(folder)
        except OSError as error:
            problems.append(_unusable(folder, error.strerror or str(error)))
            continue
        filesystem = filesystem_of(place)
        kind = filesystem.kind or "?"
        if filesystem.is_network:
            kind = _("{kind}, a network filesystem").format(kind=kind)
        text = _("{free} free, {kind}: {folder}").format(
            free=size_text(free), kind=sanitize_line(kind), folder=_shown(folder)
        )
        rows.append((label, text))
        fields[name] = {
            "folder": str(folder),
            "free_bytes": free,
            "filesystem": filesystem.kind,
            "is_network": filesystem.is_network,
        }
        if not os.access(place, os.W_OK | os.X_OK):
            problems.append(_unusable(folder, os.strerror(errno.EACCES)))
        elif free < _LITTLE_BYTES and name == "models":
            problems.append(_nearly_full(folder, free))
    return Section("disk", _("disk"), rows, fields, problems)


def _unusable(folder: Path, reason: str) -> Problem:
    return Problem(
        "not_writable",
        _("{folder} cannot be written: {reason}.").format(
            folder=_shown(folder), reason=reason
        ),
        _("Check its permissions, or choose another folder."),
        is_broken=True,
    )


def _nearly_full(folder: Path, free: int) -> Problem:
    return Problem(
        "disk_full",
        _("No model fits any more: {free} free in {folder}.").format(
            free=size_text(free), folder=_shown(folder)
        ),
        _("Free some space, or choose another folder (--hf-home)."),
    )


def database(context: Context) -> Section:
    """The conversations file, opened for reading only."""
    file = context.data_dir / "conversations.db"
    title = _("conversations")
    fields: dict[str, Any] = {"file": str(file)}
    try:
        look = look_at(file)
    except StoreError as error:
        problem = Problem(error.code, error.message, error.hint, is_broken=True)
        return Section(
            "database", title, [(_("file"), _shown(file))], fields, [problem]
        )
    if look is None:
        text = _("{file}, not there yet").format(file=_shown(file))
        fields["exists"] = False
        return Section("database", title, [(_("file"), text)], fields)
    rows = [(_("file"), _shown(file))]
    rows.append((_("saved"), f"{look.n_conversations}, {size_text(look.size_bytes)}"))
    rows.append((_("journal"), sanitize_line(look.journal_mode)))
    return Section("database", title, rows, {**fields, "exists": True, **asdict(look)})


def _existing(folder: Path) -> Path:
    """The folder, or what will hold it."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _origin(origin: str) -> str:
    return sanitize_line(_(origin))


def _shown(path: Path) -> str:
    return sanitize_line(str(path))


def _without_password(address: str) -> str:
    """An endpoint as it was set, without what stands before an @."""
    before, at, host = address.rpartition("@")
    scheme, slashes, _rest = before.partition("//")
    return sanitize_line(f"{scheme}{slashes}{host}" if at else address)
