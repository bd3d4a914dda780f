"""Every setting: its value, who set it, its default; changed in place."""

import os
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import N_, _
from qwen_tui.settings import SettingRow, choices_of
from qwen_tui.settings.values import DEFAULT
from qwen_tui.ui.screens.edit_rows import EditRow, EditRowsScreen
from qwen_tui.ui.settings_desk import SettingsDesk
from qwen_tui.ui.widgets.line_text import home_short

_SECTIONS = {
    "model": N_("Model: from its next load on"),
    "sampling.thinking": N_("Sampling while thinking is on"),
    "sampling.answer": N_("Sampling while thinking is off"),
    "generation": N_("Answers"),
    "context": N_("Context"),
    "downloads": N_("Downloads"),
    "server": N_("Servers"),
    "ui": N_("Screen"),
}
_ON_OFF = ("true", "false")
_AT_START = ("downloads.jobs_at_once", "downloads.token_hosts", "ui.slow_link")
"""What is read once; all else holds from the next time it is needed on."""


class SettingsScreen(EditRowsScreen):
    """Rows grouped as in config/settings.toml."""

    def __init__(
        self,
        desk: SettingsDesk,
        themes: Sequence[str],
        apply: Callable[[str], Awaitable[None]],
    ) -> None:
        """Show and change what `desk` holds.

        Args:
            desk: Saves changes, and lets them hold.
            themes: Every theme there is.
            apply: Lets a changed setting be felt, as far as it can be at once.
        """
        super().__init__()
        self._desk = desk
        self._themes = tuple(themes)
        self._apply = apply

    def title_parts(self) -> tuple[str, str]:
        """Name the screen and the file."""
        return _("Settings"), home_short(str(self._desk.file))

    async def read_rows(self) -> Sequence[EditRow]:
        """Return a row for every setting, below its section's heading."""
        rows: list[EditRow] = []
        section = ""
        for setting in await self._desk.rows():
            if setting.default is None:  # found out, and not to be set
                continue
            own, _dot, _name = setting.key.rpartition(".")
            if own != section:
                section = own
                heading = _SECTIONS.get(own, own)
                rows.append(EditRow("", _(heading)))
            rows.append(self._row(setting))
        return rows

    def _row(self, setting: SettingRow) -> EditRow:
        default = _("Default: {value}").format(value=_shown(setting.default))
        return EditRow(
            key=setting.key,
            name=setting.key.rpartition(".")[2],
            value=_shown(setting.value),
            origin=self._origin(setting.origin),
            is_chosen=setting.origin != _(DEFAULT),
            about=_("{key}: {comment}. {default}").format(
                key=_named(setting.key), comment=setting.comment, default=default
            ),
            choices=self._choices(setting),
            written=_written(setting.value),
        )

    def _origin(self, origin: str) -> str:
        return self._desk.file.name if origin == str(self._desk.file) else origin

    def _choices(self, setting: SettingRow) -> tuple[str, ...]:
        if isinstance(setting.default, bool):
            return _ON_OFF
        return self._themes if setting.key == "ui.theme" else choices_of(setting.key)

    async def change(self, row: EditRow, text: str) -> None:
        """Save what was written or chosen, and let it hold."""
        await self._do(row, lambda: self._desk.change_by_text(row.key, text))

    async def take_back(self, row: EditRow) -> None:
        """Take the setting out of the file: its default holds again."""
        await self._do(row, lambda: self._desk.reset(row.key))

    async def _do(self, row: EditRow, change: Callable[[], Awaitable[str]]) -> None:
        try:
            rival = await change()
        except QwenTuiError as error:
            self.tell(f"{error.message} {error.hint}".strip(), "error")
            return
        await self._apply(row.key)
        told = _("Saved: {key}").format(key=_named(row.key))
        if rival:
            told += ". " + _("At the next start {name} decides again.").format(
                name=rival
            )
        self.tell(told, "warning" if rival else "plain")


def _named(key: str) -> str:
    """Return the name of a setting, and when it holds where that is not at once."""
    if key not in _AT_START:
        return key
    return _("{key}, from the next start on").format(key=key)


def _shown(value: object) -> str:
    match value:
        case bool():
            return _("on") if value else _("off")
        case list():
            return ", ".join(map(str, cast(list[object], value))) or _("none")
        case "":
            return _("none")
        case _:
            return str(value)


def _written(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case list():
            return os.pathsep.join(map(str, cast(list[object], value)))
        case _:
            return str(value)
