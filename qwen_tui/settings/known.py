"""The settings that exist: their defaults and comments, from config/settings.toml."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from qwen_tui.paths import bundled_config

VARIABLE_PREFIX = "QWEN_TUI_"
_SHORT_VARIABLES = {"QWEN_TUI_LANG": "ui.lang"}

_SECTION_LINE = re.compile(r"\[([\w.]+)\]")
_KEY_LINE = re.compile(r"(\w+) =")

Value = str | int | float | bool | list[str]


@dataclass(frozen=True, slots=True)
class Known:
    """One setting."""

    key: str
    """Dotted: "sampling.thinking.top_p"."""
    default: Value
    comment: str


def read_known() -> dict[str, Known]:
    """Return every setting by its dotted key, in the file's order."""
    text = (bundled_config() / "settings.toml").read_text(encoding="utf-8")
    defaults = flatten(tomllib.loads(text))
    known: dict[str, Known] = {}
    section = comment = ""
    for line in text.splitlines():
        if line.startswith("#"):
            comment = line.removeprefix("#").strip()
        elif found := _SECTION_LINE.match(line):
            section = found.group(1)
        elif found := _KEY_LINE.match(line):
            key = f"{section}.{found.group(1)}"
            known[key] = Known(key, cast(Value, defaults[key]), comment)
    return known


def flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of nested tables by dotted key."""
    leaves: dict[str, Any] = {}
    for name, value in table.items():
        if isinstance(value, dict):
            inner = cast(dict[str, Any], value)
            leaves.update(flatten(inner, f"{prefix}{name}."))
        else:
            leaves[prefix + name] = value
    return leaves


def variables(known: Mapping[str, Known]) -> dict[str, str]:
    """Return variable name to dotted key; of two for one key the later wins."""
    spelled = {VARIABLE_PREFIX + key.replace(".", "_").upper(): key for key in known}
    return {**_SHORT_VARIABLES, **spelled}


def nearest(name: str, names: Mapping[str, object]) -> str:
    """Return the real name that a mistyped one most likely means; "" for none."""
    import difflib

    # The right name in the wrong section, or with none.
    last_parts = {real.rpartition(".")[2]: real for real in reversed([*names])}
    last = name.rpartition(".")[2]
    if last in last_parts:
        return last_parts[last]
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return close[0]
    found = difflib.get_close_matches(last, last_parts, n=1)
    return last_parts[found[0]] if found else ""
