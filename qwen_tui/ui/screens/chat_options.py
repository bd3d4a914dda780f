"""What a person sets for the next turns, from words to options and back."""

from qwen_tui.chat.choices import option_names, options_line, set_option
from qwen_tui.chat.turn import TurnOptions
from qwen_tui.errors import UsageError
from qwen_tui.hub.machine import Machine
from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize_line
from qwen_tui.session import Session
from qwen_tui.ui.widgets.header_bar import HeaderBar
from qwen_tui.ui.widgets.status_line import Tone

_GIB = 1024**3


def switch_thinking(session: Session | None, header: HeaderBar, wish: str) -> str:
    """Let the model think or not from the next message on; return what to tell.

    Args:
        session: Whose options change.
        header: Knows what the model offers, and shows what holds.
        wish: "on", "off", a number of tokens to think at most, or "" for the other
            than now.
    """
    if session is None:
        return ""
    match header.facts.thinking_kind:
        case "always":
            return _("This model always thinks.")
        case "never":
            return _("This model cannot think.")
        case _:
            told = _switch(session.options, wish.lower())
            header.change(thinking=session.options.thinking)
            return told


def set_by_line(session: Session | None, line: str) -> tuple[str, Tone]:
    """Do what `/set NAME VALUE` says; return what to tell, and in which tone.

    Without a value it tells what is set by hand.
    """
    if session is None:
        return "", "plain"
    name, _space, value = line.partition(" ")
    if not value.strip():
        names = ", ".join(option_names())
        told = options_line(session.options)
        text = _("Set: {options}. Write /set NAME VALUE; names: {names}")
        return text.format(options=told, names=names), "warning"
    try:
        return set_option(session.options, name, value.strip()), "plain"
    except UsageError as error:
        return f"{error.message} {error.hint}".strip(), "warning"


def devices_line(machine: Machine) -> str:
    """Return which devices there are, what they have free, and who else is there."""
    parts: list[str] = []
    for gpu in machine.gpus:
        free, total = (f"{n / _GIB:.1f}" for n in (gpu.free_bytes, gpu.total_bytes))
        text = _("cuda:{n} {name}: {free} of {total} GiB free")
        told = text.format(n=gpu.index, name=gpu.name, free=free, total=total)
        if gpu.other_processes:
            others = ngettext(
                "{n} other program", "{n} other programs", gpu.other_processes
            )
            told += f" ({others.format(n=gpu.other_processes)})"
        parts.append(told)
    cpu = _("cpu: {free} of {total} GiB free")
    free, total = (
        f"{n / _GIB:.1f}" for n in (machine.ram_available, machine.ram_total)
    )
    parts.append(cpu.format(free=free, total=total))
    return sanitize_line("   ".join([*parts, _("/device NAME loads the model there.")]))


def _switch(options: TurnOptions, wish: str) -> str:
    options.thinking = wish != "off" if wish else not options.thinking
    if not options.thinking:
        return _("The model answers without thinking from the next message on.")
    if wish.isdecimal():
        options.thinking_budget = int(wish) or None
    if options.thinking_budget is not None:
        text = _("The model thinks for at most {n} tokens from the next message on.")
        return text.format(n=options.thinking_budget)
    return _("The model thinks from the next message on.")
