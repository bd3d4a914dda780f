"""What is done with the selected message, or else with the last one."""

from textual import on, work

from qwen_tui.chat.conversation import ChatMessage, Conversation, title_from
from qwen_tui.chat.tree import goes_with, nearest_branch, sibling
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import _, ngettext
from qwen_tui.session import Deletion, Session
from qwen_tui.ui.screens.chat_messages import OpenChatAsked
from qwen_tui.ui.screens.chat_undo import UndoActions
from qwen_tui.ui.widgets.turn import Turn

_TOLD = 30  # characters of a message that a question names


class TreeActions(UndoActions):
    """Edits, answers again, goes on, switches branches, pins, forks and deletes."""

    _edited_id = ""
    _draft = ""

    async def open_session(self, session: Session) -> None:
        self.leave_edit()
        self.transcript.select("")
        await super().open_session(session)

    @on(Turn.Clicked)
    def tell_its_keys(self) -> None:
        """Tell how a clicked message gets the keyboard: one may be writing below."""
        if self.transcript.selected_message_id and self.focused is not self.transcript:
            self.tell(_("Selected. Tab, then y copies, e edits, r answers again."))

    def _choose(self) -> ChatMessage | None:
        """Return the selected message, or the last one; tell where there is none."""
        chat = self._chat
        found = chat and (
            chat.messages.get(self.transcript.selected_message_id)
            or chat.messages.get(chat.leaf_id or "")
        )
        if found is None:
            self.tell(_("There is no message yet."))
        return found

    @property
    def chosen_answer(self) -> ChatMessage | None:
        """The selected message where it is an answer, else the last answer."""
        chat = self._chat
        found = chat and chat.messages.get(self.transcript.selected_message_id)
        is_answer = found is not None and found.role == "assistant"
        return found if is_answer else self.turns.last_answer

    # Edit and answer again

    def action_edit(self) -> None:
        """Take the selected message, or what an answer was asked, to be changed."""
        chat, message = self._chat, self._choose()
        if chat is None or message is None:
            return
        if message.role == "assistant":
            message = chat.messages.get(message.parent_id or "")
        if message is None:
            self.tell(_("There is no message of yours to edit."))
            return
        if not self._edited_id:
            self._draft = self.composer.prompt
        self._edited_id = message.id
        self.composer.write(message.content)
        self._show_editing()

    def leave_edit(self) -> bool:
        """Put back what was being written; False where nothing was edited."""
        if not self._edited_id:
            return False
        self.composer.drop_text()
        self._end_edit()
        self.composer.focus()
        return True

    @property
    def editing(self) -> bool:
        """Enter sends a new branch beside an earlier message."""
        return bool(self._edited_id)

    def send_edit(self, text: str) -> bool:
        """Send a changed message; False while that cannot be done now."""
        if not self.may_answer():
            return False
        message_id = self._edited_id
        self.composer.keep_sent(text)
        self._end_edit()
        self.transcript.select("")
        if self._chat is not None and message_id in self._chat.messages:
            self._ask_instead(text, message_id)
        else:
            self.ask_model(text)
        return True

    def action_retry(self) -> None:
        """Answer the last prompt again; also starts the engine again."""
        if not self.may_answer():
            return
        if self.turns.has_messages:
            self.answer_again(go_on=False)
        elif not self.turns.loading:
            self.load_model()

    def action_retry_chosen(self) -> None:
        """Answer again at the selected message, or at the last one."""
        chosen = self.transcript.selected_message_id
        if not chosen:
            self.action_retry()
        elif self.may_answer():
            self.transcript.select("")
            self._answer_beside(chosen)

    def action_go_on(self) -> None:
        """Go on inside the last answer, which was cut."""
        chosen = self.transcript.selected_message_id
        if chosen and self._chat is not None and chosen != self._chat.leaf_id:
            self.tell(_("Only the last answer of a branch can go on."))
        elif self.may_answer() and self.turns.may_go_on():
            self.transcript.select("")
            self.answer_again(go_on=True)

    # Branches

    async def action_branch(self, wish: str = "next") -> None:
        """Show another branch at the selected message, or at the last that has some.

        Args:
            wish: "next", "prev", or its number.
        """
        chat = self._chat
        if chat is None or not self.may_leave():
            return
        here = nearest_branch(chat, self.transcript.selected_message_id)
        if here is None:
            self.tell(_("There is only one branch here."))
            return
        wanted = sibling(chat, here, wish.strip().lower() or "next")
        if wanted is None:
            self.tell(
                _("/branch takes next, prev or a number: {wish}").format(wish=wish)
            )
            return
        self.transcript.select_unseen(wanted)
        try:
            await self.turns.show_branch(wanted)
        except QwenTuiError as error:
            self.tell_error(error)

    async def action_pin(self) -> None:
        """Keep the selected message in every prompt, or no more."""
        session, message = self.turns.session, self._choose()
        if session is None or message is None:
            return
        if session.current is not None and session.current.id == message.id:
            self.tell(_("Still answering. Esc stops the answer."))
            return
        try:
            await session.pin(message.id, is_pinned=not message.pinned)
        except QwenTuiError as error:
            self.tell_error(error)
        else:
            pinned = _("Pinned: it stays in every prompt.")
            self.tell(_("No longer pinned.") if message.pinned else pinned)
        self.turns.mark_messages()

    async def action_fork(self) -> None:
        """Open a new conversation that begins with all up to the selected message."""
        session, message = self.turns.session, self._choose()
        if session is None or message is None or not self.may_leave():
            return
        try:
            fork = await session.fork(message.id)
        except QwenTuiError as error:
            self.tell_error(error)
        else:
            self.post_message(OpenChatAsked(fork.id))

    # Deletion

    def action_delete_message(self) -> None:
        """Delete the selected message after a yes."""
        chat, message = self._chat, self._choose()
        if chat is None or message is None or not self.may_leave():
            return
        question = deletion_question(chat, message)
        self.ask(question, lambda: self._delete_message(message.id))

    @work(group="tree")
    async def _delete_message(self, message_id: str) -> None:
        session = self.turns.session
        if session is None or session.busy:
            return
        try:
            deletion = await session.delete(message_id)
        except QwenTuiError as error:
            self.tell_error(error)
            return

        async def undo() -> None:
            if self.may_leave():
                await self._put_back(session, deletion)
            else:
                self._undo = undo

        self.transcript.select("")
        await self.turns.show_changes()
        n = len(deletion.removal.ids)
        told = ngettext("{n} message deleted.", "{n} messages deleted.", n)
        self.offer_undo(told.format(n=n), undo)

    async def _put_back(self, session: Session, deletion: Deletion) -> None:
        try:
            await session.undo_delete(deletion)
        except QwenTuiError as error:
            self.tell_error(error)
            return
        if self.turns.session is session:
            await self.turns.show_changes()
        elif self.current_id == session.conversation.id:
            self.post_message(OpenChatAsked(self.current_id))
        self.tell(_("What was deleted is back."))

    # Turns

    @work(group="turn")
    async def _ask_instead(self, text: str, message_id: str) -> None:
        await self.run_turn(self.turns.send(text, instead_of=message_id))

    @work(group="turn")
    async def _answer_beside(self, message_id: str) -> None:
        await self.run_turn(self.turns.retry(message_id=message_id))

    @property
    def _chat(self) -> Conversation | None:
        return self.turns.session.conversation if self.turns.session else None

    def _end_edit(self) -> None:
        draft, self._draft, self._edited_id = self._draft, "", ""
        if draft:
            self.composer.put_back(draft)
        self._show_editing()

    def _show_editing(self) -> None:
        self.pending.show_editing(self.editing)
        self.composer.show_editing(self.editing)


def deletion_question(chat: Conversation, message: ChatMessage) -> str:
    """Return what is asked before a message is deleted: it names all that goes."""
    more = len(goes_with(chat, message.id)) - 1
    text = title_from(message.content, _TOLD)
    if not more:
        question = _('Delete "{text}"?')
    elif message.role == "user":
        question = ngettext(
            'Delete "{text}" and its {n} answer? What follows stays.',
            'Delete "{text}" and its {n} answers? What follows stays.',
            more,
        )
    else:
        question = ngettext(
            'Delete "{text}" and the {n} message that follows?',
            'Delete "{text}" and the {n} messages that follow?',
            more,
        )
    return question.format(text=text, n=more)
