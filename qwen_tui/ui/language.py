"""The language of what is on the screen, changed while it is shown."""

from typing import Protocol, runtime_checkable

from textual.screen import Screen

from qwen_tui.i18n import set_language

NAMES = {"en": "English", "zh": "中文"}
"""Each language's own name for itself."""


@runtime_checkable
class Relabels(Protocol):
    """A widget or screen that keeps texts it once translated."""

    def relabel(self) -> None:
        """Say everything again, in the language that is active now."""
        ...


def speak(language: str, screens: list[Screen[object]]) -> None:
    """Make `language` ("en" or "zh") the active one, on open screens too."""
    set_language(language)
    for screen in screens:
        for node in screen.walk_children(with_self=True):
            if isinstance(node, Relabels):
                node.relabel()
