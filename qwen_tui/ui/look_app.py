"""How the program looks and speaks: changed while it runs, kept in the settings."""

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from textual import on, work
from textual.app import SystemCommand
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.screen import Screen

from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import LANGUAGES, _, detect_language, language
from qwen_tui.settings import UiSettings
from qwen_tui.ui import themes
from qwen_tui.ui.desk import Desk
from qwen_tui.ui.keymap import (
    Keymap,
    hint_key,
    own_bindings,
    read_keymap,
    remap,
    shown_keys,
)
from qwen_tui.ui.language import NAMES, speak
from qwen_tui.ui.notify import is_worth_a_sign, sign_bytes
from qwen_tui.ui.screens.chat import ChatScreen
from qwen_tui.ui.screens.chat_commands import COMMANDS
from qwen_tui.ui.screens.chat_look import LanguageAsked, SettingsAsked, ThemeAsked
from qwen_tui.ui.screens.chat_messages import TurnSettled
from qwen_tui.ui.thin_line import ThinLineApp

_READ_S = 20.0


class ThemeChoices(Provider):
    """The palette's list of themes; choosing one keeps it."""

    async def discover(self) -> Hits:
        """Offer every theme."""
        for name in sorted(self.app.available_themes):
            yield DiscoveryHit(name, lambda name=name: self._choose(name))

    async def search(self, query: str) -> Hits:
        """Offer the themes whose names match."""
        matcher = self.matcher(query)
        for name in sorted(self.app.available_themes):
            if (score := matcher.match(name)) > 0:
                yield Hit(
                    score, matcher.highlight(name), lambda name=name: self._choose(name)
                )

    def _choose(self, name: str) -> None:
        self.screen.post_message(ThemeAsked(name))


class LookApp(ThinLineApp):
    """Themes, language, and what else of `ui.*` holds at once."""

    desk: Desk
    chat: ChatScreen

    def __init__(self) -> None:
        super().__init__()
        self._keymap_read = Keymap()
        for theme in themes.OWN:
            self.register_theme(theme)

    def dress(self, ui: UiSettings) -> None:
        """Look as the settings say."""
        self.theme = themes.nearest(ui.theme, self.available_themes)
        self.set_class(ui.ascii_borders, "-ascii")
        self.chat.makes_titles = ui.titles
        self.chat.turns.thinking_open = ui.thinking_open
        if ui.frame_diff != self.sends_changes_only:
            self.use_frame_diff(ui.frame_diff)
        wanted = detect_language() if ui.lang == "auto" else ui.lang
        if self._running and wanted != language():
            speak(wanted, self.screen_stack)

    def take_keymap(self, file: Path) -> None:
        """Give the actions of the chat the keys that a file says."""
        chat = self.chat
        nodes = (self, chat, chat.composer, chat.transcript, chat.sidebar.rows)
        bindings = [binding for node in nodes for binding in own_bindings(node)]
        self._keymap_read = read_keymap(file, bindings)
        for node in nodes:
            remap(node, self._keymap_read)
        chat.mapped = shown_keys(self._keymap_read, nodes)
        chat.hints.keys = {
            hint_key(key): shown.replace("Ctrl+", "^")
            for key, shown in chat.mapped.items()
        }

    def tell_keymap(self) -> None:
        """Tell what is wrong in the file of keys; it stays until it is read."""
        for notice in self._keymap_read.notices:
            self.notify(notice, severity="warning", timeout=_READ_S, markup=False)

    @on(TurnSettled)
    def give_a_sign(self) -> None:
        """Tell who looks elsewhere that a long answer has ended, where it is wished."""
        how = self.desk.preferences.settings.ui.notify
        session = self.desk.session
        if how == "off" or self.app_focus or self._driver is None or session is None:
            return
        if is_worth_a_sign(self.chat.turns.last_answer):
            title = session.conversation.title
            self._driver.write(sign_bytes(how, title, os.environ))

    @on(LanguageAsked)
    async def change_language(self, event: LanguageAsked) -> None:
        """Speak another language at once, and from now on."""
        others = [name for name in LANGUAGES if name != language()]
        wanted = event.language or others[0]
        if wanted not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            text = _("There is no language {name}. Languages: {known}")
            self._tell(text.format(name=wanted, known=known), is_wrong=True)
            return
        speak(wanted, self.screen_stack)
        self.keep("ui.lang", wanted, _("Language: {name}").format(name=NAMES[wanted]))

    @on(ThemeAsked)
    async def change_colours(self, event: ThemeAsked) -> None:
        """Take another theme, or show the list of them."""
        if not event.theme:
            self.action_change_theme()
            return
        name = event.theme.lower()
        if name not in self.available_themes:
            near = themes.nearest(name, self.available_themes)
            text = _("There is no theme {name}; did you mean {nearest}?")
            self._tell(text.format(name=event.theme, nearest=near), is_wrong=True)
            return
        self.theme = name
        self.keep("ui.theme", name, _("Theme: {name}").format(name=name))

    @work(group="keep")
    async def keep(self, key: str, value: object, told: str) -> None:
        """Save a setting, and tell `told` and where it will not hold."""
        try:
            rival = await self.desk.preferences.change(key, value)
        except QwenTuiError as error:
            self._tell(f"{error.message} {error.hint}".strip(), is_wrong=True)
            return
        self._tell(told + rival_note(rival), is_wrong=bool(rival))

    @on(SettingsAsked)
    def show_settings(self) -> None:
        """Show every setting."""
        from qwen_tui.ui.screens.settings import SettingsScreen

        themes_ = sorted(self.available_themes)
        self.push_screen(SettingsScreen(self.desk.preferences, themes_, self.feel))

    async def feel(self, key: str) -> None:
        """Let a changed setting be felt at once, where that can be."""
        settings = self.desk.preferences.settings
        section = key.partition(".")[0]
        if section == "ui":
            self.dress(settings.ui)
        elif section == "server":
            self.desk.servers.renew(settings)
        elif section in ("sampling", "generation", "context"):
            self.desk.renew_options()
            if self.desk.session is not None:
                thinking = self.desk.session.options.thinking
                self.chat.header.change(thinking=thinking)

    def action_change_theme(self) -> None:
        """Show the list of themes."""
        self.push_screen(
            CommandPalette([ThemeChoices], placeholder=_("Search the themes"))
        )

    def action_command_palette(self) -> None:
        """Show everything that can be done."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(
                CommandPalette(
                    placeholder=_("Search the commands"), id="--command-palette"
                )
            )

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every command of the chat there, elsewhere what is safe."""
        if screen is self.chat:
            for spec in COMMANDS:
                run = partial(screen.run_action, spec.action)
                yield SystemCommand(f"{_(spec.meaning)}  {spec.word}", "", run)
        else:
            yield SystemCommand(_("change the colours"), "", self.action_change_theme)
            speak_ = partial(self.post_message, LanguageAsked(""))
            yield SystemCommand(_("speak the other language"), "", speak_)
            quit_ = partial(self.run_action, "ask_quit")
            yield SystemCommand(_("quit"), "", quit_)

    def _tell(self, text: str, *, is_wrong: bool = False) -> None:
        self.chat.tell(text, "warning" if is_wrong else "plain")


def rival_note(rival: str) -> str:
    """Return what to add where a variable will win again; mostly nothing."""
    if not rival:
        return ""
    return ". " + _("At the next start {name} decides again.").format(name=rival)
