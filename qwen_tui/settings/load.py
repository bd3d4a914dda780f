"""Merge the sources: built-in, the user's file, the environment, the command line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from qwen_tui import paths
from qwen_tui.chat.sampling import Presets, Sampling
from qwen_tui.errors import SettingsError
from qwen_tui.i18n import N_, _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.settings.checks import checked, checked_text
from qwen_tui.settings.file import read_file, split_known
from qwen_tui.settings.known import (
    VARIABLE_PREFIX,
    Known,
    Value,
    nearest,
    read_known,
    variables,
)
from qwen_tui.settings.servers import SERVERS, SavedServer, read_servers
from qwen_tui.settings.values import (
    DEFAULT,
    ContextSettings,
    DownloadSettings,
    GenerationSettings,
    ModelSettings,
    ServerSettings,
    Settings,
    UiSettings,
)

COMMAND_LINE = N_("command line")

_LIBRARY_VARIABLES = {
    "HF_HOME": "downloads.hf_home",
    "HF_ENDPOINT": "downloads.endpoint",
}
_CACHE_VARIABLES = ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")
_OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_LIBRARY_TRUE = ("1", "ON", "YES", "TRUE")  # huggingface_hub 2.4 constants.py


@dataclass(slots=True)
class _Merged:
    """What was read so far; later sources replace earlier ones."""

    known: Mapping[str, Known]
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    origins: dict[str, str] = field(default_factory=dict[str, str])
    notices: list[str] = field(default_factory=list[str])
    servers: tuple[SavedServer, ...] = ()

    def set(self, key: str, value: Value, origin: str) -> None:
        self.values[key] = value
        self.origins[key] = origin


def load_settings(
    *,
    file: Path,
    overrides: Mapping[str, object] | None = None,
    environ: Mapping[str, str],
) -> Settings:
    """Return the settings in force.

    Args:
        file: The user's settings file; it may not exist.
        overrides: Dotted key to value, from the command line; None sets nothing.
        environ: The environment; empty variables set nothing.

    Raises:
        SettingsError: a source holds a wrong type or value, or cannot be read.
    """
    merged = _Merged(read_known())
    for key, known in merged.known.items():
        merged.set(key, known.default, DEFAULT)
    _take_file(merged, file)
    _take_environment(merged, environ)
    _take_overrides(merged, overrides or {})
    return _settings(merged, file, environ)


def _take_file(merged: _Merged, file: Path) -> None:
    tables = read_file(file)
    merged.servers, notices = read_servers(tables, file)
    merged.notices += notices
    rest = {name: table for name, table in tables.items() if name != SERVERS}
    values, notices = split_known(rest, merged.known, file)
    for key, value in values.items():
        merged.set(key, checked(merged.known[key], value, str(file)), str(file))
    merged.notices += notices


def _take_environment(merged: _Merged, environ: Mapping[str, str]) -> None:
    ours = variables(merged.known)
    # The library's names first: ours say what this one program shall do.
    for name, key in {**_LIBRARY_VARIABLES, **ours}.items():
        if text := environ.get(name, ""):
            merged.set(key, checked_text(merged.known[key], text, name), name)
    for name in environ:
        if name.startswith(VARIABLE_PREFIX) and name not in ours:
            merged.notices.append(_unknown_variable(name, ours))


def _unknown_variable(name: str, ours: Mapping[str, str]) -> str:
    real = nearest(name, ours)
    if real:
        text = _("There is no variable {name}; did you mean {nearest}?")
    else:
        text = _("There is no variable {name}.")
    return text.format(name=sanitize_line(name), nearest=real)


def _take_overrides(merged: _Merged, overrides: Mapping[str, object]) -> None:
    for key, value in overrides.items():
        if value is None:
            continue
        known = merged.known.get(key)
        if known is None:
            raise SettingsError(
                _("There is no setting {key}.").format(key=key),
                hint=_("Did you mean {nearest}?").format(
                    nearest=nearest(key, merged.known)
                ),
            )
        merged.set(key, checked(known, value, _(COMMAND_LINE)), COMMAND_LINE)


def _settings(merged: _Merged, file: Path, environ: Mapping[str, str]) -> Settings:
    hf_home = _hf_home(merged, file, environ)
    hf_cache = _hf_cache(merged, hf_home, environ)
    offline = next((name for name in _OFFLINE_VARIABLES if environ.get(name)), "")
    merged.origins["hf_offline"] = offline or DEFAULT
    return Settings(
        model=ModelSettings(**_model(merged, file)),
        sampling=Presets(
            thinking=Sampling(**_section(merged, "sampling.thinking")),
            answer=Sampling(**_section(merged, "sampling.answer")),
        ),
        generation=GenerationSettings(**_generation(merged)),
        context=ContextSettings(**_section(merged, "context")),
        downloads=DownloadSettings(**_downloads(merged)),
        server=ServerSettings(**_section(merged, "server")),
        servers=merged.servers,
        ui=UiSettings(**_section(merged, "ui")),
        hf_home=hf_home,
        hf_cache=hf_cache,
        hf_offline=environ.get(offline, "").upper() in _LIBRARY_TRUE,
        origins=merged.origins,
        notices=tuple(merged.notices),
    )


def _section(merged: _Merged, section: str) -> dict[str, Any]:
    prefix = f"{section}."
    return {
        key.removeprefix(prefix): value
        for key, value in merged.values.items()
        if key.startswith(prefix)
    }


def _model(merged: _Merged, file: Path) -> dict[str, Any]:
    values = _section(merged, "model")
    origin = merged.origins["model.folders"]
    values["trust_remote_code"] = tuple(values["trust_remote_code"])
    values["folders"] = tuple(_absolute(f, origin, file) for f in values["folders"])
    return values


def _generation(merged: _Merged) -> dict[str, Any]:
    values = _section(merged, "generation")
    values["stop"] = tuple(values["stop"])
    return values


def _downloads(merged: _Merged) -> dict[str, Any]:
    values = _section(merged, "downloads")
    values["token_hosts"] = tuple(values["token_hosts"])
    return values


def _hf_home(merged: _Merged, file: Path, environ: Mapping[str, str]) -> Path:
    value = cast(str, merged.values["downloads.hf_home"])
    origin = merged.origins["downloads.hf_home"]
    merged.origins["hf_home"] = origin
    # Without HF_HOME in the environment, `paths` gives the library's own default.
    return _absolute(value, origin, file) if value else paths.hf_home(environ)


def _hf_cache(merged: _Merged, hf_home: Path, environ: Mapping[str, str]) -> Path:
    origin = merged.origins["hf_home"]
    # What was asked of this program beats what was asked of the library.
    asked_of_us = origin == COMMAND_LINE or origin.startswith(VARIABLE_PREFIX)
    for name in _CACHE_VARIABLES:
        if environ.get(name) and not asked_of_us:
            merged.origins["hf_cache"] = name
            return Path(environ[name]).expanduser().absolute()
    merged.origins["hf_cache"] = origin
    return hf_home / "hub"


def _absolute(value: str, origin: str, file: Path) -> Path:
    """Return a path; a relative one counts from the settings file that holds it."""
    path = Path(value).expanduser()
    return file.parent.absolute() / path if origin == str(file) else path.absolute()
