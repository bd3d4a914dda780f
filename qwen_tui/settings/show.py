"""The settings in force as rows, for `config show`."""

from dataclasses import dataclass
from functools import reduce
from typing import cast

from qwen_tui.i18n import N_, _
from qwen_tui.settings.known import read_known
from qwen_tui.settings.values import Settings

_FOUND_OUT = {
    "hf_home": N_("the Hugging Face folder in force"),
    "hf_cache": N_("the folder of downloaded models in force"),
    "hf_offline": N_("whether every request to a hub is forbidden"),
}


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting; texts are translated."""

    key: str
    value: object
    """A str, number, bool or list of str."""
    origin: str
    default: object
    """None for what is found out and cannot be set by this name."""
    comment: str


def effective(settings: Settings) -> list[SettingRow]:
    """Return every setting with its value, in the order of config/settings.toml."""
    rows = [
        SettingRow(
            key=key,
            value=_plain(reduce(getattr, key.split("."), settings)),
            origin=_(settings.origins[key]),
            default=known.default,
            comment=_(known.comment),
        )
        for key, known in read_known().items()
    ]
    rows += [
        SettingRow(
            key=name,
            value=_plain(getattr(settings, name)),
            origin=_(settings.origins[name]),
            default=None,
            comment=_(comment),
        )
        for name, comment in _FOUND_OUT.items()
    ]
    return rows


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [str(item) for item in cast(tuple[object, ...], value)]
    return value if isinstance(value, str | int | float) else str(value)
