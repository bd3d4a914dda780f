"""The language and the colours change while the program runs, and are kept."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from qwen_tui.i18n import language, set_language
from tests.scripted import ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZES = ((120, 36), (80, 24), (40, 12))


@pytest.fixture(autouse=True)
def the_language_of_before() -> Iterator[None]:
    before = language()
    set_language("en")
    yield
    set_language(before)


def without_status(person: Person) -> str:
    """Return the screen but for the line that tells what was done last."""
    status = person.app.chat.status.region.y
    lines = person.screen_text().split("\n")
    return "\n".join(line.rstrip() for i, line in enumerate(lines) if i != status)


@pytest.mark.parametrize("size", SIZES)
async def test_a_switched_screen_is_the_one_of_that_language(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = make_app(ScriptedBackend(says("Paris.", thinking="A city.")))
    async with app.run_test(size=size) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("Capital of France?")
        await person.types("/lang zh")
        await person.sees("语言：中文")
        await pilot.pause()
        switched = without_status(person)
        chat = person.saved().id
        assert "You" not in switched
        await person.types("/lang")
        await person.sees("Language: English")
    set_language("zh")
    again = make_app(chat=chat)
    async with again.run_test(size=size) as pilot:
        person = Person(again, pilot)
        await person.sees("就绪")
        await person.shown("Paris.")
        assert without_status(person) == switched


async def test_the_empty_chat_is_switched_too(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=SIZES[0]) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("Write a message below")
        await person.types("/lang zh")
        await person.sees("语言：中文")
        await person.gone("Write a message")
        await person.shown("消息")


async def test_language_and_theme_are_kept_in_the_settings_file(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app()
    async with app.run_test(size=SIZES[0]) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/lang zh")
        await person.sees("语言：中文")
        await person.types("/theme qwen-light")
        await person.sees("主题：qwen-light")
        assert app.theme == "qwen-light"
    kept = tomllib.loads((tmp_path / "config.toml").read_text(encoding="utf-8"))
    assert kept["ui"] == {"lang": "zh", "theme": "qwen-light"}


async def test_wrong_names_are_told_and_change_nothing(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app()
    async with app.run_test(size=SIZES[0]) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/lang fr")
        await person.sees("There is no language fr. Languages: en, zh")
        await person.types("/theme qwen-drak")
        await person.sees("did you mean qwen-dark?")
        assert app.theme == "qwen-dark"
    assert not (tmp_path / "config.toml").exists()


async def test_a_variable_that_will_win_again_is_told(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QWEN_TUI_LANG", "en")
    app = make_app()
    async with app.run_test(size=SIZES[0]) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/lang zh")
        await person.sees("下次启动时，仍由 QWEN_TUI_LANG 决定。")


async def test_the_palette_offers_every_command_and_keeps_a_chosen_theme(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test(size=SIZES[0]) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("ctrl+p")
        await person.shown("Search the commands")
        await pilot.press(*"colours")
        await person.shown("change the colours  /theme")
        await pilot.press("enter")
        await person.shown("Search the themes")
        await pilot.press(*"qwen-light")
        await person.shown("qwen-light")
        await pilot.press("enter")
        await person.sees("Theme: qwen-light")
        assert app.theme == "qwen-light"
