"""The chat: a list of conversations, the messages, and where one writes."""

import time
from collections.abc import Awaitable, Callable, Sequence

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from qwen_tui.chat.window import OverflowChoice
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize
from qwen_tui.session import Session
from qwen_tui.ui.screens.chat_commands import NotACommand, is_command, parse_command
from qwen_tui.ui.screens.chat_context import ContextActions
from qwen_tui.ui.screens.chat_feed import ChatWidgets
from qwen_tui.ui.screens.chat_help import HelpScreen
from qwen_tui.ui.screens.chat_info import InfoScreen
from qwen_tui.ui.screens.chat_messages import (
    DeleteChatConfirmed,
    DeviceAsked,
    LongerContextAsked,
    ModelsAsked,
    NewChatAsked,
    OpenChatAsked,
    QuitAsked,
    TurnSettled,
)
from qwen_tui.ui.screens.chat_options import set_by_line, switch_thinking
from qwen_tui.ui.screens.chat_turns import ChatTurns
from qwen_tui.ui.widgets.composer import Composer
from qwen_tui.ui.widgets.confirm_line import ConfirmLine
from qwen_tui.ui.widgets.header_bar import HeaderBar
from qwen_tui.ui.widgets.hint_bar import HintBar
from qwen_tui.ui.widgets.sidebar import ChatItem, Sidebar
from qwen_tui.ui.widgets.status_line import StatusLine, Tone
from qwen_tui.ui.widgets.transcript import Transcript

_FLUSH_S = 0.066
_STATUS_S = 0.5
_TWICE_S = 2.0


class ChatScreen(Screen[None]):
    """Composes and routes; what runs is in `ChatTurns`, what is shown in widgets."""

    CSS_PATH = "chat.tcss"
    AUTO_FOCUS = "#composer"
    HORIZONTAL_BREAKPOINTS = [
        (0, "-too-narrow"),
        (30, "-compact"),
        (60, "-normal"),
        (100, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-too-short"), (8, "-short"), (16, "-tall")]
    BINDINGS = [
        Binding("escape", "stop", show=False),
        Binding("ctrl+n", "new_chat", show=False),
        Binding("ctrl+o", "models", show=False),
        Binding("ctrl+t", "toggle_thinking", show=False),
        Binding("ctrl+r", "retry", show=False),
        Binding("ctrl+c", "copy_or_stop", show=False, priority=True),
        Binding("f1", "help", show=False),
        Binding("f2", "toggle_sidebar", show=False),
        Binding("f3", "fold", show=False),
        Binding("f4", "source", show=False),
        Binding("f5", "answer_now", show=False),
        Binding("tab", "next_area(1)", show=False),
        Binding("shift+tab", "next_area(-1)", show=False),
    ]

    def __init__(self, *, thinking_open: bool = False) -> None:
        super().__init__()
        self.transcript = Transcript()
        self.composer = Composer()
        self.status = StatusLine()
        self.header = HeaderBar()
        self.sidebar = Sidebar()
        self.hints = HintBar()
        self.confirm = ConfirmLine()
        widgets = ChatWidgets(self.transcript, self.composer, self.status, self.header)
        self.turns = ChatTurns(widgets, thinking_open=thinking_open)
        self.context = ContextActions(self.turns, self.composer)
        self._last_ctrl_c = 0.0
        self._asked_while_answering = False

    def compose(self) -> ComposeResult:
        yield self.header
        with Horizontal(id="middle"):
            yield self.sidebar
            yield self.transcript
        yield self.status
        yield self.composer
        yield self.hints
        yield self.confirm
        yield Static(_("Terminal too small"), id="too-small", markup=False)

    def on_mount(self) -> None:
        self.status.show(_("Opening"))
        feed = self.turns.feed
        self._flushing = self.set_interval(_FLUSH_S, feed.flush, pause=True)
        self._telling = self.set_interval(_STATUS_S, feed.show_status, pause=True)

    # What the app asks of the chat

    async def open_session(self, session: Session) -> None:
        """Show a conversation; nothing may be running."""
        await self.turns.open(session)
        self.sidebar.show_items(self.sidebar.items, self._current_id)
        self.composer.focus()

    def show_chats(self, items: Sequence[ChatItem]) -> None:
        """Show the saved conversations in the sidebar."""
        self.sidebar.show_items(items, self._current_id)

    def tell(self, text: str, tone: Tone = "plain") -> None:
        """Show one line in the place that always tells what is happening."""
        self.status.show_note(text, tone)

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
        if text and self._has_model:
            self._send(text)
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

    @on(Composer.Submitted)
    async def take_prompt(self, event: Composer.Submitted) -> None:
        if is_command(event.text):
            await self._obey(event.text)
        elif self.turns.answering or self.turns.waiting_prompt:
            self.tell(_("Still answering. The message stays; Esc stops the answer."))
        elif self._has_model:
            self.composer.clear_sent()
            self._send(event.text)
        elif self.turns.starting:
            self.composer.clear_sent()
            self.turns.waiting_prompt = event.text
        else:
            self.tell(_("No model is chosen: press Ctrl+O."), "warning")

    @work(group="turn")
    async def _send(self, text: str) -> None:
        await self._run(self.turns.send(text))

    @work(group="turn")
    async def _resume(self, choice: OverflowChoice) -> None:
        await self._run(self.turns.resume(choice))

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
    async def _answer_again(self, *, go_on: bool) -> None:
        await self._run(self.turns.go_on() if go_on else self.turns.retry())

    async def _run(self, turn: Awaitable[None]) -> None:
        self._set_running(True)
        try:
            await turn
        finally:
            self._set_running()
            self.post_message(TurnSettled())
            if self._asked_while_answering and self.confirm.close():
                self.tell(_("The answer is finished. Ctrl+Q quits."))
            question = self.context.question(self._resume, self._ask_for_longer)
            if question is not None:
                self.confirm.ask_key(*question)
        await self.read_ahead()

    def _set_running(self, running: bool | None = None) -> None:
        """Tick only while something runs: an idle screen sends nothing."""
        active = self.turns.active if running is None else running
        for timer in (self._flushing, self._telling):
            (timer.resume if active else timer.pause)()
        self.hints.set_busy(active)

    # Keys

    async def action_stop(self) -> None:
        if self.sidebar.close_overlay():
            self.composer.focus()
        elif self.turns.active:
            await self.turns.stop()
        else:
            self.composer.focus()

    def action_new_chat(self) -> None:
        if self._may_leave():
            self.post_message(NewChatAsked())

    def action_models(self) -> None:
        if self._may_leave():
            self.post_message(ModelsAsked())

    def action_retry(self) -> None:
        if not self._may_answer():
            return
        if self.turns.has_messages:
            self._answer_again(go_on=False)
        elif not self.turns.loading:
            self.load_model()

    def action_go_on(self) -> None:
        if self._may_answer() and self.turns.may_go_on():
            self._answer_again(go_on=True)

    def action_toggle_thinking(self, wish: str = "") -> None:
        self.tell(switch_thinking(self.turns.session, self.header, wish))

    def action_set_option(self, argument: str = "") -> None:
        self.tell(*set_by_line(self.turns.session, argument))

    def action_fold(self) -> None:
        self.transcript.open_thinking()

    def action_source(self) -> None:
        self.transcript.show_source()

    async def action_answer_now(self) -> None:
        await self.turns.answer_now()

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen())

    async def action_context(self) -> None:
        screen = await self.context.ledger_screen()
        if screen is None:
            self.tell(_("It cannot be told now what the context holds."))
        else:
            self.app.push_screen(screen)

    async def action_summary(self, text: str = "") -> None:
        self.tell(await self.context.summarise(text))

    def action_device(self, device: str = "") -> None:
        if self._may_leave():
            self.post_message(DeviceAsked(device))

    def action_info(self) -> None:
        """Show what made the last answer, and what it cost."""
        answer = self.turns.last_answer
        if answer is None:
            self.tell(_("There is no answer yet."))
        else:
            self.app.push_screen(InfoScreen(answer))

    def action_copy_or_stop(self) -> None:
        selected = self.composer.selected_text or self.get_selected_text()
        if selected:
            self.app.copy_to_clipboard(sanitize(selected))
            self.tell(_("Sent to your terminal's clipboard"))
        elif self.turns.active:
            self.run_worker(self.turns.stop(), group="stop")
        elif time.monotonic() - self._last_ctrl_c < _TWICE_S:
            self.post_message(QuitAsked())
        else:
            self._last_ctrl_c = time.monotonic()
            self.tell(_("Press Ctrl+C again to quit."))

    def action_next_area(self, step: int) -> None:
        """Go on to the next of composer, transcript and visible sidebar."""
        areas: list[Widget] = [self.composer, self.transcript]
        if self.sidebar.display:
            areas.append(self.sidebar.rows)
        here = areas.index(self.focused) if self.focused in areas else 0
        areas[(here + step) % len(areas)].focus(scroll_visible=False)

    def action_toggle_sidebar(self) -> None:
        if self.sidebar.toggle(beside=self.has_class("-wide")):
            # it can take the focus once its new style is in force
            self.call_after_refresh(self.sidebar.rows.focus)
        else:
            self.composer.focus()

    # What the widgets tell

    @on(Sidebar.Selected)
    def open_selected(self, event: Sidebar.Selected) -> None:
        if self._may_leave():
            self.sidebar.close_overlay()
            self.composer.focus()
            self.post_message(OpenChatAsked(event.chat_id))

    @on(Sidebar.DeleteAsked)
    def ask_to_delete(self, event: Sidebar.DeleteAsked) -> None:
        if event.chat_id == self._current_id and not self._may_leave():
            return
        title = self.sidebar.title_of(event.chat_id)
        question = _('Delete "{title}" for good?').format(title=title)
        confirmed = DeleteChatConfirmed(event.chat_id)
        self.ask(question, lambda: self.post_message(confirmed))

    @on(Composer.Begun)
    async def read_ahead(self) -> None:
        if self.composer.text:
            await self.turns.warm()

    @on(Composer.PageAsked)
    def page(self, event: Composer.PageAsked) -> None:
        if event.down:
            self.transcript.action_page_down()
        else:
            self.transcript.action_page_up()

    @on(Composer.Refused)
    def tell_refusal(self, event: Composer.Refused) -> None:
        self.tell(event.reason, "warning")

    @property
    def _current_id(self) -> str:
        session = self.turns.session
        return session.conversation.id if session is not None else ""

    def _may_leave(self) -> bool:
        if self.turns.answering:
            self.tell(_("Still answering. Esc stops the answer."))
        return not self.turns.answering

    @property
    def _has_model(self) -> bool:
        session = self.turns.session
        return session is not None and session.backend is not None

    def _may_answer(self) -> bool:
        if self._may_leave() and not self._has_model:
            self.tell(_("No model is chosen: press Ctrl+O."), "warning")
        return self._has_model and not self.turns.answering

    async def _obey(self, line: str) -> None:
        """Do what a slash command says; a wrong one stays to be mended."""
        command = parse_command(line)
        if isinstance(command, NotACommand):
            self.tell(command.reason, "warning")
            return
        self.composer.clear_sent()
        match command.action:
            case "think":
                self.action_toggle_thinking(command.argument)
            case "set_option":
                self.action_set_option(command.argument)
            case "device":
                self.action_device(command.argument)
            case "summary":
                await self.action_summary(command.argument)
            case "quit":
                self.post_message(QuitAsked())
            case action:
                await self.run_action(action)
