"""What stands behind the screens: store, backend and session, without Textual.

Part of the app's wiring. Store calls run in threads: no disk or lock may hold up
the event loop.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from qwen_tui.chat.backend import Backend, ModelSource
from qwen_tui.chat.conversation import ChatMessage, Conversation, title_from
from qwen_tui.chat.events import Failed, Loaded
from qwen_tui.chat.own_options import own_options
from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.cache import DEMO, list_models
from qwen_tui.hub.catalog import recommended_sampling
from qwen_tui.hub.find import find_model
from qwen_tui.hub.loading import prepare_here, raised, raised_length
from qwen_tui.hub.queue_run import RunDownload
from qwen_tui.session import Session
from qwen_tui.store.conversations import Store
from qwen_tui.ui.hub_queries import Queries
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.server_desk import ServerDesk
from qwen_tui.ui.settings_desk import SettingsDesk
from qwen_tui.ui.shelf_desk import Shelf
from qwen_tui.wire_engine import LoadOptions

if TYPE_CHECKING:
    from qwen_tui.backends.remote_server import Server
    from qwen_tui.ui.launch import LaunchOptions

DATABASE = "conversations.db"
_CLOSE_S = 6.0

OpenBackend = Callable[[ModelSource], Backend]


@runtime_checkable
class LoadsOnDisk(Protocol):
    """A backend that loads a model of this machine, in a way that can be changed."""

    source: ModelSource
    options: LoadOptions

    @property
    def loaded(self) -> Loaded | None:
        """What is loaded."""
        ...


class Desk:
    """The open conversation, the model that answers, and where both are kept."""

    def __init__(
        self,
        options: "LaunchOptions",
        open_backend: OpenBackend | None = None,
        *,
        run_download: RunDownload | None = None,
        queries: Queries | None = None,
    ) -> None:
        """Prepare; tests give other makers of backends, downloads and answers."""
        self.options = options
        self.store: Store | None = None
        self.backend: Backend | None = None
        self.session: Session | None = None
        self.on_engine_death: Callable[[Failed], None] | None = None
        self.models = ModelDesk(
            options.settings,
            config_file=options.config_file,
            data_dir=options.data_dir,
            log_dir=options.log_dir,
            run=run_download,
            queries=queries,
        )
        self.preferences = SettingsDesk(self.models, options.config_file)
        self.source: ModelSource | None = None
        self.local_source: ModelSource | None = None
        self._model = ""
        self.servers = ServerDesk(options.settings)
        self.turn_options = options.settings.turn_options()
        self._open_backend = open_backend or self._local_backend

    async def open_store(self) -> None:
        """Open the conversations file.

        Raises:
            StoreError: it cannot be opened.
        """
        file = self.options.data_dir / DATABASE
        self.store = await asyncio.to_thread(Store, file)
        self.store.index_in_background()

    async def first_chat(self) -> Session:
        """Open the conversation the program was started with, else an empty one."""
        chat_id = self.options.chat
        return await (self.open_chat(chat_id) if chat_id else self.new_chat())

    async def new_chat(self) -> Session:
        """Begin a conversation; it is saved with its first message."""
        return self._take(Conversation())

    async def open_chat(self, chat_id: str) -> Session:
        """Open a saved conversation.

        Raises:
            ChatNotFound, StoreError: it is gone or cannot be read.
        """
        return self._take(await asyncio.to_thread(self._the_store().load, chat_id))

    async def find_first_model(self) -> ModelSource | None:
        """Return the model to begin with; None where a person has to choose.

        What was named counts first, then what the conversation was held with, then
        the only model on this machine.

        Raises:
            ModelNotFound, NotAModel, ModelIncomplete, ModelCorrupt: of a named one.
        """
        settings = self.models.settings
        named = self.options.model or settings.model.default
        if named:
            return await asyncio.to_thread(self._find, named)
        used = await self._model_in_use()
        if used:
            with contextlib.suppress(QwenTuiError):
                return await asyncio.to_thread(self._find, used)
        complete = await self.models_on_disk()
        return complete[0] if len(complete) == 1 else None

    async def find_first_server(self) -> "Server | None":
        """Return the server to begin with; None for a model of this machine.

        Raises:
            UsageError: the one that the conversation was held with is gone.
        """
        if self.options.server is not None:
            return self.options.server
        if self.options.model or self.models.settings.model.default:
            return None
        return self.servers.of_conversation(await self._model_in_use())

    async def models_on_disk(self) -> list[ModelSource]:
        """Return every whole model on this machine but the demo."""
        settings = self.models.settings
        found = await asyncio.to_thread(
            list_models, cache_dir=settings.hf_cache, folders=settings.model.folders
        )
        return [m.source for m in found if m.complete and m.source.name != DEMO]

    async def use_model(self, source: ModelSource) -> None:
        """Let another model answer; it is not loaded yet."""
        self.source = self.local_source = source
        self.servers.current = None
        self._take_presets(source.name)
        await self._use(self._open_backend(source))

    async def use_server(self, server: "Server") -> None:
        """Let a server answer; it is not asked yet what it is."""
        self.source, self.servers.current = None, server
        self._take_presets(server.model)
        await self._use(self.servers.open(server, self._take_presets))

    def _take_presets(self, model: str) -> None:
        self._model = model
        self.renew_options()

    async def _use(self, backend: Backend) -> None:
        before, self.backend = self.backend, backend
        if self.session is not None:
            self.session.backend = backend
        if before is not None:
            await before.close()

    def renew_options(self) -> None:
        """Ask with what the settings and the model's card say now."""
        recommended = recommended_sampling(self._model)
        self.turn_options = self.models.settings.turn_options(recommended)
        session = self.session
        if session is not None:
            session.defaults = self.turn_options
            session.options = own_options(session.conversation, self.turn_options)

    @property
    def longer_context(self) -> int:
        """Tokens that the model could be loaded with; 0 where it cannot do more."""
        backend = self.backend
        if not isinstance(backend, LoadsOnDisk) or backend.loaded is None:
            return 0
        return raised_length(backend.source, backend.options, backend.loaded)

    def raise_context(self) -> None:
        """Let the next load give the model the longer context."""
        backend = self.backend
        if isinstance(backend, LoadsOnDisk) and backend.loaded is not None:
            options = raised(backend.source, backend.options, backend.loaded)
            backend.options = options or backend.options

    def move_to(self, device: str) -> bool:
        """Let the next load go to another device; False where nothing is loaded so."""
        backend = self.backend
        if not isinstance(backend, LoadsOnDisk):
            return False
        backend.options = replace(backend.options, device=device)
        return True

    async def close(self) -> None:
        """Give everything back; a child that does not end in time is killed."""
        await self.models.close()
        if self.backend is not None:
            try:
                await asyncio.wait_for(self.backend.close(), _CLOSE_S)
            except TimeoutError:
                self.kill()
        if self.store is not None:
            await asyncio.to_thread(self.store.close)

    def save_now(self, unsent: str = "") -> None:
        """Save what there is, in a signal handler too.

        Args:
            unsent: What was sent while the model loaded or answered; it follows the
                answer that is being written.
        """
        session, store = self.session, self.store
        if session is None or store is None:
            return
        session.save_now()
        if unsent:
            chat = session.conversation
            message = ChatMessage("user", unsent, parent_id=chat.leaf_id)
            chat.title = chat.title or title_from(unsent)
            # the row first: a message belongs to a conversation that exists
            store.save_conversation(chat)
            store.save_message(chat.id, message)
            chat.put(message)
            store.save_conversation(chat)

    def kill(self) -> None:
        """End the engine and the downloads at once; safe in a signal handler."""
        self.models.kill()
        kill = getattr(self.backend, "kill", None)
        if kill is not None:
            kill()

    async def _model_in_use(self) -> str:
        """What the open conversation, else the latest one, was held with."""
        if self.session is not None and self.session.conversation.model:
            return self.session.conversation.model
        latest = await asyncio.to_thread(self._the_store().latest)
        return latest.model if latest is not None else ""

    def shelf(self) -> Shelf:
        """Return what orders the conversations of the open store."""

        def open_chat() -> Conversation | None:
            return self.session.conversation if self.session is not None else None

        return Shelf(self._the_store(), open_chat)

    def _take(self, conversation: Conversation) -> Session:
        options = own_options(conversation, self.turn_options)
        self.session = Session(
            self._the_store(),
            self.backend,
            conversation,
            options,
        )
        self.session.defaults = self.turn_options
        return self.session

    def _find(self, name: str) -> ModelSource:
        settings = self.models.settings
        return find_model(
            name, cache_dir=settings.hf_cache, folders=settings.model.folders
        )

    def _local_backend(self, source: ModelSource) -> Backend:
        from qwen_tui.backends.local import LocalBackend  # not before the first frame

        backend = LocalBackend(
            source,
            self.models.settings.model.load_options(source.identity),
            log_dir=self.options.log_dir,
            environ=self.models.environ,
            prepare=prepare_here,
        )
        backend.on_idle_death = self.on_engine_death
        return backend

    def _the_store(self) -> Store:
        if self.store is None:
            raise RuntimeError("the store is not open yet")
        return self.store
