"""Slash commands: every key action as a word."""

from dataclasses import dataclass
from typing import Literal

from qwen_tui.i18n import _

Action = Literal[
    "new_chat",
    "models",
    "think",
    "fold",
    "retry",
    "go_on",
    "answer_now",
    "help",
    "quit",
]
"""Named as the chat screen's own actions."""

_ACTIONS: dict[str, Action] = {
    "/new": "new_chat",
    "/models": "models",
    "/think": "think",
    "/fold": "fold",
    "/retry": "retry",
    "/continue": "go_on",
    "/answer": "answer_now",
    "/help": "help",
    "/quit": "quit",
}
_SWITCH = {"on": True, "off": False}


@dataclass(frozen=True, slots=True)
class Command:
    """An action to take."""

    action: Action
    on: bool | None = None
    """For "think": on, off, or None to toggle."""


@dataclass(frozen=True, slots=True)
class NotACommand:
    """A line that starts like a command and is none; `reason` is translated."""

    reason: str


def is_command(text: str) -> bool:
    """Say whether a prompt is meant as a command: one line, one slash, a word.

    A path such as /usr/bin is not: its first word holds a second slash.
    """
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    return (
        "\n" not in text
        and first.startswith("/")
        and "/" not in first[1:]
        and len(first) > 1
    )


def parse_command(text: str) -> Command | NotACommand:
    """Read a line for which `is_command` holds."""
    word, _space, argument = text.strip().partition(" ")
    argument = argument.strip().lower()
    action = _ACTIONS.get(word.lower())
    if action is None:
        return NotACommand(
            _("There is no command {word}. Commands: {commands}").format(
                word=word, commands=" ".join(_ACTIONS)
            )
        )
    if action == "think":
        if argument and argument not in _SWITCH:
            return NotACommand(_("Write /think on or /think off"))
        return Command("think", _SWITCH.get(argument))
    if argument:
        return NotACommand(_("{word} takes nothing after it").format(word=word))
    return Command(action)
