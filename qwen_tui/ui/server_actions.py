"""What a person does about servers: see them, let one answer, let none."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from textual.app import App

from qwen_tui.backends.remote_choice import OFF
from qwen_tui.backends.remote_server import Server
from qwen_tui.i18n import _
from qwen_tui.ui.desk import Desk
from qwen_tui.ui.screens.chat import ChatScreen
from qwen_tui.ui.screens.servers import Check, Listing, ServerEntry, ServersScreen


class ServerActions:
    """Carries out `/server` for the app."""

    def __init__(
        self,
        app: App[int],
        desk: Desk,
        chat: ChatScreen,
        use_local: Callable[[], Awaitable[None]],
    ) -> None:
        """Take what is wired.

        Args:
            app: Shows the list.
            desk: Where backends are.
            chat: Tells how it goes.
            use_local: Lets a model of this machine answer.
        """
        self._app = app
        self._desk = desk
        self._chat = chat
        self._use_local = use_local

    async def obey(self, wish: str) -> None:
        """Do what stood behind `/server`; call it in a worker.

        Raises:
            UsageError: it names no server.
        """
        where, _space, model = wish.strip().partition(" ")
        servers = self._desk.servers
        if not where:
            await self._show(servers.servers())
        elif where.lower() == OFF:
            await self._leave()
        else:
            server = servers.find(where, model.strip())
            entries = [] if server.model else await servers.check(server)
            if len(entries) > 1:
                await self._choose(lambda: (), [lambda: entries], [])
            else:
                await self.use(server)

    async def use(self, server: Server) -> None:
        """Let a server answer from the next message on."""
        await self._chat.turns.stop_loading()
        await self._desk.use_server(server)
        name = f"{server.model} @ {server.label}" if server.model else server.label
        self._chat.header.change(model=name, device="", dtype="", context_tokens=0)
        self._chat.load_model()

    async def _show(self, found: Sequence[Server]) -> None:
        """Show every server and its models, each asked now."""
        servers = self._desk.servers
        local = self._desk.local_source
        name = local.name if local is not None else ""
        groups = [partial(servers.rows, server) for server in found]
        checks = [partial(servers.check, server) for server in found]
        await self._choose(
            lambda: [ServerEntry("", "", _("This machine"), name)], groups, checks
        )

    async def _choose(
        self,
        first: Listing,
        groups: Sequence[Listing],
        checks: Sequence[Check],
    ) -> None:
        screen = ServersScreen(first, groups, checks)
        entry = await self._app.push_screen_wait(screen)
        if entry is None:
            return
        if entry.where:
            await self.use(self._desk.servers.find(entry.where, entry.model))
        else:
            await self._leave()

    async def _leave(self) -> None:
        if self._desk.servers.current is None:
            self._chat.tell(_("A model of this machine answers already."))
        else:
            await self._use_local()
