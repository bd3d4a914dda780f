"""The program on the screen: wires the screens to what stands behind them."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.binding import Binding
from textual.scrollbar import ScrollBar

from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.events import Failed
from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.catalog import entry_of
from qwen_tui.hub.machine import read_machine
from qwen_tui.hub.queue_run import RunDownload
from qwen_tui.i18n import _
from qwen_tui.settings.personas import FILE_NAME
from qwen_tui.ui.bare import BareApp
from qwen_tui.ui.chat_downloads import ChatDownloads
from qwen_tui.ui.clipboard import ClipboardApp
from qwen_tui.ui.desk import Desk, OpenBackend
from qwen_tui.ui.hub_queries import Queries
from qwen_tui.ui.key_order import KeyOrderApp
from qwen_tui.ui.keymap import FILE_NAME as KEYMAP_FILE
from qwen_tui.ui.look_app import LookApp
from qwen_tui.ui.pace import pace_for
from qwen_tui.ui.prompt_history import PROMPTS_FILE, PromptHistory
from qwen_tui.ui.screens.chat import ChatScreen
from qwen_tui.ui.screens.chat_messages import (
    DeviceAsked,
    LongerContextAsked,
    ModelsAsked,
    NewChatAsked,
    OpenChatAsked,
    QuitAsked,
    ServerAsked,
)
from qwen_tui.ui.screens.chat_options import devices_line
from qwen_tui.ui.server_actions import ServerActions
from qwen_tui.ui.thin_line import calm_garbage_collection
from qwen_tui.ui.widgets.confirm_line import ConfirmLine
from qwen_tui.ui.widgets.plain_scrollbar import PlainScrollBar

if TYPE_CHECKING:
    from qwen_tui.ui.launch import LaunchOptions

_STOP_S = 5.0


class QwenTuiApp(KeyOrderApp, ClipboardApp, BareApp, LookApp):
    """The chat and the screens around it; the exit status is its return value."""

    CSS_PATH = ["app.tcss", "bare.tcss"]
    TITLE = "qwen-tui"
    BINDINGS = [
        Binding("ctrl+q", "ask_quit", show=False, priority=True),
        Binding("ctrl+l", "redraw", show=False),
    ]

    def __init__(
        self,
        options: "LaunchOptions",
        *,
        open_backend: OpenBackend | None = None,
        run_download: RunDownload | None = None,
        queries: Queries | None = None,
    ) -> None:
        super().__init__()
        self.desk = Desk(
            options, open_backend, run_download=run_download, queries=queries
        )
        self.desk.on_engine_death = self._tell_engine_death
        self.desk.models.in_use = self._paths_in_use
        ui = options.settings.ui
        self.chat = ChatScreen(
            thinking_open=ui.thinking_open, pace=pace_for(slow_link=ui.slow_link)
        )
        self.chat.prompts = PromptHistory(options.data_dir / PROMPTS_FILE)
        self.chat.server_names = self.desk.servers.names
        self._servers = ServerActions(self, self.desk, self.chat, self._use_local)
        self._downloads = ChatDownloads(self.desk.models, self.chat)
        self.chat.context.longer_context = lambda: self.desk.longer_context
        self.chat.personas_file = options.config_file.parent / FILE_NAME
        self.dress(ui)
        self.take_keymap(options.data_dir / KEYMAP_FILE)

    def on_load(self) -> None:
        ScrollBar.renderer = PlainScrollBar  # Textual's own hook: one for all widgets

    async def on_mount(self) -> None:
        for file in self.chat.css_path:  # else `push_screen` has all CSS parsed again
            self.stylesheet.read(file)
        await self.push_screen(self.chat)
        self.tell_keymap()
        self.call_after_refresh(self._begin)  # what is to be seen comes first

    @work(group="begin")
    async def _begin(self) -> None:
        calm_garbage_collection()
        try:
            await self._open()
        finally:
            self.chat.end_start()

    async def _open(self) -> None:
        """Open jobs, store, conversation and model, each told if it fails."""
        try:
            await self.desk.models.open()
        except QwenTuiError as error:
            self.chat.tell_error(error)
        try:
            await self.desk.open_store()
        except QwenTuiError as error:
            self.chat.tell_error(error)
            return
        self.chat.shelf = self.desk.shelf()
        try:
            await self.chat.open_session(await self.desk.first_chat())
        except QwenTuiError as error:
            await self.chat.open_session(await self.desk.new_chat())
            self.chat.tell_error(error)
        await self.chat.show_shelf()
        await self._begin_model()

    async def _begin_model(self) -> None:
        try:
            server = await self.desk.find_first_server()
            if server is not None:
                await self._servers.use(server)
                return
            source = await self.desk.find_first_model()
        except QwenTuiError as error:
            self.chat.tell_error(error)
            return
        if source is None:
            source = await self._choose_model()
        if source is not None:
            await self._use_model(source)
        else:
            self.chat.tell(_("No model is chosen: press Ctrl+O."), "warning")

    async def _choose_model(self) -> ModelSource | None:
        """Ask the person; on a machine without any model, by the first-run screen."""
        if await self.desk.models_on_disk():
            return await self._show_models()
        from qwen_tui.ui.screens.first_run import FirstRunScreen

        with self._downloads.covered():
            return await self.push_screen_wait(FirstRunScreen(self.desk.models))

    async def _show_models(self) -> ModelSource | None:
        from qwen_tui.ui.screens.models import ModelsScreen  # not before it is needed

        with self._downloads.covered():
            return await self.push_screen_wait(ModelsScreen(self.desk.models))

    async def _use_model(self, source: ModelSource) -> None:
        await self.desk.use_model(source)
        entry = entry_of(source.name)
        kind = entry.thinking if entry is not None else "switch"
        facts = {"model": source.name, "device": "", "dtype": "", "thinking_kind": kind}
        self.chat.header.change(**facts)
        self.chat.load_model()

    @on(ModelsAsked)
    @work(exclusive=True, group="models")
    async def choose_model(self) -> None:
        source = await self._show_models()
        if source is not None:
            await self.chat.turns.stop_loading()
            await self._use_model(source)

    async def _use_local(self) -> None:
        """Let the model of this machine answer that did, or one that is chosen."""
        source = self.desk.local_source or await self._choose_model()
        if source is not None:
            await self.chat.turns.stop_loading()
            await self._use_model(source)

    @on(ServerAsked)
    @work(exclusive=True, group="models")
    async def choose_server(self, event: ServerAsked) -> None:
        try:
            await self._servers.obey(event.wish)
        except QwenTuiError as error:
            self.chat.tell_error(error)

    @on(LongerContextAsked)
    def load_longer(self) -> None:
        self.desk.raise_context()
        self.chat.load_and_resume()

    @on(DeviceAsked)
    @work(exclusive=True, group="models")
    async def move_model(self, event: DeviceAsked) -> None:
        if not event.device:
            machine = await asyncio.to_thread(read_machine)
            self.chat.tell(devices_line(machine), "warning")
        elif self.desk.move_to(event.device):
            await self.chat.turns.stop_loading()
            self.chat.load_model()
        else:
            self.chat.tell(_("No model is loaded from this machine."), "warning")

    @on(NewChatAsked)
    async def begin_chat(self) -> None:
        if self.desk.store is not None:
            await self.chat.open_session(await self.desk.new_chat())

    @on(OpenChatAsked)
    async def open_chat(self, event: OpenChatAsked) -> None:
        try:
            await self.chat.open_session(await self.desk.open_chat(event.chat_id))
        except QwenTuiError as error:
            self.chat.tell_error(error)
        await self.chat.show_shelf()
        if event.message_id:
            self.chat.show_message(event.message_id)

    def _paths_in_use(self) -> list[Path]:
        """What is loaded, or is being loaded."""
        source, backend = self.desk.source, self.desk.backend
        if source is None or backend is None:
            return []
        is_used = backend.loaded is not None or self.chat.turns.loading
        return [Path(source.path)] if is_used else []

    def _tell_engine_death(self, failure: Failed) -> None:
        self.chat.header.change(device="", dtype="")
        self.chat.tell(f"{failure.message} {failure.hint}", "error")

    # Leaving

    @on(QuitAsked)
    def action_ask_quit(self) -> None:
        """Leave; while an answer is written or a model fetched, only after a yes."""
        if self.screen is self.chat and self.chat.turns.answering:
            question = _(
                "An answer is being written; what is there will be kept. Quit?"
            )
            self.chat.ask(question, self.leave, while_answering=True)
            return
        confirm = next(iter(self.screen.query(ConfirmLine)), None)
        unsaved = self.chat.unsaved_question
        if unsaved and confirm is not None:
            confirm.ask(unsaved, self.leave)
            return
        if self.desk.models.queue.is_busy and confirm is not None:
            question = _(
                "A download is running; it is paused and goes on next time. Quit?"
            )
            confirm.ask(question, self.leave)
        else:
            self.leave()

    @work(exclusive=True, group="leave")
    async def leave(self) -> None:
        """Save everything, end the engine, and end the program."""
        self.chat.tell(_("Closing"), "busy")
        turns = self.chat.turns
        unsent = turns.unsent
        await turns.stop()
        try:
            await asyncio.wait_for(turns.until_idle(), _STOP_S)
        except TimeoutError:
            self.save_now()
        else:
            if unsent:
                await asyncio.to_thread(self.desk.save_now, unsent)
        await self.desk.close()
        self.exit(0)

    def action_help_quit(self) -> None:
        """Do nothing: Textual would pop up a note on Ctrl+C."""

    def save_now(self) -> None:
        """Save the conversation as it is, at once; callable in a signal handler."""
        self.desk.save_now(self.chat.turns.unsent)

    def kill_children(self) -> None:
        """End the engine at once; callable in a signal handler, twice too."""
        self.desk.kill()
