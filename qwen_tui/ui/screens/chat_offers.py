"""Which slash commands and arguments may be meant by a line that is being written."""

from collections.abc import Sequence

from qwen_tui.chat.choices import option_names
from qwen_tui.i18n import _
from qwen_tui.ui.screens.chat_commands import COMMANDS, CommandSpec
from qwen_tui.ui.widgets.completion_menu import Offer

_BY_WORD = {spec.word: spec for spec in COMMANDS}
_SWITCHES = ("on", "off")
_SWITCHED = ("loop_guard",)


def command_offers(line: str) -> tuple[Sequence[Offer], int]:
    """Return what fits a line that begins with "/", and which one is marked.

    None is marked (-1) where the line can be sent as it is: a whole command, or one
    whose argument nobody began to write.
    """
    word, space, argument = line.partition(" ")
    if not space:
        return _words(word.lower())
    spec = _BY_WORD.get(word.lower())
    if spec is None or not spec.takes:
        return (), -1
    return _arguments(spec, argument.lstrip())


def named_offers(line: str, names: Sequence[str]) -> tuple[Sequence[Offer], int]:
    """Return which of `names`, which may hold blanks, fit behind a command.

    The second value is as that of `command_offers`.
    """
    word, _space, argument = line.partition(" ")
    typed = argument.strip().casefold()
    begins = [name for name in names if name.casefold().startswith(typed)]
    holds = [n for n in names if typed in n.casefold() and n not in begins]
    offers = [
        Offer(label=name, detail="", text=f"{word} {name}", is_whole=True)
        for name in [*begins, *holds]
    ]
    is_whole = typed in (name.casefold() for name in names)
    return offers, 0 if offers and typed and not is_whole else -1


def _words(typed: str) -> tuple[Sequence[Offer], int]:
    begins = [spec for spec in COMMANDS if spec.word.startswith(typed)]
    holds = [spec for spec in COMMANDS if typed[1:] in spec.word and spec not in begins]
    offers = [
        Offer(
            label=f"{spec.word} {spec.takes}".rstrip(),
            detail=_(spec.meaning),
            text=f"{spec.word} " if spec.takes else spec.word,
            is_whole=not spec.takes,
        )
        for spec in [*begins, *holds]
    ]
    return offers, -1 if typed in _BY_WORD else 0


def _arguments(spec: CommandSpec, typed: str) -> tuple[Sequence[Offer], int]:
    head, space, last = typed.rpartition(" ")
    values, is_last = _values(spec, head.lower())
    offers = [
        Offer(
            label=value,
            detail="",
            text=f"{spec.word} {head}{space}{value}" + ("" if is_last else " "),
            is_whole=is_last,
        )
        for value in values
        if value.startswith(last.lower())
    ]
    return offers, 0 if last and last.lower() not in values else -1


def _values(spec: CommandSpec, before: str) -> tuple[Sequence[str], bool]:
    """Return what may stand after `before`, and whether it ends the command."""
    if spec.action == "set_option":
        if before in _SWITCHED:
            return _SWITCHES, True
        return (() if before else option_names()), False
    choices = [value.partition(" ")[0] for value in spec.takes.split("|")]
    written = [value for value in choices if value.islower()]
    return (() if before else written), True
