"""The one turn loop: conversation, backend and store meet here.

Send, retry, edit-and-resend and continue are one function, `Session._run`, with
different histories. What a person typed is on disk before the model is asked, and
what the model says is on disk within about a second of appearing.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from qwen_tui.chat.answer import GrowingAnswer
from qwen_tui.chat.backend import Backend
from qwen_tui.chat.conversation import ChatMessage, Conversation, title_from
from qwen_tui.chat.ending import to_the_end
from qwen_tui.chat.events import (
    AnswerDelta,
    Failed,
    Finished,
    Loaded,
    LoadProgress,
    PrefillProgress,
    StreamEvent,
    ThinkingDelta,
    Usage,
)
from qwen_tui.chat.history import cut_answer
from qwen_tui.chat.request import ask
from qwen_tui.chat.turn import Turn, TurnOptions, TurnPlan, empty_answer, is_void
from qwen_tui.errors import QwenTuiError, StoreError
from qwen_tui.i18n import _
from qwen_tui.store.autosave import CHECKPOINT_S, Autosave
from qwen_tui.store.conversations import Store

SAVE_NOW_S = 0.5
"""How long `save_now` waits for a save that is under way in another thread."""

_STOPPED = Finished("cancelled", Usage())


class Session:
    """A conversation that is talked in: one turn at a time.

    Attributes:
        conversation: Changed while a turn runs, before each event is yielded.
        backend: May be replaced while no turn runs; None while no model is chosen.
        options: Read when a turn starts.
        current: The answer being streamed, as far as it has come.
        withdrawn: After a turn that left no trace (stopped before anything came, or
            it could not be saved): the text that was sent, for the composer.
    """

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
        self._saver = Autosave(store, conversation.id)
        self._turn: Turn | None = None

    @property
    def busy(self) -> bool:
        """Whether a turn runs."""
        return self._turn is not None

    @property
    def can_continue(self) -> bool:
        """Whether the shown branch ends with an answer that was cut."""
        return cut_answer(self.conversation) is not None

    def send(self, text: str) -> AsyncIterator[StreamEvent]:
        """Send a message at the end of the shown branch and stream the answer."""
        user = ChatMessage("user", text, parent_id=self.conversation.leaf_id)
        return self._run(TurnPlan(empty_answer(user.id), user=user))

    def retry(self, message_id: str | None = None) -> AsyncIterator[StreamEvent]:
        """Stream another answer beside `message_id` (default: the last message)."""
        chosen = message_id or self.conversation.leaf_id
        if chosen is None:
            return _only(Failed("nothing_to_retry", _("There is no answer to retry.")))
        message = self.conversation.messages[chosen]
        asked = message.id if message.role == "user" else message.parent_id
        return self._run(TurnPlan(empty_answer(asked)))

    def edit_and_resend(self, message_id: str, text: str) -> AsyncIterator[StreamEvent]:
        """Send `text` in a branch beside the user's message `message_id`."""
        parent_id = self.conversation.messages[message_id].parent_id
        user = ChatMessage("user", text, parent_id=parent_id)
        return self._run(TurnPlan(empty_answer(user.id), user=user))

    def continue_answer(self) -> AsyncIterator[StreamEvent]:
        """Go on inside the last answer, which was cut; its id stays."""
        cut = cut_answer(self.conversation)
        if cut is None:
            return _only(
                Failed(
                    "nothing_to_continue",
                    _("The last answer is whole: nothing is cut."),
                )
            )
        return self._run(TurnPlan(cut, is_cut=True))

    async def warm(self) -> None:
        """Let the model read what was said so far, while the next question is written.

        Not where the last answer was cut: going on inside it would take longer then.
        """
        backend, chat = self.backend, self.conversation
        if backend is None or self.busy or self.can_continue or chat.leaf_id is None:
            return
        plan = TurnPlan(empty_answer(chat.leaf_id))
        await backend.warm(ask(chat, plan, self.options, self._loaded).request)

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
        self.withdrawn = None
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
                events = self._events(turn, self.backend)
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

    async def _events(
        self, turn: Turn, backend: Backend
    ) -> AsyncGenerator[StreamEvent, None]:
        """Yield what the backend says: of the load where one is due, and the answer."""
        if backend.loaded is None:
            async with aclosing(to_the_end(backend.load())) as events:
                async for event in events:
                    yield event
                    if isinstance(event, Failed):
                        return
            if turn.is_stopping:
                yield _STOPPED
                return
        # only now it is known how this model thinks
        asked = ask(self.conversation, turn.plan, self.options, backend.loaded)
        async with aclosing(to_the_end(backend.stream(asked.request))) as events:
            async for event in events:
                yield event

    def _begin(self, plan: TurnPlan) -> Turn:
        chat = self.conversation
        turn = Turn(plan, _row(chat), GrowingAnswer(plan.answer))
        if plan.user is not None:
            chat.put(plan.user)
            self._saver.put(plan.user)
            chat.title = chat.title or title_from(plan.user.content)
        chat.put(plan.answer)
        self._record(turn, self._loaded)
        self._saver.put_row(_row(chat))
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
            case LoadProgress() | PrefillProgress():
                pass
            case Finished():
                return event
            case Failed(code):  # "cancelled" is how a stopped load ends
                return _STOPPED if code == "cancelled" else event
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
        return _STOPPED if turn.is_stopping else None

    async def _save_end(
        self, turn: Turn, last: Finished | Failed | None
    ) -> Finished | Failed | None:
        """Save how the turn ended; return its last event."""
        if is_void(turn, last):
            await self._undo(turn)
            last = _STOPPED if isinstance(last, Finished) else last
        else:
            turn.answer.end(last)
            self._show(turn)
            self.conversation.updated_at = time.time()
        if not (turn.is_new_chat and not self.conversation.messages):
            self._saver.put_row(_row(self.conversation))
        error = await self._saver.flush()
        if error is not None:  # kept, and tried again with the next turn
            await asyncio.sleep(CHECKPOINT_S)
            error = await self._saver.flush()
        return last if error is None or last is None else _failed(error)

    async def _undo(self, turn: Turn) -> None:
        """Leave the conversation as it was before the turn."""
        chat, plan, before = self.conversation, turn.plan, turn.before
        chat.title, chat.model = before.title, before.model
        chat.leaf_id, chat.updated_at = before.leaf_id, before.updated_at
        if plan.is_cut:
            chat.messages[plan.answer.id] = plan.answer
            self._saver.put(plan.answer)
            return
        added = [plan.answer] if plan.user is None else [plan.answer, plan.user]
        for message in added:
            del chat.messages[message.id]
        self.withdrawn = plan.user.content if plan.user else None
        ids = [message.id for message in added]
        is_chat_too = turn.is_new_chat and not chat.messages
        await self._saver.forget(ids, is_chat_too=is_chat_too)

    async def _release(self, events: AsyncGenerator[StreamEvent, None] | None) -> None:
        try:
            if events is not None:
                await events.aclose()
        finally:
            self._turn = self.current = None


def _row(chat: Conversation) -> Conversation:
    """Return a conversation's own fields, as they are now."""
    return replace(chat, settings=dict(chat.settings), messages={})


def _failed(error: QwenTuiError) -> Failed:
    return Failed(error.code, error.message, error.hint)


async def _only(event: StreamEvent) -> AsyncIterator[StreamEvent]:
    yield event
