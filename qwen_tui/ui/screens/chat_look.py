"""Commands about how the program looks and speaks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from textual.binding import Binding
from textual.message import Message

from qwen_tui.ui.screens.chat_frame import ChatFrame
from qwen_tui.ui.screens.chat_help import HelpScreen


@dataclass
class LanguageAsked(Message):
    """The person wants to read another language."""

    language: str
    """"en" or "zh"; empty: the other one."""


@dataclass
class ThemeAsked(Message):
    """The person wants other colours."""

    theme: str
    """Empty: show which there are."""


class SettingsAsked(Message):
    """The person wants to see the settings."""


class LookActions(ChatFrame):
    """Language, theme and settings."""

    BINDINGS = [
        # before the widgets: the text area has keys of its own
        Binding("f10", "settings", show=False, priority=True, id="chat.settings"),
    ]

    mapped: Mapping[str, str] = MappingProxyType({})
    """What to show in the place of keys that were mapped away; set by the app."""

    renew_header: Callable[[], None] = staticmethod(lambda: None)
    """Tells in the header what the app knows; set by the app."""

    def relabel(self) -> None:
        """Show what stands on the screen itself in the active language."""
        super().relabel()
        session = self.turns.session
        if session is not None and not self.turns.active:
            self.turns.feed.tell_last_again(session.conversation.branch())
        self.renew_header()

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(mapped=self.mapped))

    def action_settings(self) -> None:
        self.post_message(SettingsAsked())

    def action_speak(self, language: str = "") -> None:
        self.post_message(LanguageAsked(language.strip().lower()))

    def action_theme(self, name: str = "") -> None:
        self.post_message(ThemeAsked(name.strip()))
