"""The saved servers: `[[servers]]` in the user's file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from qwen_tui.errors import SettingsError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.settings.known import nearest

SERVERS = "servers"
_NAME = re.compile(r"[\w][\w.-]*")
_VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True, slots=True)
class SavedServer:
    """One server; its key is never here."""

    name: str
    url: str
    model: str = ""
    """Empty for the only one it has."""
    api_key_env: str = ""
    """The variable that holds its key; empty looks in the system keyring."""


def read_servers(
    tables: Mapping[str, Any], file: Path
) -> tuple[tuple[SavedServer, ...], list[str]]:
    """Return the saved servers of a settings file, and lines about what is unknown.

    Raises:
        SettingsError: an entry is none, has no name or address, or a name twice.
    """
    entries: Any = tables.get(SERVERS, [])
    if not isinstance(entries, list):
        raise _wrong(file, _("write [[servers]] before each of them"))
    servers: dict[str, SavedServer] = {}
    notices: list[str] = []
    for entry in cast(list[Any], entries):
        if not isinstance(entry, dict):
            raise _wrong(file, _("write [[servers]] before each of them"))
        server = _server(cast(dict[str, Any], entry), file, notices)
        if server.name in servers:
            raise _wrong(file, _("{name} is there twice").format(name=server.name))
        servers[server.name] = server
    return tuple(servers.values()), notices


def _server(entry: dict[str, Any], file: Path, notices: list[str]) -> SavedServer:
    known = {field.name: field for field in fields(SavedServer)}
    values: dict[str, str] = {}
    for key, value in entry.items():
        if key in ("key", "api_key", "token"):
            raise _wrong(
                file, _("a key does not belong here; name its variable: api_key_env")
            )
        if key not in known:
            text = _("{file}: there is no setting {key}; did you mean {nearest}?")
            real = nearest(key, known) or "name"
            shown = sanitize_line(f"{SERVERS}.{key}")
            notices.append(text.format(file=file, key=shown, nearest=real))
        elif not isinstance(value, str):
            raise _wrong(file, _("{key} must be a text").format(key=key))
        else:
            values[key] = value.strip()
    server = SavedServer(**{"name": "", "url": "", **values})
    _check(server, file)
    return server


def _check(server: SavedServer, file: Path) -> None:
    if not _NAME.fullmatch(server.name):
        raise _wrong(file, _("each needs a name, of letters and digits"))
    try:
        url = urlsplit(server.url)
        is_address = url.scheme in ("http", "https") and bool(url.hostname)
        is_address = is_address and "@" not in url.netloc and (url.port or 1) > 0
    except ValueError as error:
        raise _no_url(server, file) from error
    if not is_address:
        raise _no_url(server, file)
    if server.api_key_env and not _VARIABLE.fullmatch(server.api_key_env):
        raise _wrong(file, _("api_key_env is the name of a variable, not the key"))


def _no_url(server: SavedServer, file: Path) -> SettingsError:
    text = _("the url of {name} must be like {example}")
    return _wrong(file, text.format(name=server.name, example="http://gpu:8000"))


def _wrong(file: Path, reason: str) -> SettingsError:
    return SettingsError(
        _("{file}: in [[servers]], {reason}.").format(file=file, reason=reason)
    )
