"""What made one answer, and what it cost, on one screen."""

from collections.abc import Mapping
from typing import Any, cast

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from qwen_tui.chat.answer import usage_from
from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.widgets.turn import state_mark, switch_mark

_NOT_LISTED = ("computed_by", "soft_switch", "thinking", "not_passed")

Rows = list[tuple[str, str]]


class InfoScreen(ModalScreen[None]):
    """Esc, i, q or Enter closes it."""

    BINDINGS = [
        Binding("escape,i,q,enter,ctrl+c", "dismiss", show=False),
    ]

    def __init__(self, message: ChatMessage) -> None:
        super().__init__()
        self._message = message

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(id="help-text", markup=False)

    def relabel(self) -> None:
        """Tell everything in the active language."""
        text = Content(info_text(self._message))
        self.query_one("#help-text", Static).update(text)

    def on_mount(self) -> None:
        self.relabel()
        self.query_one("#help", VerticalScroll).focus()


def info_text(message: ChatMessage) -> str:
    """Return one line for each thing there is to tell."""
    groups = (_model(message), _cost(message.usage), _settings(message.sampling))
    width = max(cell_len(label) for rows in groups for label, _value in rows)
    lines = [_("About this answer")]
    for rows in groups:
        lines.append("")
        for label, value in rows:
            pad = " " * (width - cell_len(label) + 2)
            lines.append(sanitize_line(f"{label}{pad}{value}"))
    return "\n".join([*lines, "", _("Esc closes this.")])


def _model(message: ChatMessage) -> Rows:
    by = cast(Mapping[str, Any], message.sampling.get("computed_by") or {})
    versions = cast(Mapping[str, Any], by.get("versions") or {})
    rows = [
        (_("model"), message.model),
        (_("revision"), message.revision),
        (_("device"), by.get("device")),
        (_("number format"), by.get("dtype")),
        (_("attention"), by.get("attention")),
        (_("KV cache"), by.get("kv_dtype")),
        (_("versions"), "  ".join(f"{name} {v}" for name, v in versions.items())),
        (_("ended"), state_mark(message) or message.usage.get("finish_reason")),
    ]
    return [(label, str(value)) for label, value in rows if value]


def _cost(usage: Mapping[str, Any]) -> Rows:
    cost = usage_from(usage)
    per_s = _("{n} tokens/s")
    rates = (cost.prefill_tokens_per_s, cost.decode_tokens_per_s)
    prefill, decode = (per_s.format(n=f"{rate:,.1f}") if rate else "" for rate in rates)
    counted = [(_("counted"), _("here: the server did not tell"))]
    return [
        *(counted if cost.is_estimate else []),
        (_("prompt tokens"), f"{cost.prompt_tokens:,}"),
        (_("of these cached"), f"{cost.cached_tokens:,}"),
        (_("thinking tokens"), f"{cost.thinking_tokens:,}"),
        (_("answer tokens"), f"{cost.answer_tokens:,}"),
        (_("first token after"), _seconds(cost.first_token_s)),
        (_("reading the prompt"), f"{_seconds(cost.prefill_s)}  {prefill}"),
        (_("generating"), f"{_seconds(cost.decode_s)}  {decode}"),
        (_("of these thinking"), _seconds(cost.thinking_s)),
    ]


def _settings(sampling: Mapping[str, Any]) -> Rows:
    thinking = switch_mark(str(sampling.get("soft_switch") or ""))
    if not thinking:
        thinking = _("on") if sampling.get("thinking") else _("off")
    rows = [(_("thinking"), thinking)]
    rows.append((_("without effect"), ", ".join(sampling.get("not_passed") or ())))
    rows += [(k, str(v)) for k, v in sampling.items() if k not in _NOT_LISTED]
    return [(label, value) for label, value in rows if value not in ("None", "[]", "")]


def _seconds(value: float) -> str:
    return _("{seconds} s").format(seconds=f"{value:.2f}")
