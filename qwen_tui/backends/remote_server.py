"""Which server answers, how long it may take, and the key that it wants."""

import importlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from qwen_tui.errors import UsageError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

KEYRING_SERVICE = "qwen-tui"
"""The name under which the system keyring keeps keys, one for each saved server."""
_SUFFIXES = ("/chat/completions", "/v1")
_LOOPBACK = ("localhost", "::1")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that speaks the OpenAI protocol."""

    url: str
    """As `server_url` returns it: without /v1 and without a slash at the end."""
    name: str = ""
    """What a person calls it, where it is saved; else empty."""
    model: str = ""
    """The model to ask; empty takes the only one that the server has."""
    api_key_env: str = ""
    """The variable that holds its key; empty looks in the system keyring."""

    @property
    def label(self) -> str:
        """Its name, else its host and port."""
        return self.name or urlsplit(self.url).netloc

    @property
    def is_loopback(self) -> bool:
        """Whether it runs on this machine: no proxy leads there."""
        host = urlsplit(self.url).hostname or ""
        return host in _LOOPBACK or host.startswith("127.")


class Patience(Protocol):
    """Waiting times as the settings keep them; see `ServerOptions`."""

    @property
    def connect_timeout_s(self) -> float: ...
    @property
    def first_token_timeout_s(self) -> float: ...
    @property
    def silence_timeout_s(self) -> float: ...
    @property
    def retries(self) -> int: ...


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Waiting times in seconds, and how often a request is tried again."""

    connect_timeout_s: float = 10.0
    first_token_timeout_s: float = 600.0
    """From the request to the first token: a server may load its model first."""
    silence_timeout_s: float = 120.0
    """Without a byte for this long, an answer counts as cut."""
    retries: int = 2
    """More tries of a request of which no token has come."""

    @classmethod
    def like(cls, settings: Patience) -> Self:
        """Return what the settings say."""
        return cls(
            settings.connect_timeout_s,
            settings.first_token_timeout_s,
            settings.silence_timeout_s,
            settings.retries,
        )


def server_url(text: str) -> str:
    """Return the address of a server, whatever of its path was copied with it.

    Raises:
        UsageError: it is no http address, or holds a password, which would be shown.
    """
    text = text.strip()
    if "@" in text:
        raise UsageError(
            _("A server's address cannot hold a name or password."),
            hint=_("Put the key into a variable and name it: --api-key-env NAME."),
        )
    try:
        url = urlsplit(text if "://" in text else f"http://{text}")
        is_whole = url.scheme in ("http", "https") and bool(url.hostname)
        is_whole = is_whole and (url.port is None or url.port > 0)
    except ValueError as error:
        raise _no_address(text) from error
    if not is_whole or not text.isascii() or any(c.isspace() for c in text):
        raise _no_address(text)
    path = url.path.rstrip("/")
    for suffix in _SUFFIXES:
        path = path.removesuffix(suffix).rstrip("/")
    return f"{url.scheme}://{url.netloc.lower()}{path}"


def _no_address(text: str) -> UsageError:
    return UsageError(
        _("{url} is no address of a server.").format(url=sanitize_line(text)),
        hint=_("Write it like {example}.").format(example="http://localhost:8000"),
    )


def find_key(server: Server, environ: Mapping[str, str] | None = None) -> str:
    """Return the key of a server; empty where it has none. May block.

    Raises:
        UsageError: the variable that should hold it does not, or it cannot be a key.
    """
    env = os.environ if environ is None else environ
    if server.api_key_env:
        key = env.get(server.api_key_env, "").strip()
        if not key:
            raise UsageError(
                _(
                    "The variable {name}, which holds the key of {server}, is empty."
                ).format(name=server.api_key_env, server=server.label),
                hint=_("Set it in the shell that starts qwen-tui."),
            )
    else:
        key = _from_keyring(server.name) if server.name else ""
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise UsageError(
            _("The key of {server} holds characters that no key has.").format(
                server=server.label
            )
        )
    return key


def _from_keyring(name: str) -> str:
    """Return what the system keyring keeps for a server, where there is one."""
    if importlib.util.find_spec("keyring") is None:
        return ""
    keyring: Any = importlib.import_module("keyring")
    errors: Any = importlib.import_module("keyring.errors")
    try:
        return (keyring.get_password(KEYRING_SERVICE, name) or "").strip()
    except errors.KeyringError:  # no keyring runs here, or it stays locked
        return ""
