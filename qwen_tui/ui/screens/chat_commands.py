"""Slash commands: every key action as a word."""

from dataclasses import dataclass
from typing import Literal

from qwen_tui.i18n import _

Action = Literal[
    "new_chat",
    "models",
    "think",
    "set_option",
    "fold",
    "source",
    "retry",
    "go_on",
    "answer_now",
    "info",
    "context",
    "summary",
    "device",
    "help",
    "quit",
]
"""Named as the chat screen's own actions."""

_ACTIONS: dict[str, Action] = {
    "/new": "new_chat",
    "/models": "models",
    "/think": "think",
    "/set": "set_option",
    "/fold": "fold",
    "/source": "source",
    "/retry": "retry",
    "/continue": "go_on",
    "/answer": "answer_now",
    "/info": "info",
    "/context": "context",
    "/summary": "summary",
    "/device": "device",
    "/help": "help",
    "/quit": "quit",
}
_WITH_ARGUMENT = frozenset[Action]({"think", "set_option", "summary", "device"})
_WITH_LINES = ("/summary",)
_SOFT_SWITCHES = ("/think", "/no_think")


@dataclass(frozen=True, slots=True)
class Command:
    """An action to take."""

    action: Action
    argument: str = ""
    """What stood behind it, for those that take something."""


@dataclass(frozen=True, slots=True)
class NotACommand:
    """A line that starts like a command and is none; `reason` is translated."""

    reason: str


def is_command(text: str) -> bool:
    """Say whether a prompt is meant as a command: one line, one slash, a word.

    A path such as /usr/bin is not: its first word holds a second slash. Nor is a
    message that begins with one of Qwen3's soft switches, /think and /no_think.
    """
    first, _space, rest = text.strip().partition(" ")
    if first.lower() in _SOFT_SWITCHES and not _is_thinking_command(first, rest):
        return False
    first = first.partition("\n")[0]
    return (
        ("\n" not in text or first.lower() in _WITH_LINES)
        and first.startswith("/")
        and "/" not in first[1:]
        and len(first) > 1
    )


def _is_thinking_command(word: str, argument: str) -> bool:
    argument = argument.strip().lower()
    if word.lower() == "/no_think":
        return not argument
    return argument in ("", "on", "off") or argument.isdecimal()


def parse_command(text: str) -> Command | NotACommand:
    """Read a line for which `is_command` holds."""
    word, *rest = text.strip().split(maxsplit=1)
    argument = rest[0] if rest else ""
    if word.lower() == "/no_think":
        return Command("think", "off")
    action = _ACTIONS.get(word.lower())
    if action is None:
        return NotACommand(
            _("There is no command {word}. Commands: {commands}").format(
                word=word, commands=" ".join(_ACTIONS)
            )
        )
    if argument and action not in _WITH_ARGUMENT:
        return NotACommand(_("{word} takes nothing after it").format(word=word))
    return Command(action, argument)
