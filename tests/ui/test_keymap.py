"""Keys of one's own: what a file may say, what is told, and that the keys work."""

from pathlib import Path

import pytest

from qwen_tui.ui.app import QwenTuiApp
from qwen_tui.ui.keymap import (
    FORBIDDEN,
    effective,
    name_of,
    own_bindings,
    read_keymap,
    shown_key,
)
from qwen_tui.ui.screens.chat import ChatScreen
from qwen_tui.ui.widgets.composer import Composer
from tests.helpers import until
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (120, 36)
ACTIONS = [*own_bindings(QwenTuiApp), *own_bindings(ChatScreen)]


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "data" / "keymap.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def test_no_key_of_the_chat_is_one_that_terminals_keep() -> None:
    bindings = [*ACTIONS, *own_bindings(Composer)]
    assert not [b for b in bindings if b.key in FORBIDDEN]


def test_every_action_of_the_chat_has_a_name_of_its_own() -> None:
    names: dict[str, str] = {}
    for binding in ACTIONS:
        assert names.setdefault(name_of(binding), binding.action) == binding.action
    assert {"new_chat", "next_area", "next_area_back", "ask_quit"} <= set(names)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('new_chta = "ctrl+k"', "there is no action new_chta; did you mean new_chat?"),
        ('new_chat = "crtl+k"', "there is no key crtl+k; did you mean ctrl+k?"),
        ('new_chat = "ctrl+m"', "Ctrl+M cannot be used: terminals take it for Enter"),
        ('new_chat = ["f7", "Ctrl+["]', "Ctrl+[ cannot be used: terminals"),
        ('new_chat = "ctrl+s"', "Ctrl+S cannot be used"),
        ("new_chat = 7.5", "there is no key 7.5"),
        ('new_chat = "ctrl+o"', "Ctrl+O is given to models and to new_chat"),
        ('new_chat = "f7"\nretry = "f7"', "F7 is given to new_chat and to retry"),
        ("new_chat =", "line 1: this is no TOML"),
    ],
)
def test_what_is_wrong_is_told_with_the_file(
    tmp_path: Path, line: str, told: str
) -> None:
    file = write(tmp_path, line + "\n")
    (notice,) = read_keymap(file, ACTIONS).notices
    assert notice.startswith(str(file))
    assert told in notice


def test_keys_are_read_in_the_ways_people_write_them(tmp_path: Path) -> None:
    text = 'new_chat = ["Ctrl+K", "^Y", "[", "PgUp"]\nmodels = "plus"\n'
    keymap = read_keymap(write(tmp_path, text), ACTIONS)
    assert keymap.notices == ()
    assert keymap.keys["new_chat"] == (
        *("ctrl+k", "ctrl+y", "left_square_bracket", "pageup"),
    )
    assert [shown_key(k) for k in keymap.keys["new_chat"]] == [
        *("Ctrl+K", "Ctrl+Y", "[", "PgUp"),
    ]


def test_a_list_of_keys_is_told_with_those_in_force() -> None:
    assert effective("Ctrl+N, [, F2", {"ctrl+n": "F7"}) == "F7, [, F2"


async def test_a_mapped_key_does_it_the_old_one_no_more_and_the_help_knows(
    make_app: MakeApp, tmp_path: Path
) -> None:
    write(tmp_path, 'toggle_thinking = "f7"\nhelp = "f12"\n')
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("F7 thinking")
        await person.shown("think:on")
        await pilot.press("ctrl+t")
        await pilot.press("f7")
        await person.shown("think:off")
        await person.sees("without thinking")
        await pilot.press("f12")
        await person.shown("Keys  Esc closes this.")
        await until(lambda: "F12" in person.screen_text(), pause=pilot.pause)
        assert "Ctrl+T" not in person.screen_text()
        await pilot.press("escape")


async def test_a_wrong_file_is_told_on_the_screen_and_stops_nothing(
    make_app: MakeApp, tmp_path: Path
) -> None:
    write(tmp_path, 'nonsense = "f7"\n')
    app = make_app()
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("nonsense")
