"""Where hostile texts are shown, and all that the terminal was sent meanwhile."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.events import StreamEvent
from qwen_tui.store.conversations import Store
from tests.scripted import ScriptedBackend
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.model_hosts import FakeQueries, HostApp, desk_for, sees
from tests.ui.pipe_driver import PipeDriver

SIZE = (240, 60)


class Stage:
    """Where a sink is shown; keeps all that the terminal was sent."""

    def __init__(self, make_app: MakeApp, folder: Path, *, frame_diff: bool) -> None:
        self.folder = folder
        self.stream = ""
        self._make_app = make_app
        self._frame_diff = frame_diff

    @asynccontextmanager
    async def chat(
        self, *scripts: list[StreamEvent], **more: object
    ) -> AsyncGenerator[Person]:
        """Open the chat; `more` goes to the maker of apps."""
        backend = more.pop("backend", None) or ScriptedBackend(*scripts)
        options = {"ui.frame_diff": self._frame_diff, **more}
        app = self._make_app(backend, **options)
        async with self.shown(app) as pilot:
            yield Person(app, pilot)

    @asynccontextmanager
    async def models(self, queries: FakeQueries) -> AsyncGenerator[Pilot[None]]:
        """Open the models screen."""
        app = HostApp(desk_for(self.folder, queries=queries))
        async with self.shown(app) as pilot:
            await sees(pilot, "demo")
            yield pilot

    @asynccontextmanager
    async def shown(self, app: App[Any]) -> AsyncGenerator[Pilot[Any]]:
        app.driver_class = PipeDriver
        async with app.run_test(headless=False, size=SIZE, notifications=True) as pilot:
            yield pilot
            await pilot.pause()
            assert app.is_running
            assert isinstance(app._driver, PipeDriver)
            self.stream += "".join(app._driver.sent)

    def save(self, *messages: ChatMessage, title: str = "A title") -> str:
        """Save a conversation of these messages; return its id."""
        (self.folder / "data").mkdir(exist_ok=True)
        store = Store(self.folder / "data" / "conversations.db")
        chat = Conversation(title=title)
        for message in messages:
            chat.put(replace(message, parent_id=chat.leaf_id))
        store.save_conversation(chat)
        for message in chat.messages.values():
            store.save_message(chat.id, message)
        store.close()
        return chat.id
