"""The settings screen: every setting with its origin, changed at once and for good."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qwen_tui.i18n import language, set_language
from qwen_tui.settings.known import read_known
from qwen_tui.ui.app import QwenTuiApp
from qwen_tui.ui.screens.settings import SettingsScreen
from tests.helpers import until
from tests.scripted import ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (120, 36)


@pytest.fixture(autouse=True)
def the_language_of_before() -> Iterator[None]:
    before = language()
    set_language("en")
    yield
    set_language(before)


def kept(tmp_path: Path) -> dict[str, Any]:
    return tomllib.loads((tmp_path / "config.toml").read_text(encoding="utf-8"))


async def opened(person: Person) -> SettingsScreen:
    await person.ready()
    await person.pilot.press("f10")
    await person.shown("Settings")
    screen = person.app.screen
    assert isinstance(screen, SettingsScreen)
    await until(lambda: bool(screen.rows), pause=person.pilot.pause)
    return screen


def go_to(app: QwenTuiApp, key: str) -> None:
    screen = app.screen
    assert isinstance(screen, SettingsScreen)
    keys = [row.key for row in screen.rows]
    screen.rows_list.highlighted = keys.index(key)


async def test_every_setting_has_a_row_that_tells_who_set_it(
    make_app: MakeApp,
) -> None:
    app = make_app(**{"model.threads": 3})
    async with app.run_test(size=SIZE) as pilot:
        screen = await opened(Person(app, pilot))
        rows = {row.key: row for row in screen.rows if row.key}
    assert set(rows) == set(read_known())
    assert rows["model.threads"].value == "3"
    assert rows["model.threads"].origin == "command line"
    assert rows["model.threads"].is_chosen
    assert "CPU threads" in rows["model.threads"].about
    assert "Default: 0" in rows["model.threads"].about
    assert rows["model.dtype"].origin == "default"


async def test_a_switch_is_turned_saved_and_taken_back(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await opened(person)
        go_to(app, "ui.ascii_borders")
        await pilot.press("enter")
        await person.shown("Saved: ui.ascii_borders")
        assert kept(tmp_path)["ui"] == {"ascii_borders": True}
        assert app.has_class("-ascii")
        await pilot.press("x")
        await until(lambda: not app.has_class("-ascii"), pause=pilot.pause)
        assert kept(tmp_path)["ui"] == {}


async def test_a_written_value_is_checked_saved_and_in_force(
    make_app: MakeApp, tmp_path: Path
) -> None:
    backend = ScriptedBackend(says("one"))
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await opened(person)
        go_to(app, "sampling.thinking.temperature")
        await pilot.press("enter", "x", "enter")
        await person.shown(
            "sampling.thinking.temperature must be a number from 0 to 10"
        )
        assert not (tmp_path / "config.toml").exists()
        await pilot.press(*["backspace"] * 4, *"0.25", "enter")
        await person.shown("Saved: sampling.thinking.temperature")
        await pilot.press("escape")
        await person.asks("hello")
    assert kept(tmp_path)["sampling"] == {"thinking": {"temperature": 0.25}}
    assert backend.requests[0].sampling.temperature == 0.25


async def test_the_language_changes_the_settings_screen_itself(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await opened(person)
        go_to(app, "ui.lang")
        await pilot.press("left")  # auto, en, zh: the one before the first
        await person.shown("已保存：ui.lang")
        await person.shown("设置")
        await person.shown("默认")
        await pilot.press("escape")
        await person.shown("发送")
    assert kept(tmp_path)["ui"] == {"lang": "zh"}


async def test_a_file_that_cannot_be_written_is_told(
    make_app: MakeApp, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").mkdir()
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await opened(person)
        go_to(app, "ui.ascii_borders")
        await pilot.press("enter")
        await person.shown("config.toml cannot be read")
        assert not app.has_class("-ascii")


async def test_what_a_setting_means_is_told_in_full_on_the_smallest_screen(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test(size=(40, 12)) as pilot:
        person = Person(app, pilot)
        await opened(person)
        told = "start with; empty lets you choose. Default: none"
        await until(
            lambda: told in " ".join(person.screen_text().split()), pause=pilot.pause
        )


@pytest.mark.parametrize("size", [(120, 36), (40, 12)])
async def test_what_counts_at_the_next_start_says_so(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        person = Person(app, pilot)
        screen = await opened(person)
        go_to(app, "ui.slow_link")
        told = "ui.slow_link, from the next start on: draw less often"

        def is_told() -> bool:
            return told in " ".join(person.screen_text().split())

        await until(is_told, pause=pilot.pause)
        go_to(app, "ui.titles")
        await until(lambda: not is_told(), pause=pilot.pause)
        go_to(app, "ui.slow_link")
        await pilot.press("enter")
        saved = "Saved: ui.slow_link, from the next start on"
        await until(lambda: screen.status.text == saved, pause=pilot.pause)
        await person.shown("Saved: ui.slow_link")


async def test_thinking_is_open_from_the_next_answer_on(make_app: MakeApp) -> None:
    thinks = says("Paris.", thinking="A city.")
    app = make_app(ScriptedBackend(thinks, thinks))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("Capital of France?")
        await person.shown("[+] Thought")
        await opened_again(person)
        go_to(app, "ui.thinking_open")
        await pilot.press("enter")
        await person.shown("Saved: ui.thinking_open")
        go_to(app, "ui.titles")
        await pilot.press("enter")
        await person.shown("Saved: ui.titles")
        assert app.chat.makes_titles
        await pilot.press("escape")
        await person.asks("And again?")
        await person.shown("[-] Thought")


async def opened_again(person: Person) -> None:
    await person.pilot.press("f10")
    await until(
        lambda: (
            isinstance(person.app.screen, SettingsScreen)
            and bool(person.app.screen.rows)
        ),
        pause=person.pilot.pause,
    )
