"""From what a person or a saved conversation names to a server and its model."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from qwen_tui.backends.remote_server import Server, server_url

OFF = "off"
"""What stands where no server shall answer."""
_SCHEME = "server:"


class SavedServer(Protocol):
    """A server as the settings keep it."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    @property
    def url(self) -> str:
        """Its address."""
        ...

    @property
    def model(self) -> str:
        """The model to ask; empty for the only one."""
        ...

    @property
    def api_key_env(self) -> str:
        """The variable that holds its key."""
        ...


def find_server(
    where: str, saved: Iterable[SavedServer], *, model: str = "", api_key_env: str = ""
) -> Server:
    """Return a server by the name or the address that it was saved with, or any URL.

    Args:
        where: Name or URL.
        saved: The saved servers; only theirs is what they have as key.
        model: Of this server; empty takes the saved one.
        api_key_env: As `model`.

    Raises:
        UsageError: it is neither a saved name nor an address.
    """
    servers = [_server(one) for one in saved]
    found = next((one for one in servers if one.name == where), None)
    if found is None:
        url = server_url(where)
        found = next((one for one in servers if one.url == url), Server(url))
    return replace(
        found,
        model=model or found.model,
        api_key_env=api_key_env or found.api_key_env,
    )


def server_ref(server: Server, model: str) -> str:
    """Return what finds a server and its model again; see `Loaded.ref`."""
    return f"{_SCHEME}{server.name or server.url}#{model}"


def is_server_ref(text: str) -> bool:
    """Whether a conversation's model is one of a server."""
    return text.startswith(_SCHEME)


def server_of_ref(ref: str, saved: Iterable[SavedServer]) -> Server:
    """Return the server that a conversation was held with; raises as `find_server`."""
    where, _hash, model = ref.removeprefix(_SCHEME).partition("#")
    return find_server(where, saved, model=model)


def _server(saved: SavedServer) -> Server:
    url = server_url(saved.url)
    return Server(url, saved.name, saved.model, saved.api_key_env)
