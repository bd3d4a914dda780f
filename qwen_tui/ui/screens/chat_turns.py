"""Turns of the open conversation: one at a time."""

import time
from collections.abc import AsyncIterator

from textual.widget import Widget

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.chat.events import Failed, StreamEvent
from qwen_tui.chat.window import OverflowChoice
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import _
from qwen_tui.session import Session
from qwen_tui.ui.screens.chat_feed import ChatWidgets, used_tokens
from qwen_tui.ui.screens.chat_loads import ChatLoads
from qwen_tui.ui.screens.chat_progress import Progress
from qwen_tui.ui.widgets.turn import AssistantTurn, UserTurn
from qwen_tui.ui.widgets.turn_marks import marks_of


class ChatTurns(ChatLoads):
    """Runs the turns of the open session and keeps the widgets told."""

    def __init__(self, widgets: ChatWidgets, *, thinking_open: bool) -> None:
        super().__init__(widgets)
        self.thinking_open = thinking_open
        """Whether the thinking of an answer is open, where nobody folded it."""
        self._shown_switch = ""

    @property
    def has_messages(self) -> bool:
        """There is something to answer again."""
        return self.session is not None and bool(self.session.conversation.branch())

    @property
    def is_complete(self) -> bool:
        """The last turn ended with a whole answer."""
        return self.session is not None and self.session.is_complete

    @property
    def last_answer(self) -> ChatMessage | None:
        """The newest answer of the shown branch, finished or not."""
        branch = self.session.conversation.branch() if self.session else []
        return next((m for m in reversed(branch) if m.role == "assistant"), None)

    async def open(self, session: Session) -> None:
        """Show another conversation; nothing may be running."""
        self.session = session
        branch = session.conversation.branch()
        widgets = self._widgets
        await widgets.transcript.show(branch, thinking_open=self.thinking_open)
        self.mark_messages()
        widgets.header.change(
            used_tokens=used_tokens(branch), thinking=session.options.thinking
        )
        if not self.loading and session.backend is not None:
            self.feed.tell_last(branch)

    def mark_messages(self) -> None:
        """Show at each head its branch, and what becomes of it in prompts."""
        session = self.session
        if session is not None:
            chat = session.conversation
            marks = marks_of(chat, session.outside)
            self._widgets.transcript.mark(chat.branch(), marks)

    async def show_branch(self, message_id: str) -> None:
        """Show the newest branch that leads through a message.

        Raises:
            StoreError, ChatNotFound: it could not be saved; it is shown all the same.
        """
        if self.session is not None:
            try:
                await self.session.show_branch(message_id)
            finally:
                await self.show_changes()

    async def show_changes(self) -> None:
        """Show the branch as it is now; what is read stays where it is."""
        session = self.session
        if session is None:
            return
        chat = session.conversation
        branch = chat.branch()
        marks = marks_of(chat, session.outside)
        await self._widgets.transcript.change_to(branch, marks)
        self._widgets.header.change(used_tokens=used_tokens(branch))
        self.feed.tell_last(branch)

    async def send(self, text: str, *, instead_of: str = "") -> None:
        """Ask the model; while it loads the prompt waits.

        Args:
            text: The prompt.
            instead_of: The person's message beside which a new branch begins; empty
                goes on at the end of the one that is shown.
        """
        session = self.session
        if session is None:
            return
        self._start()
        try:
            if instead_of:
                parent_id = session.conversation.messages[instead_of].parent_id
                await self._keep_to(session, parent_id)
            user, turn = UserTurn(text, time.time()), await self._new_turn()
            await self._widgets.transcript.add(user, before=turn)
            came = await self._model_came(text)
            if came and instead_of:
                events = session.edit_and_resend(instead_of, text)
                await self._answer(session, events, turn)
            elif came:
                await self._answer(session, session.send(text), turn)
            if not came or session.withdrawn is not None:
                await self._put_back(text, [user, turn])
                if instead_of:
                    await self._show_again(session)
        finally:
            self._idle.set()

    async def resume(self, choice: OverflowChoice) -> None:
        """Do the turn that did not fit, in the way that was chosen."""
        session = self.session
        if session is None or session.refused is None:
            return
        again = self.go_on if session.refused.is_cut else self.retry
        await again(session.resume(choice))

    async def retry(
        self,
        events: AsyncIterator[StreamEvent] | None = None,
        *,
        message_id: str = "",
    ) -> None:
        """Answer a prompt again; the engine is started again if it ended.

        Args:
            events: The turn that does it; None asks the session for one.
            message_id: The prompt, or an answer to it; empty: the last message.
        """
        session = self.session
        if session is None or not session.conversation.branch():
            await self.load()
            return
        self._start()
        try:
            leaf_id = session.conversation.leaf_id
            chosen = message_id or session.conversation.branch()[-1].id
            message = session.conversation.messages[chosen]
            is_prompt = message.role == "user"
            await self._keep_to(session, chosen if is_prompt else message.parent_id)
            turn = await self._new_turn()
            if await self._model_came(""):
                await self._answer(session, events or session.retry(chosen), turn)
            if session.conversation.leaf_id == leaf_id:
                await self._show_again(session)
        finally:
            self._idle.set()

    def may_go_on(self) -> bool:
        """Whether the last answer was cut; tells the person where it was not."""
        session = self.session
        if session is not None and session.can_continue:
            return True
        self._widgets.status.show_note(_("The last answer is whole: nothing is cut."))
        return False

    async def go_on(self, events: AsyncIterator[StreamEvent] | None = None) -> None:
        """Go on inside the last answer, which was cut; `events` as in `retry`."""
        session = self.session
        if session is None:
            return
        self._start()
        try:
            cut = session.conversation.branch()[-1]
            await self._keep_to(session, cut.parent_id)
            turn = await self._new_turn()
            if cut.thinking:
                turn.think(cut.thinking)
            turn.answer(cut.content)
            if await self._model_came(""):
                events = events or session.continue_answer()
                await self._answer(session, events, turn)
            else:
                await self._show_again(session)
        finally:
            self._idle.set()

    async def stop(self) -> None:
        """End what runs: a waiting prompt first, else the turn, else the load."""
        session = self.session
        if session is None or not self.active:
            return
        if self.answering and not session.busy:
            self._taken_back = True
            self._woken.set()
            return
        self._widgets.status.show_note(_("Stopping"), "busy")
        if session.busy:
            await session.stop()
        elif session.backend is not None:
            await session.backend.cancel()

    async def until_idle(self) -> None:
        """Wait until no turn runs."""
        await self._idle.wait()

    async def warm(self) -> None:
        """Let the model read ahead while the next question is written."""
        if self.session is not None and not self.active:
            await self.session.warm()

    async def answer_now(self) -> None:
        """End the thinking and let the answer begin."""
        session = self.session
        if session is None or session.backend is None:
            return
        if self.feed.progress.phase == "thinking":
            await session.backend.answer_now()
        else:
            self._widgets.status.show_note(_("The model is not thinking now"))

    def _start(self) -> None:
        self._idle.clear()
        self._taken_back = False

    async def _new_turn(self) -> AssistantTurn:
        turn = AssistantTurn(thinking_open=self.thinking_open)
        await self._widgets.transcript.add(turn)
        turn.name_model(self._widgets.header.facts.model)
        return turn

    async def _answer(
        self, session: Session, events: AsyncIterator[StreamEvent], turn: AssistantTurn
    ) -> None:
        """Show one turn from its first event to its saved end."""
        self.feed.begin(Progress("waiting"), turn)
        self._shown_switch = ""
        failure: Failed | None = None
        try:
            async for event in events:
                if session.current is not None:
                    self._mark(turn, session.current)
                self.feed.note(event)
            failure = self.feed.failure
        except QwenTuiError as error:
            failure = Failed(error.code, error.message, error.hint)
        finally:
            self.feed.end()
        await self._settle(session, turn)
        if failure is not None:
            self.feed.tell_failure(failure)

    def _mark(self, turn: AssistantTurn, answer: ChatMessage) -> None:
        """Show at the head of a running answer its branch, and what switched it."""
        if turn.message_id != answer.id:
            self.mark_messages()
        switch = str(answer.sampling.get("soft_switch") or "")
        if switch != self._shown_switch:
            self._shown_switch = switch
            turn.name_model(self._widgets.header.facts.model, switch)

    async def _settle(self, session: Session, turn: AssistantTurn) -> None:
        """Show the answer as the session saved it."""
        branch = session.conversation.branch()
        self.mark_messages()
        if session.withdrawn is not None:
            self._widgets.status.show(_("Stopped; the message is back below."))
        elif branch and branch[-1].role == "assistant":
            turn.settle(branch[-1])
            self._widgets.header.change(used_tokens=used_tokens(branch))
            self.feed.tell_last(branch)
        else:
            await turn.remove()
            self.feed.tell_last(branch)

    async def _keep_to(self, session: Session, message_id: str | None) -> None:
        """Show no more than the messages up to one; None: nothing."""
        chat, transcript = session.conversation, self._widgets.transcript
        ids = [message.id for message in chat.branch()]
        if message_id is None or message_id in ids:
            count = ids.index(message_id) + 1 if message_id is not None else 0
            await transcript.keep(count)
        else:  # of a branch that is not shown
            branch = chat.branch(message_id)
            await transcript.show(branch, thinking_open=self.thinking_open)

    async def _put_back(self, prompt: str, shown: list[Widget]) -> None:
        for widget in shown:
            await widget.remove()
        self._widgets.composer.put_back(prompt)
        if self._taken_back:
            self._widgets.status.show(_("Stopped; the message is back below."))

    async def _show_again(self, session: Session) -> None:
        """The retry left no trace: the answer before it is the one shown."""
        branch = session.conversation.branch()
        await self._widgets.transcript.show(branch, thinking_open=self.thinking_open)
