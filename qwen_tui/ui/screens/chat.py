"""The chat: a list of conversations, the messages, and where one writes."""

import inspect
import time

from textual import on
from textual.binding import Binding
from textual.widget import Widget

from qwen_tui.i18n import _
from qwen_tui.ui.screens.chat_arguments import ArgumentActions
from qwen_tui.ui.screens.chat_commands import NotACommand, is_command, parse_command
from qwen_tui.ui.screens.chat_copy import CopyActions
from qwen_tui.ui.screens.chat_info import InfoScreen
from qwen_tui.ui.screens.chat_look import LookActions
from qwen_tui.ui.screens.chat_messages import (
    DeviceAsked,
    ModelsAsked,
    NewChatAsked,
    OpenChatAsked,
    QuitAsked,
    ServerAsked,
)
from qwen_tui.ui.screens.chat_queue import QueueActions
from qwen_tui.ui.screens.chat_saving import SavingActions
from qwen_tui.ui.screens.chat_tags import TagActions
from qwen_tui.ui.screens.chat_titles import TitleActions
from qwen_tui.ui.screens.chat_tree import TreeActions
from qwen_tui.ui.widgets.composer import Composer
from qwen_tui.ui.widgets.sidebar import Sidebar

_TWICE_S = 2.0


class ChatScreen(
    TreeActions,
    QueueActions,
    TitleActions,
    TagActions,
    CopyActions,
    LookActions,
    SavingActions,
    ArgumentActions,
):
    """Every key and command of the chat; each layer brings its own."""

    BINDINGS = [
        Binding("escape", "stop", show=False),
        Binding("ctrl+n", "new_chat", show=False),
        Binding("ctrl+o", "models", show=False),
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

    _last_ctrl_c = 0.0

    @on(Composer.Submitted)
    async def take_prompt(self, event: Composer.Submitted) -> None:
        if is_command(event.text):
            await self._obey(event)
        elif not self._take(event.text):
            self.composer.give_back(event)

    def _take(self, text: str) -> bool:
        """Send `text`, now or when that can be; False where it can only be told why."""
        if self.editing:
            return self.send_edit(text)
        if self.turns.answering:
            self.composer.keep_sent(text)
            self.queue_prompt(text)
        elif self.turns.waiting_prompt:
            self.tell(_("Still answering. The message stays; Esc stops the answer."))
            return False
        elif self.has_model:
            self.composer.keep_sent(text)
            self.transcript.select("")
            self.ask_model(text)
        elif self.turns.starting:
            self.composer.keep_sent(text)
            self.turns.waiting_prompt = text
        else:
            self.tell(_("No model is chosen: press Ctrl+O."), "warning")
            return False
        return True

    async def _obey(self, event: Composer.Submitted) -> None:
        """Do what a slash command says; a wrong one stays to be mended."""
        command = parse_command(event.text)
        if isinstance(command, NotACommand):
            self.composer.give_back(event)
            self.tell(command.reason, "warning")
            return
        self.composer.keep_sent(event.text)
        if not command.spec.takes:
            await self.run_action(command.spec.action)
            return
        doing = getattr(self, f"action_{command.spec.action}")(command.argument)
        if inspect.isawaitable(doing):
            await doing

    # Keys

    async def action_stop(self) -> None:
        if self.sidebar.close_overlay():
            self.composer.focus()
        elif self.leave_edit() or self.take_back_queued():
            pass
        elif self.turns.active:
            await self.turns.stop()
        else:
            self.transcript.select("")
            self.composer.focus()

    def action_new_chat(self) -> None:
        if self.may_leave():
            self.post_message(NewChatAsked())

    def action_models(self) -> None:
        if self.may_leave():
            self.post_message(ModelsAsked())

    def action_fold(self) -> None:
        self.transcript.open_thinking()

    def action_source(self) -> None:
        self.transcript.show_source()

    async def action_answer_now(self) -> None:
        await self.turns.answer_now()

    async def action_context(self) -> None:
        screen = await self.context.ledger_screen()
        if screen is None:
            self.tell(_("It cannot be told now what the context holds."))
        else:
            self.app.push_screen(screen)

    async def action_summary(self, text: str = "") -> None:
        self.tell(await self.context.summarise(text))

    def action_server(self, wish: str = "") -> None:
        if self.may_leave():
            self.post_message(ServerAsked(wish))

    def action_device(self, device: str = "") -> None:
        if self.may_leave():
            self.post_message(DeviceAsked(device))

    def action_info(self) -> None:
        """Show what made the selected answer, or the last one, and what it cost."""
        answer = self.chosen_answer
        if answer is None:
            self.tell(_("There is no answer yet."))
        else:
            self.app.push_screen(InfoScreen(answer))

    def action_copy_or_stop(self) -> None:
        selected = self.composer.selected_text or self.get_selected_text()
        if selected:
            self.send_to_terminal(selected)
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
            self.sidebar.rows.focus()
        else:
            self.composer.focus()

    # What the widgets tell

    @on(Sidebar.Selected)
    def open_selected(self, event: Sidebar.Selected) -> None:
        if self.may_leave():
            self.sidebar.close_overlay()
            self.composer.focus()
            self.post_message(OpenChatAsked(event.chat_id))

    @on(Composer.PageAsked)
    def page(self, event: Composer.PageAsked) -> None:
        if event.down:
            self.transcript.action_page_down()
        else:
            self.transcript.action_page_up()

    @on(Composer.Refused)
    def tell_refusal(self, event: Composer.Refused) -> None:
        self.tell(event.reason, "warning")
