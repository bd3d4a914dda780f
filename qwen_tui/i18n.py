"""Translation catalogue: English is the key, locale/<language>/*.json the rest.

    _("Saved to {path}").format(path=path)
    ngettext("{n} token", "{n} tokens", n).format(n=n)
    N_("Send")          # only marks; translate later with _(variable)

The language is the one piece of state a whole process shares, as in gettext:
every line a person reads would otherwise carry it as an argument.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

LANGUAGES = ("en", "zh")
_LOCALE_FOLDERS = {"zh": "zh_CN"}


class _Catalogue:
    """The active language and its texts."""

    def __init__(self) -> None:
        self.language = "en"
        self.texts: Mapping[str, str] = {}


_active = _Catalogue()


def set_language(language: str) -> None:
    """Make `language` ("en" or "zh") the one that `_` answers in."""
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r}")
    _active.texts = load_catalogue(language)
    _active.language = language


def language() -> str:
    """Return the active language, "en" or "zh"."""
    return _active.language


def load_catalogue(language: str) -> dict[str, str]:
    """Read every catalogue file of a language; English needs none."""
    folder_name = _LOCALE_FOLDERS.get(language)
    if folder_name is None:
        return {}
    texts: dict[str, str] = {}
    folder = Path(__file__).parent / "locale" / folder_name
    for file in sorted(folder.glob("*.json")):
        texts.update(json.loads(file.read_text(encoding="utf-8")))
    return texts


def detect_language(environ: Mapping[str, str] | None = None) -> str:
    """Choose a language from the environment, as gettext orders it."""
    env = os.environ if environ is None else environ
    for name in ("QWEN_TUI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = env.get(name, "")
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def _(text: str) -> str:
    """Translate one text."""
    return _active.texts.get(text, text)


def ngettext(singular: str, plural: str, n: int) -> str:
    """Translate a text that depends on a count; Chinese has one form."""
    translated = _active.texts.get(singular)
    if translated is not None:
        return translated
    return singular if n == 1 else plural


def N_(text: str) -> str:
    """Mark a text for the catalogue without translating it yet."""
    return text
