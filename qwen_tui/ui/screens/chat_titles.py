"""Titles that the model gives to new conversations while it has nothing to do."""

import asyncio
from collections.abc import Awaitable
from contextlib import aclosing, suppress

from textual import on, work
from textual.worker import Worker, WorkerError

from qwen_tui.chat.ending import to_the_end
from qwen_tui.chat.events import AnswerDelta, Failed, Finished
from qwen_tui.chat.titling import read_title, title_request, wants_title
from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.cache import DEMO
from qwen_tui.session import Session
from qwen_tui.ui.screens.chat_messages import TurnSettled
from qwen_tui.ui.screens.chat_transfer import TransferActions
from qwen_tui.ui.widgets.composer import Composer

_IDLE_S = 1.0
"""Nothing may happen for so long before a title is asked for."""


class TitleActions(TransferActions):
    """Asks for a title when the model is idle; whatever a person does comes first."""

    makes_titles = False
    """Set by the app, from the settings."""
    _titling: Worker[None] | None = None
    _untitled = ""
    """The conversation whose title was none: asked again, it would be the same."""

    def on_mount(self) -> None:
        self.turns.make_room = self._end_titling

    async def run_turn(self, turn: Awaitable[None], *, may_ask: bool = False) -> None:
        """Do a turn; a title that is being written gives way to it."""
        await self._end_titling()
        await super().run_turn(turn, may_ask=may_ask)

    @on(Composer.Begun)
    async def read_ahead_instead(self) -> None:
        await self._end_titling()

    @on(TurnSettled)
    def begin_title(self) -> None:
        session = self.turns.session
        if self.makes_titles and session is not None:
            self._titling = self._make_title(session)

    @work(exclusive=True, group="title", exit_on_error=False)
    async def _make_title(self, session: Session) -> None:
        await asyncio.sleep(_IDLE_S)
        chat = session.conversation
        if not self._is_idle(session):
            return
        before, answer = chat.title, chat.branch()[1].content
        written = await _written(session)
        if written is None:
            return
        title = read_title(written, answer)
        if title in ("", before):
            self._untitled = chat.id
        elif self.shelf is not None and chat.title == before:
            with suppress(QwenTuiError):  # deleted meanwhile
                await self.shelf.rename(chat.id, title)
                await self.show_shelf()

    def _is_idle(self, session: Session) -> bool:
        """Whether a title can be asked for, and is wanted."""
        loaded = session.backend.loaded if session.backend is not None else None
        return (
            loaded is not None
            and loaded.model != DEMO
            and session is self.turns.session
            and not self.turns.active
            and not self.composer.text
            and session.conversation.id != self._untitled
            and wants_title(session.conversation, loaded)
        )

    async def _end_titling(self) -> None:
        """Stop what is written for a title, and wait until the model is free."""
        worker, self._titling = self._titling, None
        if worker is not None and not worker.is_finished:
            worker.cancel()
            with suppress(WorkerError):
                await worker.wait()


async def _written(session: Session) -> str | None:
    """Return what the model writes for a title; None where it fails."""
    assert session.backend is not None
    request = title_request(session.conversation)
    text = ""
    async with aclosing(to_the_end(session.backend.stream(request))) as events:
        async for event in events:
            match event:
                case AnswerDelta():
                    text += event.text
                case Failed() | Finished(reason="cancelled"):
                    return None
                case _:
                    pass
    return text
