"""Keys of one's own: keymap.toml names actions of the chat and the keys they take.

    new_chat = "ctrl+k"
    fold = ["f3", "ctrl+y"]

The names are those of the actions, as `name_of` makes them; a key that stands there
takes the place of the ones that the action has by itself.
"""

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from textual.app import App
from textual.binding import Binding, BindingsMap, InvalidBinding
from textual.dom import DOMNode
from textual.keys import Keys
from textual.screen import Screen

from qwen_tui.errors import SettingsError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.settings.file import read_file
from qwen_tui.settings.known import nearest

FILE_NAME = "keymap.toml"
FORBIDDEN = {
    "ctrl+m": "Enter",
    "ctrl+i": "Tab",
    "ctrl+h": "Backspace",
    "ctrl+left_square_bracket": "Esc",
    "ctrl+a": "screen, tmux",
    "ctrl+b": "tmux",
    "ctrl+@": "IME",
    "ctrl+space": "IME",
    "ctrl+s": "XOFF",
}
"""Keys that terminals, multiplexers and input methods keep, and for what."""

_MODIFIERS = frozenset({"ctrl", "alt", "shift", "super"})
_KEY_NAMES = frozenset(key.value for key in Keys) | {f"f{n}" for n in range(1, 25)}
_OTHER_NAMES = {"ctrl+[": "ctrl+left_square_bracket", "pgup": "pageup",
                "pgdn": "pagedown", "esc": "escape", "del": "delete"}  # fmt: skip
_SHOWN = {"left_square_bracket": "[", "right_square_bracket": "]", "slash": "/",
          "pageup": "PgUp", "pagedown": "PgDn", "escape": "Esc",
          "delete": "Del"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keymap:
    """What a person mapped, and translated lines about what was wrong."""

    keys: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict[str, tuple[str, ...]]
    )
    """Names of actions to their keys, as Textual spells them."""
    notices: tuple[str, ...] = ()


def read_keymap(file: Path, bindings: Iterable[Binding]) -> Keymap:
    """Return the keymap of `file`, none where it does not exist.

    Args:
        file: keymap.toml.
        bindings: Of all actions that there are.
    """
    try:
        table = read_file(file)
    except SettingsError as error:
        return Keymap(notices=(f"{error.message} {error.hint}".strip(),))
    known: dict[str, set[str]] = {}
    for binding in bindings:
        known.setdefault(name_of(binding), set()).add(binding.key)
    keys: dict[str, tuple[str, ...]] = {}
    notices: list[str] = []
    for name, value in table.items():
        listed = cast(list[object], value) if isinstance(value, list) else [value]
        wrong = "" if name in known else _no_action(name, known)
        spelled = [_spelled(str(key)) for key in listed]
        wrong = wrong or next((text for text in map(_wrong_key, spelled) if text), "")
        if wrong:
            notices.append(f"{file}: {wrong}")
        else:
            keys[name] = tuple(spelled)
    notices += [f"{file}: {text}" for text in _doubles(keys, known)]
    return Keymap(keys, tuple(notices))


def own_bindings(node: DOMNode | type[DOMNode]) -> list[Binding]:
    """Return the bindings that this program's own classes give a node."""
    kind = node if isinstance(node, type) else type(node)
    listed = [
        binding
        for cls in kind.__mro__
        if cls.__module__.startswith("qwen_tui")
        for binding in cast(Sequence[Binding], vars(cls).get("BINDINGS", ()))
    ]
    return list(Binding.make_bindings(listed))


def name_of(binding: Binding) -> str:
    """Return the name an action has in the file: "branch_prev", "next_area_back"."""
    action = re.sub(r"^(app|screen)\.", "", binding.action)
    action = action.replace("(-1)", "_back").replace("(1)", "")
    return re.sub(r"\W+", "_", action).strip("_")


def remap(node: DOMNode, keymap: Keymap) -> None:
    """Give a node's own actions the keys of a keymap; a mapped key comes first."""
    ours = {(b.key, b.action) for b in own_bindings(node)}
    before = cast(BindingsMap, vars(node)["_bindings"])  # 8.2.8 has no public way
    is_around = isinstance(node, App | Screen)
    mapped: dict[str, list[Binding]] = {}
    left: dict[str, list[Binding]] = {}
    for key, binding in before:
        keys = keymap.keys.get(name_of(binding))
        if keys is None or (binding.key, binding.action) not in ours:
            left.setdefault(key, []).append(binding)
            continue
        for new_key in keys:
            # before what the text area does with keys such as F7
            first = binding.priority or (is_around and len(new_key) > 1)
            again = replace(binding, key=new_key, priority=first)
            if again not in mapped.setdefault(new_key, []):
                mapped[new_key].append(again)
    for key, bindings in left.items():
        mapped.setdefault(key, []).extend(bindings)
    vars(node)["_bindings"] = BindingsMap.from_keys(mapped)


def shown_keys(keymap: Keymap, nodes: Iterable[DOMNode]) -> dict[str, str]:
    """Return for every key that an action lost what to show instead: "Ctrl+K"."""
    shown: dict[str, str] = {}
    for node in nodes:
        for binding in own_bindings(node):
            keys = keymap.keys.get(name_of(binding))
            if keys is not None and binding.key not in keys:
                shown.setdefault(binding.key, ", ".join(map(shown_key, keys)))
    return shown


def shown_key(key: str) -> str:
    """Return a key as people write it: "Ctrl+K", "F7", "["."""
    *modifiers, last = key.split("+")
    last = _SHOWN.get(last, last)
    if len(last) > 1 or modifiers:
        last = last[0].upper() + last[1:]
    return "+".join([m.capitalize() for m in modifiers] + [last])


def hint_key(key: str) -> str:
    """Return a key as the bottom line shows it: "^N", "F2"."""
    return re.sub(r"^Ctrl\+(?=.$)", "^", shown_key(key))


def effective(label: str, shown: Mapping[str, str]) -> str:
    """Return a list of keys as it is told, "Ctrl+N, ^T", with the ones in force."""
    return ", ".join(shown.get(_spelled(key), key) for key in label.split(", "))


def _spelled(key: str) -> str:
    """Return a key as Textual spells it, whatever the person's way."""
    key = key.strip()
    if len(key) > 1:
        key = re.sub(r"^(\^|c-)(?=.$)", "ctrl+", key.lower())
        key = _OTHER_NAMES.get(key, key)
    if key == ",":
        return "comma"  # between two keys elsewhere
    try:
        return next(iter(Binding.make_bindings([Binding(key, "x")]))).key
    except InvalidBinding:
        return key


def _wrong_key(key: str) -> str:
    if key in FORBIDDEN:
        text = _("{key} cannot be used: terminals take it for {other}")
        return text.format(key=shown_key(key), other=FORBIDDEN[key])
    *modifiers, last = key.split("+")
    signs = {_spelled(sign) for sign in string.punctuation}
    is_key = {key, last} & (_KEY_NAMES | signs) or len(last) == 1
    if is_key and _MODIFIERS.issuperset(modifiers):
        return ""
    names = dict.fromkeys(sorted(_KEY_NAMES))
    text = _("there is no key {key}; did you mean {nearest}?")
    near = nearest(key, names) or "ctrl+k"
    return text.format(key=sanitize_line(key), nearest=near)


def _no_action(name: str, known: Mapping[str, object]) -> str:
    near = nearest(name, known)
    if not near:
        return _("there is no action {name}").format(name=sanitize_line(name))
    text = _("there is no action {name}; did you mean {nearest}?")
    return text.format(name=sanitize_line(name), nearest=near)


def _doubles(
    keys: Mapping[str, tuple[str, ...]], known: Mapping[str, set[str]]
) -> list[str]:
    """Tell where two actions have one key; letters mean other things elsewhere."""
    taken = {
        key: name
        for name, its in known.items()
        if name not in keys
        for key in its
        if len(key) > 1
    }
    lines: list[str] = []
    for name, its in keys.items():
        for key in its:
            other = taken.setdefault(key, name)
            if other != name:
                text = _("{key} is given to {first} and to {second}")
                lines.append(text.format(key=shown_key(key), first=other, second=name))
    return lines
