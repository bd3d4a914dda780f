"""Read the user's settings file."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from qwen_tui.errors import SettingsError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.settings.known import Known, nearest

_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def read_file(file: Path) -> dict[str, Any]:
    """Return the tables of `file`; none where it does not exist.

    Raises:
        SettingsError: it cannot be read or is no TOML; the line is told.
    """
    try:
        # A byte order mark is what some editors put first.
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise SettingsError(
            _("{file} is not UTF-8 text.").format(file=file),
            hint=_("Save it as UTF-8, or move it away."),
        ) from error
    except OSError as error:
        raise SettingsError(
            _("{file} cannot be read: {reason}.").format(
                file=file, reason=error.strerror
            ),
            hint=_("Check who owns it, or name another with --config."),
        ) from error
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _broken(file, text, error) from error


def split_known(
    tables: Mapping[str, Any], known: Mapping[str, Known], file: Path
) -> tuple[dict[str, Any], list[str]]:
    """Return the values of real settings by dotted key, and lines about the rest.

    Raises:
        SettingsError: a plain value stands where a section belongs.
    """
    sections = _sections(known)
    values: dict[str, Any] = {}
    notices: list[str] = []

    def walk(table: Mapping[str, Any], prefix: str) -> None:
        for name, value in table.items():
            key = prefix + name
            if key in known:
                values[key] = value
            elif key in sections and isinstance(value, dict):
                walk(cast(dict[str, Any], value), f"{key}.")
            elif key in sections:
                raise _no_section(file, key, sections[key])
            else:
                notices.append(_unknown(file, key, {**known, **sections}))

    walk(tables, "")
    return values, notices


def _sections(known: Mapping[str, Known]) -> dict[str, str]:
    """Return each section's dotted name with one of its keys."""
    sections: dict[str, str] = {}
    for key in known:
        section, _dot, name = key.rpartition(".")
        while section:
            sections.setdefault(section, name)
            section, _dot, name = section.rpartition(".")
    return sections


def _broken(file: Path, text: str, error: tomllib.TOMLDecodeError) -> SettingsError:
    place = _PLACE.search(str(error))
    line = len(text.splitlines())
    if place is not None and place.group(1):
        line = int(place.group(1))
    return SettingsError(
        _("{file}, line {line}: this is no TOML: {reason}.").format(
            file=file, line=line, reason=sanitize_line(_PLACE.sub("", str(error)))
        ),
        hint=_('Texts need quotes: device = "cpu". Correct the line, or delete it.'),
    )


def _no_section(file: Path, key: str, inner: str) -> SettingsError:
    return SettingsError(
        _("{file}: {key} is a section and cannot be a value.").format(
            file=file, key=key
        ),
        hint=_("Write [{key}] on one line and {inner} = … below it.").format(
            key=key, inner=inner
        ),
    )


def _unknown(file: Path, key: str, names: Mapping[str, object]) -> str:
    real = nearest(key, names)
    if real:
        text = _("{file}: there is no setting {key}; did you mean {nearest}?")
    else:
        text = _("{file}: there is no setting {key}.")
    return text.format(file=file, key=sanitize_line(key), nearest=real)
