"""One message of the conversation: the person's, or the model's."""

import time
from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from qwen_tui.chat.answer import usage_from
from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize, sanitize_line
from qwen_tui.ui.widgets.message_view import MessageView
from qwen_tui.ui.widgets.thinking_panel import ThinkingPanel, count_tokens_text
from qwen_tui.ui.widgets.typesetter import Typesetter

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


class Turn(Vertical):
    """A message under a line that tells whose it is."""

    def __init__(self) -> None:
        super().__init__(classes="turn")
        self._head = Static(classes="turn-head", markup=False)
        self._title = ""
        self._is_outside = False

    def mark_outside(self, is_outside: bool) -> None:
        """Tell that the model does not see this message any more, or does again."""
        if is_outside != self._is_outside:
            self._is_outside = is_outside
            self.set_class(is_outside, "-outside")
            self._draw_head()

    def _show_title(self, title: str) -> None:
        self._title = title
        self._draw_head()

    def _draw_head(self) -> None:
        mark = "  " + _("outside the context") if self._is_outside else ""
        self._head.update(Content(self._title + mark))


class UserTurn(Turn):
    """What the person wrote, exactly as written."""

    def __init__(self, text: str, created_at: float) -> None:
        super().__init__()
        self.text = text
        self.view = MessageView(shorten_prompt(text), plain=True)
        self._show_title("> " + _("You") + "  " + clock(created_at))

    def share(self, typesetter: Typesetter) -> None:
        """Set the text by the turn of all messages; called before it is mounted."""
        self.view.typesetter = typesetter

    def compose(self) -> ComposeResult:
        yield self._head
        yield self.view


class AssistantTurn(Turn):
    """What the model thought and answered, and how that ended."""

    def __init__(
        self, message: ChatMessage | None = None, *, thinking_open: bool = False
    ) -> None:
        super().__init__()
        self._message = message
        self._thinking_open = thinking_open
        self._streaming = message is None
        self._typesetter: Typesetter | None = None
        self.panel: ThinkingPanel | None = None
        self.view = MessageView(message.content if message else "")
        self._foot = Static(classes="turn-foot -empty", markup=False)
        if message is not None and message.thinking:
            self.panel = ThinkingPanel(message.thinking, is_open=thinking_open)

    def share(self, typesetter: Typesetter) -> None:
        """Set the texts by the turn of all messages; called before it is mounted."""
        self._typesetter = self.view.typesetter = typesetter
        if self.panel is not None:
            self.panel.view.typesetter = typesetter

    def compose(self) -> ComposeResult:
        yield self._head
        if self.panel is not None:
            yield self.panel
        yield self.view
        yield self._foot

    def on_mount(self) -> None:
        if self._message is not None:
            self.settle(self._message)

    def name_model(self, model: str, soft_switch: str = "") -> None:
        """Tell which model is answering, and what switched its thinking if so."""
        self._show_head(model, time.time(), soft_switch)

    def think(self, text: str) -> None:
        """Add streamed thoughts; the panel appears with the first."""
        if self.panel is None:
            self.panel = ThinkingPanel(is_open=True)
            if self._typesetter is not None:
                self.panel.view.typesetter = self._typesetter
            self.mount(self.panel, after=self._head)
        self.panel.append(text)

    def answer(self, text: str) -> None:
        """Add to the streamed answer."""
        self.view.append(text)

    @property
    def wants_folding(self) -> bool:
        """The thinking is open, and nobody asked for it to stay so."""
        panel = self.panel
        return (
            panel is not None
            and panel.is_open
            and not panel.touched
            and not self._thinking_open
        )

    def settle(self, message: ChatMessage) -> None:
        """Show the message as it was saved: its state, its numbers."""
        self._message = message
        switch = str(message.sampling.get("soft_switch") or "")
        self._show_head(message.model, message.created_at, switch)
        usage = message.usage
        if self.panel is not None:
            self.panel.settle(
                float(usage.get("thinking_s") or 0.0),
                int(usage.get("thinking_tokens") or 0),
                cut=bool(usage.get("thinking_cut")),
            )
        self.view.finish()
        self._show_foot(message)

    def _show_head(self, model: str, created_at: float, soft_switch: str) -> None:
        name = sanitize_line(model) or _("Model")
        parts = [name, clock(created_at), switch_mark(soft_switch)]
        self._show_title("  ".join(part for part in parts if part))

    def _show_foot(self, message: ChatMessage) -> None:
        mark = state_mark(message)
        lines = [line for line in (mark, numbers_line(message.usage)) if line]
        self._foot.update(Content("\n".join(lines)))
        self._foot.set_class(not lines, "-empty")
        failed = message.state == "failed"
        self._foot.set_class(failed, "-failed")
        self._foot.set_class(bool(mark) and not failed, "-cut")


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
    rate = f"{cost.decode_tokens_per_s:.1f} tok/s"
    return f"{rate}  {count_tokens_text(cost.new_tokens)}  {first}"
