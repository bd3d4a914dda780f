"""What a person may ask of a conversation: a turn, and what the next one takes.

Send, retry, edit-and-resend and continue are one function, `TurnLoop._run`, with
different histories.
"""

from collections.abc import AsyncIterator
from dataclasses import replace

from qwen_tui.chat.bookkeeping import draw_up
from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.chat.events import Failed, StreamEvent
from qwen_tui.chat.history import cut_answer
from qwen_tui.chat.ledger import Ledger, Overflow
from qwen_tui.chat.own_options import keep_options
from qwen_tui.chat.request import ask
from qwen_tui.chat.turn import TurnPlan, again, empty_answer
from qwen_tui.chat.window import OverflowChoice, Window
from qwen_tui.i18n import _
from qwen_tui.session.loop import row_of
from qwen_tui.session.tree import Branching


class Session(Branching):
    """A conversation that is talked in: one turn at a time.

    Attributes:
        conversation: Changed while a turn runs, before each event is yielded.
        backend: May be replaced while no turn runs; None while no model is chosen.
        options: Read when a turn starts.
        defaults: What holds where nothing was chosen for this conversation; None where
            choices are not kept with it.
        current: The answer being streamed, as far as it has come.
        withdrawn: After a turn that left no trace (stopped before anything came, or
            it could not be saved): the text that was sent, for the composer.
    """

    @property
    def overflow(self) -> Overflow | None:
        """What did not fit in the last turn, which was then not asked."""
        return self._refused.overflow if self._refused is not None else None

    @property
    def refused(self) -> TurnPlan | None:
        """The last turn, where it waits for a choice; see `resume`."""
        return self._refused.plan if self._refused is not None else None

    @property
    def outside(self) -> frozenset[str]:
        """The ids of the shown messages that do not go into prompts any more."""
        branch = self.conversation.branch()
        return Window.of(self.conversation, branch).outside(branch)

    @property
    def can_continue(self) -> bool:
        """Whether the shown branch ends with an answer that was cut."""
        return cut_answer(self.conversation) is not None

    @property
    def is_complete(self) -> bool:
        """Whether the last turn ended with a whole answer."""
        chat = self.conversation
        last = chat.messages.get(chat.leaf_id or "")
        if self.refused or self.withdrawn is not None or last is None:
            return False
        return last.role == "assistant" and last.state == "complete"

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

    def resume(self, choice: OverflowChoice) -> AsyncIterator[StreamEvent]:
        """Do the turn that did not fit, in the way that was chosen."""
        if self._refused is None:
            return _only(Failed("nothing_to_resume", _("Nothing waits for a choice.")))
        plan = again(self._refused.plan, self.conversation)
        return self._run(replace(plan, overflow=choice))

    @property
    def summary(self) -> str:
        """What stands in prompts for the messages outside."""
        chat = self.conversation
        return Window.of(chat, chat.branch()).summary

    async def keep_choices(self) -> None:
        """Save options and system prompt with the conversation.

        One that has no messages is saved with its first.

        Raises:
            StoreError: it could not be saved; they hold all the same.
        """
        chat = self.conversation
        if self.defaults is not None:
            keep_options(chat, self.options, self.defaults)
        if chat.messages:
            self._saver.put_row(row_of(chat))
            await self._flush()

    async def change_summary(self, text: str) -> bool:
        """Let another text stand for the messages outside; False where none are.

        Raises:
            StoreError: it could not be saved; it holds all the same.
        """
        chat = self.conversation
        window = Window.of(chat, chat.branch())
        if not window.first_id:
            return False
        replace(window, summary=text).keep_in(chat)
        self._saver.put_row(row_of(chat))
        await self._flush()
        return True

    async def ledger(self) -> Ledger | None:
        """Return what the next prompt takes; None where that cannot be told."""
        backend = self.backend
        if backend is None or self.busy:
            return None
        return await draw_up(backend, self.conversation, self.options)

    async def warm(self) -> None:
        """Let the model read what was said so far, while the next question is written.

        Not where the last answer was cut: going on inside it would take longer then.
        """
        backend, chat = self.backend, self.conversation
        if backend is None or self.busy or self.can_continue or chat.leaf_id is None:
            return
        plan = TurnPlan(empty_answer(chat.leaf_id))
        await backend.warm(ask(chat, plan, self.options, self._loaded).request)


async def _only(event: StreamEvent) -> AsyncIterator[StreamEvent]:
    yield event
