"""The one turn loop: conversation, backend and store meet here.

What a person typed is on disk before the model is asked, and what the model says is
on disk within about a second of appearing.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace

from qwen_tui.chat.answer import GrowingAnswer
from qwen_tui.chat.asking import STOPPED, turn_events
from qwen_tui.chat.backend import Backend
from qwen_tui.chat.conversation import ChatMessage, Conversation, title_from
from qwen_tui.chat.events import (
    AnswerDelta,
    ContextCut,
    Failed,
    Finished,
    Loaded,
    LoadEstimate,
    LoadProgress,
    NotPassed,
    PrefillProgress,
    StreamEvent,
    Summarising,
    ThinkingDelta,
    WasThinking,
)
from qwen_tui.chat.request import ask
from qwen_tui.chat.turn import (
    Turn,
    TurnOptions,
    TurnPlan,
    is_void,
    take_back,
)
from qwen_tui.errors import QwenTuiError, StoreError
from qwen_tui.i18n import _
from qwen_tui.store.autosave import CHECKPOINT_S, Autosave
from qwen_tui.store.conversations import Store

SAVE_NOW_S = 0.5
"""How long `save_now` waits for a save that is under way in another thread."""


class TurnLoop:
    """Runs a turn and saves it; `Session` tells what the turns are."""

    def __init__(
        self,
        store: Store,
        backend: Backend | None,
        conversation: Conversation,
        options: TurnOptions,
    ) -> None:
        self.conversation = conversation
        self.backend = backend
        self.options = options
        self.current: ChatMessage | None = None
        self.withdrawn: str | None = None
        self._store = store
        self._saver = Autosave(store, conversation.id)
        self.defaults: TurnOptions | None = None
        self._turn: Turn | None = None
        self._refused: Turn | None = None

    @property
    def busy(self) -> bool:
        """Whether a turn runs."""
        return self._turn is not None

    @property
    def unsaved(self) -> QwenTuiError | None:
        """Why what is shown is not all on disk; None where it is."""
        return self._saver.failure

    def watch_saving(self, on_change: Callable[[], None]) -> None:
        """Call `on_change` whenever `unsaved` begins or ends."""
        self._saver.on_change = on_change

    async def save_again(self) -> None:
        """Try once more to save what could not be saved."""
        await self._saver.flush()

    async def stop(self) -> None:
        """End the running turn; its stream ends with `Finished("cancelled")`."""
        if self._turn is not None and self.backend is not None:
            self._turn.is_stopping = True
            await self.backend.cancel()

    @property
    def _loaded(self) -> Loaded | None:
        return self.backend.loaded if self.backend is not None else None

    def save_now(self) -> None:
        """Save what there is, a growing answer as cut, without an event loop.

        May be called in a signal handler; a save that fails there cannot be told.
        """
        if self._turn is not None and self.current is not None:
            state = "stopped" if self._turn.is_stopping else "interrupted"
            self._saver.put(replace(self.current, state=state))
        self._saver.write(patience_s=SAVE_NOW_S)

    async def _run(self, plan: TurnPlan) -> AsyncIterator[StreamEvent]:
        """Do one turn; the last event comes when all is saved and the session idle."""
        if self.busy:
            raise RuntimeError("one turn at a time")
        self.withdrawn = self._refused = None
        if self.backend is None:
            self.withdrawn = plan.user.content if plan.user else None
            yield Failed(
                "no_model", _("No model is chosen."), _("Choose or download one first.")
            )
            return
        turn = self._begin(plan)
        events: AsyncGenerator[StreamEvent, None] | None = None
        checkpoints: asyncio.Task[None] | None = None
        last: Finished | Failed | None = None  # stays None when closed early
        try:
            last = await self._save_begin(turn)
            if last is None:
                checkpoints = asyncio.create_task(self._saver.checkpoints())
                events = turn_events(
                    self.backend, self.conversation, turn, self.options
                )
                async for event in events:
                    last = self._take(turn, event)
                    if last is not None:
                        break
                    yield event
        finally:
            if checkpoints is not None:
                checkpoints.cancel()
            try:
                last = await self._save_end(turn, last)
            finally:
                await self._release(events)
        assert last is not None
        yield last

    def _begin(self, plan: TurnPlan) -> Turn:
        chat = self.conversation
        turn = Turn(plan, row_of(chat), GrowingAnswer(plan.answer))
        if plan.user is not None:
            chat.put(plan.user)
            self._saver.put(plan.user)
            chat.title = chat.title or title_from(plan.user.content)
        chat.put(plan.answer)
        self._record(turn, self._loaded)
        self._saver.put_row(row_of(chat))
        self._turn = turn
        return turn

    def _record(self, turn: Turn, loaded: Loaded | None) -> None:
        """Note in the answer what makes it."""
        asked = ask(self.conversation, turn.plan, self.options, loaded)
        turn.answer.record(asked.settings(), loaded)
        if loaded is not None:
            self.conversation.model = loaded.ref or loaded.model
        self._show(turn)

    def _show(self, turn: Turn) -> None:
        answer = self.current = turn.answer.message
        self.conversation.messages[answer.id] = answer
        self._saver.put(answer)

    def _take(self, turn: Turn, event: StreamEvent) -> Finished | Failed | None:
        """Bring an event into the conversation; return it where it ends the turn."""
        match event:
            case ThinkingDelta() | AnswerDelta():
                turn.answer.add(event)
                self._show(turn)
            case Loaded():
                self._record(turn, event)
            case ContextCut():  # what switched the thinking may be outside now
                self._record(turn, self._loaded)
                self._saver.put_row(row_of(self.conversation))
            case WasThinking():
                turn.answer.take_as_thinking()
                self._show(turn)
            case NotPassed(names):
                turn.answer.leave_out(names)
                self._show(turn)
            case LoadProgress() | LoadEstimate() | PrefillProgress() | Summarising():
                pass
            case Finished():
                return event
            case Failed(code):  # "cancelled" is how a stopped load ends
                return STOPPED if code == "cancelled" else event
        return None

    async def _save_begin(self, turn: Turn) -> Finished | Failed | None:
        """Save what was sent; return the turn's end where it must not go on."""
        if len(self.conversation.messages) == (2 if turn.plan.user else 1):
            try:
                turn.is_new_chat = not await self._saver.is_stored()
            except StoreError as error:
                return _failed(error)
        failure = await self._saver.flush()
        if failure is not None:
            return _failed(failure)
        turn.is_saved = True
        return STOPPED if turn.is_stopping else None

    async def _save_end(
        self, turn: Turn, last: Finished | Failed | None
    ) -> Finished | Failed | None:
        """Save how the turn ended; return its last event."""
        if turn.overflow is not None:
            self._refused = turn
        if is_void(turn, last):
            await self._undo(turn)
            last = STOPPED if isinstance(last, Finished) else last
        else:
            turn.answer.end(last)
            self._show(turn)
            self.conversation.updated_at = time.time()
        if not (turn.is_new_chat and not self.conversation.messages):
            self._saver.put_row(row_of(self.conversation))
        error = await self._saver.flush()
        if error is not None:  # kept, and tried again with the next turn
            await asyncio.sleep(CHECKPOINT_S)
            error = await self._saver.flush()
        return last if error is None or last is None else _failed(error)

    async def _undo(self, turn: Turn) -> None:
        """Leave the conversation as it was before the turn.

        A question that does not fit stays where somebody can choose what to do.
        """
        chat, plan = self.conversation, turn.plan
        keeps_question = turn.overflow is not None and self.options.may_choose
        ids = take_back(chat, turn, keep_question=keeps_question)
        if plan.is_cut:
            self._saver.put(plan.answer)
            return
        if plan.user is not None and not keeps_question:
            self.withdrawn = plan.user.content
        is_chat_too = turn.is_new_chat and not chat.messages
        await self._saver.forget(ids, is_chat_too=is_chat_too)

    async def _release(self, events: AsyncGenerator[StreamEvent, None] | None) -> None:
        try:
            if events is not None:
                await events.aclose()
        finally:
            self._turn = self.current = None


def row_of(chat: Conversation) -> Conversation:
    """Return a conversation's own fields, as they are now."""
    return replace(chat, settings=dict(chat.settings), messages={})


def _failed(error: QwenTuiError) -> Failed:
    return Failed(error.code, error.message, error.hint)
