"""What may stand behind a slash command where only the running program knows it."""

import asyncio
from collections.abc import Callable, Sequence

from textual import work

from qwen_tui.hub.machine import read_machine
from qwen_tui.settings.personas import read_personas
from qwen_tui.ui.screens.chat_composer import ComposerActions
from qwen_tui.ui.screens.chat_offers import named_offers
from qwen_tui.ui.screens.chat_own import OwnActions
from qwen_tui.ui.widgets.completion_menu import Word

Names = Callable[[], Sequence[str]]
"""Looks the names up; may be slow."""


class ArgumentActions(OwnActions, ComposerActions):
    """Offers the names of themes, personas, devices and servers."""

    server_names: Names = staticmethod(lambda: ())
    """The saved servers; set by the app."""
    _devices: Sequence[str] = ()
    """Empty until somebody wanted to know: a look at the GPUs takes its time."""

    def offer_names(self, word: Word) -> bool:
        """Look for names behind a command; False for one that takes none."""
        command, space, _argument = word.text.partition(" ")
        names = self._names_behind(command.lower()) if space else None
        if names is None:
            return False
        self.completions.look_for(word)
        self._offer_names(word, names)
        return True

    @work(exclusive=True, group="completion")
    async def _offer_names(self, word: Word, names: Names) -> None:
        found = await asyncio.to_thread(names)
        if self.completions.word == word:
            offers, selected = named_offers(word.text, found)
            rows = self.place_menu()
            self.completions.show(word, offers, selected=selected, rows=rows)

    def _names_behind(self, command: str) -> Names | None:
        match command:
            case "/theme":
                themes = sorted(self.app.available_themes)
                return lambda: themes
            case "/persona":
                file = self.personas_file
                return lambda: (*read_personas(file).known, "off", "edit")
            case "/device":
                return self._device_names
            case "/server":
                return lambda: (*self.server_names(), "off")
            case _:
                return None

    def _device_names(self) -> Sequence[str]:
        if not self._devices:
            gpus = [f"cuda:{gpu.index}" for gpu in read_machine().gpus]
            self._devices = ("auto", *gpus, "cpu")
        return self._devices
