"""One message of the conversation: the person's, or the model's."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.segment import Segment
from textual.events import Click
from textual.message import Message
from textual.strip import Strip

from qwen_tui.chat.answer import usage_from
from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize, sanitize_line
from qwen_tui.ui.widgets.message_view import MessageView
from qwen_tui.ui.widgets.thinking_panel import ThinkingPanel, count_tokens_text
from qwen_tui.ui.widgets.turn_marks import NO_MARKS, TurnMarks
from qwen_tui.ui.widgets.turn_view import TurnView

_PROMPT_LINES = 40
_PROMPT_CHARS = 4000


def clock(seconds: float) -> str:
    """Return the local time of day, "10:21"."""
    return time.strftime("%H:%M", time.localtime(seconds))


def shorten_prompt(text: str) -> str:
    """Return `text` for the transcript, a long one with its middle told in words."""
    lines = text.split("\n")
    if len(text) <= _PROMPT_CHARS and len(lines) <= _PROMPT_LINES:
        return text
    head = "\n".join(lines[:_PROMPT_LINES])[:_PROMPT_CHARS]
    hidden = len(text) - len(head)
    more = ngettext("... {n} more character", "... {n} more characters", hidden)
    return head + "\n" + more.format(n=f"{hidden:,}")


class Turn(TurnView):
    """A message under a line that tells whose it is."""

    view: MessageView
    """Its text."""

    message_id = ""
    """Empty as long as the message is in no conversation."""

    @dataclass
    class Clicked(Message):
        """A message was clicked, and no text was selected by that."""

        message_id: str

    def __init__(self, look: str, indent: int, *views: MessageView) -> None:
        self._head = MessageView(plain=True, look=look, indent=indent)
        super().__init__(self._head, *views, classes="turn")
        self._title = ""
        self._look = look
        self._marks = NO_MARKS
        self._is_selected = False

    def mark(self, marks: TurnMarks) -> None:
        """Show at its head which branch it is, and what becomes of it in prompts."""
        if marks != self._marks:
            self._marks = marks
            self.set_class(marks.is_outside, "-outside")
            self._draw_head()

    def select(self, is_selected: bool) -> None:
        """Show that keys are about this message, or no more."""
        if is_selected != self._is_selected:
            self._is_selected = is_selected
            self._draw_head()
            self.refresh()

    def on_click(self, event: Click) -> None:
        # twice selects the text: the second takes back what the first one did
        is_plain = event.button == 1 and event.chain in (1, 2)
        if is_plain and self.text_selection is None and not self.acts_at(event.y):
            self.post_message(self.Clicked(self.message_id))

    def acts_at(self, row: int) -> bool:
        """Whether a click on that row does something of its own."""
        return False

    def render_line(self, y: int) -> Strip:
        """Return one row, with a bar beside it while the message is selected."""
        strip = super().render_line(y)
        if not self._is_selected or not strip.text.startswith(" "):
            return strip
        style = self.visual_style.rich_style + self.typesetter.palette.style(self._look)
        return Strip([Segment("|", style), *strip.crop(1)], strip.cell_length)

    def _show_title(self, title: str) -> None:
        self._title = title
        self._draw_head()

    def _draw_head(self) -> None:
        look = "muted" if self._marks.is_outside else self._look
        marks = self._marks.text
        self._head.replace(
            f"{self._title}  {marks}" if marks else self._title,
            f"{look} selected" if self._is_selected else look,
        )


class UserTurn(Turn):
    """What the person wrote, exactly as written."""

    def __init__(self, text: str, created_at: float, message_id: str = "") -> None:
        self.message_id = message_id
        self.text = text
        self.created_at = created_at
        self.view = MessageView(shorten_prompt(text), plain=True, indent=2)
        super().__init__("head-user", 0, self.view)
        self.relabel()

    def relabel(self) -> None:
        """Tell whose it is, and how much is not shown, in the active language."""
        self.view.replace(shorten_prompt(self.text))
        self._show_title("> " + _("You") + "  " + clock(self.created_at))


class AssistantTurn(Turn):
    """What the model thought and answered, and how that ended."""

    def __init__(
        self, message: ChatMessage | None = None, *, thinking_open: bool = False
    ) -> None:
        self.message = message
        """As it was saved; None while it is being written."""
        self._told_of = ("", time.time(), "")
        self._thinking_open = thinking_open
        thinking = message.thinking if message else ""
        self._panel = ThinkingPanel(thinking, is_open=thinking_open or message is None)
        self.view = MessageView(message.content if message else "", indent=2)
        self._foot = MessageView(plain=True, look="foot", indent=2)
        panel = (self._panel.line, self._panel.view, self._panel.gap)
        super().__init__("head-model", 2, *panel, self.view, self._foot)
        if message is not None:
            self.settle(message)

    @property
    def panel(self) -> ThinkingPanel | None:
        """The thinking; None where there is none (yet)."""
        return self._panel if self._panel.text else None

    def name_model(self, model: str, soft_switch: str = "") -> None:
        """Tell which model is answering, and what switched its thinking if so."""
        self._show_head(model, time.time(), soft_switch)

    def relabel(self) -> None:
        """Tell what is told about it in the active language."""
        self._panel.relabel()
        self._show_head(*self._told_of)
        if self.message is not None:
            self._show_foot(self.message)

    def think(self, text: str) -> None:
        """Add streamed thoughts; the panel appears with the first."""
        self._panel.append(text)

    def answer(self, text: str) -> None:
        """Add to the streamed answer."""
        self.view.append(text)

    def take_as_thinking(self) -> None:
        """Show as thoughts what came as the answer so far."""
        self._panel.append(self.view.take())

    @property
    def wants_folding(self) -> bool:
        """The thinking is open, and nobody asked for it to stay so."""
        panel = self._panel
        return (
            bool(panel.text)
            and panel.is_open
            and not panel.touched
            and not self._thinking_open
        )

    @property
    def thinking_end(self) -> int:
        """The row of the screen below the thinking."""
        return self.region.y + self.first_row(self.view)

    def settle(self, message: ChatMessage) -> None:
        """Show the message as it was saved: its state, its numbers."""
        self.message, self.message_id = message, message.id
        switch = str(message.sampling.get("soft_switch") or "")
        self._show_head(message.model, message.created_at, switch)
        usage = message.usage
        self._panel.settle(
            float(usage.get("thinking_s") or 0.0),
            int(usage.get("thinking_tokens") or 0),
            cut=bool(usage.get("thinking_cut")),
        )
        self.view.finish()
        self._show_foot(message)

    def acts_at(self, row: int) -> bool:
        """Whether that is the line of the thinking."""
        line = self._panel.line
        return bool(len(line)) and row == self.first_row(line)

    def on_click(self, event: Click) -> None:
        if self.acts_at(event.y):
            self.post_message(self.ThinkingClicked(self))

    def _show_head(self, model: str, created_at: float, soft_switch: str) -> None:
        self._told_of = (model, created_at, soft_switch)
        name = sanitize_line(model) or _("Model")
        parts = [name, clock(created_at), switch_mark(soft_switch)]
        self._show_title("  ".join(part for part in parts if part))

    def _show_foot(self, message: ChatMessage) -> None:
        mark = state_mark(message)
        lines = [line for line in (mark, numbers_line(message.usage)) if line]
        look = "failed" if message.state == "failed" else "cut" if mark else "foot"
        self._foot.needs_room = look == "foot"
        self._foot.replace("\n".join(lines), look)

    class ThinkingClicked(Message):
        """The line of the thinking was clicked."""

        def __init__(self, turn: "AssistantTurn") -> None:
            super().__init__()
            self.turn = turn


def switch_mark(soft_switch: str) -> str:
    """Return what is told about a turn whose thinking the conversation switched."""
    match soft_switch:
        case "/think":
            return _("thinking on (/think)")
        case "/no_think":
            return _("thinking off (/no_think)")
        case _:
            return ""


def state_mark(message: ChatMessage) -> str:
    """Return what is to be told about how an answer ended; mostly nothing."""
    match message.state:
        case "stopped":
            return _("Stopped.")
        case "interrupted":
            return _("Interrupted: the program ended while this was being written.")
        case "failed":
            usage = message.usage
            return error_text(usage.get("error"), usage.get("error_hint"))
        case "complete" | "streaming":
            return _limit_mark(message.usage)


def _limit_mark(usage: Mapping[str, Any]) -> str:
    if usage.get("finish_detail") == "loop":
        return _("Stopped here: it was repeating itself.")
    if usage.get("thinking_cut"):
        return _("The token limit fell inside the thinking, so there is no answer.")
    if usage.get("finish_reason") == "length":
        return _("Cut at the token limit.")
    return ""


def error_text(error: object, hint: object = "") -> str:
    """Return what a saved error says and advises, sanitized."""
    reason = sanitize(str(error or "")) or _("no reason given")
    told = _("Failed: {reason}").format(reason=reason)
    return f"{told} {sanitize(str(hint))}" if hint else told


def numbers_line(usage: Mapping[str, Any]) -> str:
    """Return "41.8 tok/s  386 tokens  first token after 0.4 s", or nothing."""
    cost = usage_from(usage)
    if not cost.new_tokens or cost.decode_s <= 0:
        return ""
    waited_s = cost.first_token_s or cost.prefill_s
    places = 1 if waited_s >= 1 else 2
    first = _("first token after {seconds} s").format(seconds=f"{waited_s:.{places}f}")
    about = "~" if cost.is_estimate else ""
    rate = f"{about}{cost.decode_tokens_per_s:.1f} tok/s"
    return f"{rate}  {about}{count_tokens_text(cost.new_tokens)}  {first}"
