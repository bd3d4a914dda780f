"""The servers that may answer, without Textual: which there are, and what they tell."""

from collections.abc import Callable

from qwen_tui.backends.remote_choice import (
    find_server,
    is_server_ref,
    server_of_ref,
)
from qwen_tui.backends.remote_server import Server, ServerOptions
from qwen_tui.chat.backend import Backend
from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.catalog import thinking_kind
from qwen_tui.i18n import _
from qwen_tui.settings import Settings
from qwen_tui.ui.screens.servers import ServerEntry


class ServerDesk:
    """What is known of servers.

    Attributes:
        current: The server that answers now; None for a model of this machine.
    """

    def __init__(self, settings: Settings) -> None:
        self.current: Server | None = None
        self._settings = settings

    def renew(self, settings: Settings) -> None:
        """Ask servers as other settings say, from the next one that is chosen on."""
        self._settings = settings

    def find(self, where: str, model: str = "") -> Server:
        """Return a saved server, or the one at a URL.

        Raises:
            UsageError: it is neither.
        """
        return find_server(where, self._settings.servers, model=model)

    def of_conversation(self, model: str) -> Server | None:
        """Return the server that a conversation was held with, if with one."""
        if not is_server_ref(model):
            return None
        return server_of_ref(model, self._settings.servers)

    def open(self, server: Server, on_loaded: Callable[[str], None]) -> Backend:
        """Return what asks a server; it is not asked yet.

        Args:
            server: Where it is.
            on_loaded: Told the model's name once it is known.
        """
        from qwen_tui.backends.remote import RemoteBackend  # not before the first frame

        backend = RemoteBackend(
            server,
            ServerOptions.like(self._settings.server),
            thinking_kind=thinking_kind,
        )
        backend.on_loaded = on_loaded
        return backend

    def names(self) -> list[str]:
        """Return the names of the saved servers."""
        return [one.name for one in self._settings.servers]

    def servers(self) -> list[Server]:
        """Return the saved servers and the one that answers now."""
        saved = [self.find(one.name) for one in self._settings.servers]
        known = {server.url for server in saved}
        if self.current is not None and self.current.url not in known:
            saved.append(self.current)
        return saved

    def rows(self, server: Server) -> list[ServerEntry]:
        """Return the row of a server that was not asked yet."""
        where = server.name or server.url
        return [ServerEntry(where, "", server.label, _("asking the server"))]

    async def check(self, server: Server) -> list[ServerEntry]:
        """Ask a server what it is and has; return a row for each of its models."""
        from qwen_tui.backends.remote_look import look_once

        where = server.name or server.url
        try:
            options = ServerOptions.like(self._settings.server)
            look = await look_once(server, options)
        except QwenTuiError as error:
            return [ServerEntry(where, "", server.label, error.message, "error")]
        kind = " ".join(part for part in (look.dialect.label, look.version) if part)
        entries: list[ServerEntry] = []
        for model in look.models:
            length = _("{n} tokens").format(n=f"{model.context_length:,}")
            parts = (model.name, length if model.context_length else "", kind)
            detail = "  ".join(part for part in parts if part)
            entries.append(ServerEntry(where, model.name, server.label, detail))
        return entries or [ServerEntry(where, "", server.label, kind)]
