"""Loads of the model that answers, and what waits for them."""

import asyncio
from collections.abc import Awaitable, Callable

from qwen_tui.chat.events import Failed
from qwen_tui.i18n import _
from qwen_tui.session import Session
from qwen_tui.ui.screens.chat_feed import ChatWidgets, Feed
from qwen_tui.ui.screens.chat_progress import Progress


class ChatLoads:
    """Runs loads, and lets a prompt wait until the model came."""

    def __init__(self, widgets: ChatWidgets) -> None:
        self.session: Session | None = None
        self.loading = False
        self.waiting_prompt = ""
        """A prompt that was sent while the model loads; not in the session yet."""
        self.queued = ""
        """A prompt that was sent while the model answers; for the next turn."""
        self.feed = Feed(widgets)
        self._widgets = widgets
        self._load_failed = False
        self._taken_back = False
        self.starting = True
        """It is not known yet which model answers."""
        self.make_room: Callable[[], Awaitable[None]] | None = None
        """Ends what the model does of its own accord, before it is loaded again."""
        self._woken = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def answering(self) -> bool:
        """A prompt is waiting for the model, or being answered."""
        return not self._idle.is_set()

    @property
    def unsent(self) -> str:
        """What was sent and is in no session yet."""
        return "\n\n".join(text for text in (self.waiting_prompt, self.queued) if text)

    @property
    def load_failed(self) -> bool:
        """The last load did not make the model ready."""
        return self._load_failed

    @property
    def active(self) -> bool:
        """There is something that Esc would stop."""
        return self.answering or self.loading

    async def load(self) -> None:
        """Make the model ready and tell how it goes."""
        session = self.session
        if session is None or session.backend is None or self.loading:
            return
        self.loading, self._load_failed = True, True
        self.feed.begin(Progress("loading"))
        try:
            if self.make_room is not None:
                await self.make_room()
            async for event in session.backend.load():
                self.feed.note(event)
            self._load_failed = self.feed.failure is not None
        finally:
            failure = self.feed.failure
            self.feed.end()
            self.loading = False
            self._woken.set()
        self._tell_loaded(failure)

    def end_start(self) -> str:
        """Return what was sent before it was known which model answers."""
        self.starting = False
        text, self.waiting_prompt = self.waiting_prompt, ""
        return text

    async def stop_loading(self) -> None:
        """End a running load, so that another model can take its place."""
        session = self.session
        while self.loading and session is not None and session.backend is not None:
            self._woken.clear()
            await session.backend.cancel()
            await self._woken.wait()

    async def _model_came(self, prompt: str) -> bool:
        """Wait for a running load; False when it failed or the person took it back."""
        if self.loading:
            self.waiting_prompt = prompt
            try:
                while self.loading and not self._taken_back:
                    self._woken.clear()
                    await self._woken.wait()
            finally:
                self.waiting_prompt = ""
            if self._load_failed and not self.loading:
                return False
        return not self._taken_back

    def _tell_loaded(self, failure: Failed | None) -> None:
        status = self._widgets.status
        if failure is None:
            if self.feed.warning:
                status.show(self.feed.warning, "warning")
            elif not self.answering:
                self.feed.tell_ready()
        elif failure.code == "cancelled":
            status.show(_("Loading stopped. Ctrl+R loads the model again."))
        else:
            self.feed.tell_failure(failure)
