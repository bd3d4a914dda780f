"""The library of personas: a system prompt with a name, and how it is asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from qwen_tui import paths
from qwen_tui.chat.choices import check_option, option_names
from qwen_tui.errors import SettingsError, UsageError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.settings.file import read_file
from qwen_tui.settings.known import nearest

FILE_NAME = "personas.toml"
_PROMPT = "system_prompt"


@dataclass(frozen=True, slots=True)
class Persona:
    """Who answers, and how."""

    name: str
    system_prompt: str
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    """Checked values by the names of `choices.option_names`, and "thinking"."""


@dataclass(frozen=True, slots=True)
class Personas:
    """What the file holds, and translated lines about what is wrong in it."""

    known: Mapping[str, Persona]
    notices: tuple[str, ...] = ()

    def find(self, name: str) -> Persona | None:
        """Return a persona whatever the case of its name; None for no such one."""
        folded = name.casefold()
        return next((p for n, p in self.known.items() if n.casefold() == folded), None)

    def nearest(self, name: str) -> str:
        """Return the name most like it; "" for none."""
        return nearest(name, self.known)


def read_personas(file: Path) -> Personas:
    """Return the personas of the user's file, ours where there is none.

    A file that is no TOML gives ours and a line that tells where it is broken; a
    persona with something wrong in it is left out and told.
    """
    source = file if file.exists() else paths.bundled_config() / FILE_NAME
    try:
        tables = read_file(source)
        text = source.read_text(encoding="utf-8-sig")
    except SettingsError as error:
        ours = read_personas(paths.bundled_config() / FILE_NAME)
        return Personas(ours.known, (f"{error.message} {error.hint}".strip(),))
    known: dict[str, Persona] = {}
    notices: list[str] = []
    for name, table in tables.items():
        try:
            known[name] = _persona(name, table)
        except _Wrong as wrong:
            line = _line_of(text, name, wrong.key)
            notices.append(
                _("{file}, line {line}: {reason}").format(
                    file=source, line=line, reason=wrong.reason
                )
            )
    return Personas(known, tuple(notices))


def library_text(file: Path) -> str:
    """Return what the person's own file holds, ours where there is none.

    Raises:
        SettingsError: it cannot be read.
    """
    source = file if file.exists() else paths.bundled_config() / FILE_NAME
    try:
        return source.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise SettingsError(
            _("{file} cannot be read: {reason}.").format(
                file=file, reason=error.strerror
            )
        ) from error


class _Wrong(Exception):
    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key = key
        self.reason = reason


def _persona(name: str, table: object) -> Persona:
    if not isinstance(table, dict):
        raise _Wrong(name, _("a persona is a section: [{name}]").format(name=name))
    values = cast(dict[str, Any], table)
    prompt = values.get(_PROMPT)
    if not isinstance(prompt, str) or not prompt.strip():
        raise _Wrong("", _("{name} has no system_prompt").format(name=name))
    options = {k: _checked(k, v) for k, v in values.items() if k != _PROMPT}
    return Persona(name, prompt.strip(), options)


def _checked(key: str, value: object) -> object:
    names = ("thinking", *option_names())
    if key not in names:
        real = nearest(key, dict.fromkeys((_PROMPT, *names)))
        text = _("there is no option {name}; did you mean {nearest}?")
        raise _Wrong(key, text.format(name=sanitize_line(key), nearest=real or names))
    try:
        return check_option(key, value)
    except UsageError as error:
        raise _Wrong(key, error.message) from error


def _line_of(text: str, section: str, key: str) -> int:
    """Return the line of a key in a section, else that of the section, else 1."""
    head = re.compile(rf"\s*\[\s*[\"']?{re.escape(section)}[\"']?\s*\]")
    here = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
    found = 1
    inside = section == key
    for number, line in enumerate(text.splitlines(), 1):
        if head.match(line):
            found, inside = number, True
        elif line.lstrip().startswith("[") and key != section:
            inside = False
        elif inside and key and here.match(line):
            return number
    return found
