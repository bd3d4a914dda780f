"""Change one setting while the program runs: kept in the file, in force at once."""

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any, cast

from qwen_tui.settings.load import load_settings
from qwen_tui.settings.values import Settings
from qwen_tui.settings.write import forget_setting, save_setting


def change_setting(settings: Settings, file: Path, key: str, value: object) -> Settings:
    """Save `key` (dotted) in the user's file and return the settings now in force.

    It holds at once whatever the environment says, for a person asked for it; see
    `rival_of` for who wins again at the next start.

    Raises:
        SettingsError: the value is wrong or cannot be saved; nothing changed then.
    """
    save_setting(file, key, value)
    return _with_fresh(settings, file, key)


def reset_setting(settings: Settings, file: Path, key: str) -> Settings:
    """Take `key` out of the user's file and return the settings now in force.

    Raises:
        SettingsError: the file cannot be read or written; nothing changed then.
    """
    forget_setting(file, key)
    return _with_fresh(settings, file, key)


def rival_of(key: str, file: Path, environ: Mapping[str, str]) -> str:
    """Return the variable that sets `key` at the next start; "" where none does.

    Raises:
        SettingsError: a source cannot be read.
    """
    origin = load_settings(file=file, environ=environ).origins[key]
    return origin if origin in environ else ""


def _with_fresh(settings: Settings, file: Path, key: str) -> Settings:
    """Return `settings` with the value that the file, or the default, gives `key`."""
    fresh = load_settings(file=file, environ={})
    parts = key.split(".")
    value = reduce(getattr, parts, cast(Any, fresh))
    changed = _with(settings, parts, value)
    return replace(changed, origins={**settings.origins, key: fresh.origins[key]})


def _with(record: Any, parts: list[str], value: object) -> Any:  # noqa: ANN401 - any dataclass
    name, *rest = parts
    return replace(
        record, **{name: _with(getattr(record, name), rest, value) if rest else value}
    )
