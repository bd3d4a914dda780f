"""What the chat screen is made of, and how it runs loads and turns.

What a person can do there stands in layers over `ChatFrame`, one file for each
subject; `chat.ChatScreen` puts them together.
"""

from collections.abc import Awaitable, Callable, Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Static

from qwen_tui.chat.window import OverflowChoice
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import _
from qwen_tui.session import Session
from qwen_tui.ui.pace import USUAL, Pace
from qwen_tui.ui.screens.chat_context import ContextActions
from qwen_tui.ui.screens.chat_feed import ChatWidgets
from qwen_tui.ui.screens.chat_messages import LongerContextAsked, TurnSettled
from qwen_tui.ui.screens.chat_turns import ChatTurns
from qwen_tui.ui.widgets.bare_line import BareLine
from qwen_tui.ui.widgets.chat_rows import ChatItem
from qwen_tui.ui.widgets.composer import Composer
from qwen_tui.ui.widgets.confirm_line import ConfirmLine
from qwen_tui.ui.widgets.found_transcript import FoundTranscript
from qwen_tui.ui.widgets.header_bar import HeaderBar
from qwen_tui.ui.widgets.hint_bar import HintBar
from qwen_tui.ui.widgets.pending_line import PendingLine
from qwen_tui.ui.widgets.sidebar import Sidebar
from qwen_tui.ui.widgets.status_line import StatusLine, Tone


class ChatFrame(Screen[None]):
    """The widgets, what the app asks of them, and one turn at a time."""

    CSS_PATH = ["chat.tcss", "shelf.tcss"]
    AUTO_FOCUS = "#composer"
    HORIZONTAL_BREAKPOINTS = [
        (0, "-too-narrow"),
        (30, "-compact"),
        (60, "-normal"),
        (100, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-too-short"), (8, "-short"), (16, "-tall")]

    def __init__(self, *, thinking_open: bool = False, pace: Pace = USUAL) -> None:
        super().__init__()
        self.pace = pace
        self.transcript = FoundTranscript()
        self.composer = Composer()
        self.status = StatusLine()
        self.header = HeaderBar()
        self.sidebar = Sidebar()
        self.hints = HintBar()
        self.confirm = ConfirmLine()
        self.pending = PendingLine()
        widgets = ChatWidgets(self.transcript, self.composer, self.status, self.header)
        self.turns = ChatTurns(widgets, thinking_open=thinking_open)
        self.context = ContextActions(self.turns, self.composer)
        self._too_small = Static(id="too-small", markup=False)
        self._asked_while_answering = False

    def relabel(self) -> None:
        """Show what stands on the screen itself in the active language."""
        self._too_small.update(_("Terminal too small"))

    def compose(self) -> ComposeResult:
        yield self.header
        with Horizontal(id="middle"):
            yield self.sidebar
            yield self.transcript
        yield self.status
        yield self.pending
        yield self.composer
        yield self.hints
        yield self.confirm
        yield BareLine()
        yield self._too_small

    def on_mount(self) -> None:
        self.relabel()
        self.status.show(_("Opening"))
        feed = self.turns.feed
        self._flushing = self.set_interval(self.pace.flush_s, feed.flush, pause=True)
        self._telling = self.set_interval(
            self.pace.status_s, feed.show_status, pause=True
        )

    # What the app asks of the chat

    async def open_session(self, session: Session) -> None:
        """Show a conversation; nothing may be running."""
        await self.turns.open(session)
        self.sidebar.show_items(self.sidebar.items, self.current_id)
        self.composer.focus()

    def show_chats(self, items: Sequence[ChatItem]) -> None:
        """Show the saved conversations in the sidebar."""
        self.sidebar.show_items(items, self.current_id)

    def tell(self, text: str, tone: Tone = "plain") -> None:
        """Show one line in the place that always tells what is happening."""
        self.status.show_note(text, tone)

    def tell_error(self, error: QwenTuiError) -> None:
        """Tell what went wrong and what to do next."""
        self.tell(f"{error.message} {error.hint}".strip(), "error")

    def ask(
        self,
        question: str,
        on_yes: Callable[[], object],
        *,
        while_answering: bool = False,
    ) -> None:
        """Ask on the bottom line, some things only as long as an answer is written."""
        self._asked_while_answering = while_answering
        self.confirm.ask(question, on_yes)

    def end_start(self) -> None:
        """Send what was written before it was known which model answers."""
        text = self.turns.end_start()
        if text and self.has_model:
            self.ask_model(text)
        elif text:
            self.composer.put_back(text)

    @work(exclusive=True, group="load")
    async def load_model(self) -> None:
        """Make the session's model ready, and tell how it goes."""
        self._set_running(True)
        try:
            await self.turns.load()
        finally:
            self._set_running()
        await self.read_ahead()

    # Turns

    @work(group="turn")
    async def ask_model(self, text: str) -> None:
        await self.run_turn(self.turns.send(text))

    @work(group="turn")
    async def _resume(self, choice: OverflowChoice) -> None:
        await self.run_turn(self.turns.resume(choice))

    def _ask_for_longer(self) -> None:
        self.post_message(LongerContextAsked())

    @work(exclusive=True, group="load")
    async def load_and_resume(self) -> None:
        """Load the model as it is now asked for, then do the turn that did not fit."""
        self._set_running(True)
        try:
            await self.turns.load()
        finally:
            self._set_running()
        if not self.turns.load_failed:
            self._resume("ask")

    @work(group="turn")
    async def answer_again(self, *, go_on: bool) -> None:
        again = self.turns.go_on() if go_on else self.turns.retry()
        await self.run_turn(again, may_ask=True)

    async def run_turn(self, turn: Awaitable[None], *, may_ask: bool = False) -> None:
        """Do one turn, and ask what to do where the context has no room for it.

        Args:
            turn: What the session does.
            may_ask: Ask even while a draft is written: the person waits for it. Else
                the line above the draft tells, and the question would eat its keys.
        """
        self._set_running(True)
        try:
            await turn
        finally:
            self._set_running()
            self.post_message(TurnSettled())
            if self._asked_while_answering and self.confirm.close():
                self.tell(_("The answer is finished. Ctrl+Q quits."))
            question = self.context.question(self._resume, self._ask_for_longer)
            if question is not None and (may_ask or not self.composer.text):
                self.confirm.ask_key(*question, otherwise=self.composer.insert)
        await self.read_ahead()

    @on(Composer.Begun)
    async def read_ahead(self) -> None:
        if self.composer.text:
            await self.turns.warm()

    def _set_running(self, running: bool | None = None) -> None:
        """Tick only while something runs: an idle screen sends nothing."""
        active = self.turns.active if running is None else running
        for timer in (self._flushing, self._telling):
            (timer.resume if active else timer.pause)()
        self.hints.set_busy(active)

    # What is open

    @property
    def current_id(self) -> str:
        session = self.turns.session
        return session.conversation.id if session is not None else ""

    def may_leave(self) -> bool:
        if self.turns.answering:
            self.tell(_("Still answering. Esc stops the answer."))
        return not self.turns.answering

    @property
    def has_model(self) -> bool:
        session = self.turns.session
        return session is not None and session.backend is not None

    def may_answer(self) -> bool:
        if self.may_leave() and not self.has_model:
            self.tell(_("No model is chosen: press Ctrl+O."), "warning")
        return self.has_model and not self.turns.answering
