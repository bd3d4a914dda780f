"""What is not on disk: shown at a glance, tried again, and not left unasked."""

from textual import on, work

from qwen_tui.i18n import _
from qwen_tui.session import Session
from qwen_tui.ui.screens.chat_frame import ChatFrame
from qwen_tui.ui.screens.chat_messages import NewChatAsked, OpenChatAsked

_AGAIN_S = 2.0
"""Between two tries while no turn runs: a turn tries by itself."""


class SavingActions(ChatFrame):
    """Marks a conversation that could not be saved until it is."""

    _given_up: Session | None = None
    """May be left although it is not saved."""

    def on_mount(self) -> None:
        self._again = self.set_interval(_AGAIN_S, self._save_again, pause=True)

    async def open_session(self, session: Session) -> None:
        """Show a conversation; what is not saved of it is marked."""
        before = self.turns.session
        if before is not None:
            before.watch_saving(lambda: None)
        session.watch_saving(self._tell_saving)
        await super().open_session(session)
        self._show_saving()

    @property
    def unsaved_question(self) -> str:
        """What to ask before the conversation is left; empty where all is saved."""
        session = self.turns.session
        if session is None or session.unsaved is None or session is self._given_up:
            return ""
        return _("Some of this conversation is not saved: leave it?")

    @on(NewChatAsked)
    @on(OpenChatAsked)
    def ask_before_it_is_lost(self, event: NewChatAsked | OpenChatAsked) -> None:
        """Let the app go to another conversation only after a yes."""
        question = self.unsaved_question
        if not question:
            return
        event.stop()

        def leave() -> None:
            self._given_up = self.turns.session
            if isinstance(event, OpenChatAsked):
                self.post_message(OpenChatAsked(event.chat_id, event.message_id))
            else:
                self.post_message(NewChatAsked())

        self.ask(question, leave)

    def _tell_saving(self) -> None:
        """Tell once that text cannot be saved, and once that it is."""
        self._show_saving()
        session = self.turns.session
        failure = session.unsaved if session is not None else None
        if failure is not None:
            self.tell_error(failure)
        else:
            self.tell(_("The conversation is saved."))

    def _show_saving(self) -> None:
        session = self.turns.session
        is_unsaved = session is not None and session.unsaved is not None
        self.header.change(unsaved=is_unsaved)
        self.sidebar.mark_unsaved(is_unsaved)
        (self._again.resume if is_unsaved else self._again.pause)()

    @work(exclusive=True, group="save")
    async def _save_again(self) -> None:
        session = self.turns.session
        if session is not None and not session.busy:
            await session.save_again()
