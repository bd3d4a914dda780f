"""Every screen speaks another language at once: as if it were opened in that one."""

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from qwen_tui.i18n import _, language, set_language
from qwen_tui.settings import SavedServer
from qwen_tui.ui.language import speak
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.screens.chat import ChatScreen
from qwen_tui.ui.screens.edit_rows import EditRowsScreen
from qwen_tui.ui.screens.first_run import FirstRunScreen
from tests.helpers import until
from tests.scripted import ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.model_hosts import HostApp, desk_for, settings_for, write_cached_model
from tests.ui.test_sidebar import save_chat

SIZES = ((120, 36), (40, 12))

_NUMBER = re.compile(r"[\d.]+")

Open = Callable[[Person], Awaitable[None]]


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    before = language()
    set_language("en")
    yield
    set_language(before)


def pressing(*keys: str) -> Open:
    """Return what opens something by these keys."""

    async def opens(person: Person) -> None:
        await person.pilot.press(*keys)
        await settled(person)

    return opens


def typing(command: str) -> Open:
    """Return what opens something by a command."""

    async def opens(person: Person) -> None:
        await person.types(command)
        await settled(person)

    return opens


async def settled(person: Person) -> None:
    """Wait until the screen is drawn, and nothing on it changes any more."""
    seen = ["", person.screen_text()]

    def is_still() -> bool:
        seen.append(person.screen_text())
        screen = person.app.screen
        is_filled = not isinstance(screen, EditRowsScreen) or bool(screen.rows)
        is_asking = _("asking the server") in seen[-1]
        return is_filled and not is_asking and len(set(seen[-4:])) == 1

    await until(is_still, pause=lambda: person.pilot.pause(0.01))


def told(person: Person) -> str:
    """Return the screen without what was told last in the chat, and without numbers.

    Free memory and ages change while one looks.
    """
    lines = person.screen_text().splitlines()
    if isinstance(person.app.screen, ChatScreen):
        place = person.app.chat.status.region
        lines[place.y : place.bottom] = [""] * place.height
    return "\n".join(_NUMBER.sub("0", line).rstrip() for line in lines)


OPENINGS: Sequence[tuple[str, Open]] = (
    ("help", pressing("f1")),
    ("settings", pressing("f10")),
    ("a setting being written", pressing("f10", "enter")),
    ("options", pressing("f6")),
    ("search", typing("/search purr")),
    ("search that waits", pressing("ctrl+f")),
    ("about an answer", typing("/info")),
    ("the context", typing("/context")),
    ("servers", typing("/server")),
    ("a title being written", typing("/rename")),
    ("models", pressing("ctrl+o")),
    ("help of the models", pressing("ctrl+o", "f1")),
    ("another folder", pressing("ctrl+o", "h")),
    ("what to search for", pressing("ctrl+o", "g")),
    ("what to download", pressing("ctrl+o", "d")),
    ("revisions", pressing("ctrl+o", "r")),
    ("sources", pressing("ctrl+o", "b")),
    ("a model inspected", pressing("ctrl+o", "i")),
    ("the bare view", pressing("f9")),
    ("an edited message", pressing("tab", "k", "e")),
)


async def close_all(person: Person) -> None:
    while person.app.screen is not person.app.chat:
        await person.pilot.press("escape")
    await person.pilot.press("escape")
    if person.app.has_class("-bare"):
        await person.pilot.press("f9")
    person.app.chat.composer.drop_text()
    await settled(person)


@pytest.mark.parametrize("size", SIZES)
async def test_every_screen_changes_at_once_and_back(
    make_app: MakeApp, tmp_path: Path, size: tuple[int, int]
) -> None:
    save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    write_cached_model(settings_for(tmp_path), "Own/Good")
    app = make_app(
        ScriptedBackend(says("Paris.", thinking="A city.")),
        servers=[SavedServer("box", "http://127.0.0.1:9/v1")],
    )
    wrong: list[str] = []
    async with app.run_test(size=size) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("Capital of France?")
        for name, opens in OPENINGS:
            await opens(person)
            english = told(person)
            speak("zh", app.screen_stack)
            await settled(person)
            chinese = told(person)
            speak("en", app.screen_stack)
            await settled(person)
            if told(person) != english:
                wrong.append(f"{name}, back\n{english}\n--\n{told(person)}")
            await close_all(person)
            speak("zh", app.screen_stack)
            await opens(person)
            if told(person) != chinese:
                wrong.append(f"{name}\n{chinese}\n--\n{told(person)}")
            await close_all(person)
            speak("en", app.screen_stack)
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("asking", [False, True])
async def test_the_first_screen_changes_at_once(
    tmp_path: Path, size: tuple[int, int], asking: bool
) -> None:
    desk = desk_for(tmp_path)

    async def shown(*, switch: bool) -> str:
        app = HostApp(desk, FirstRunScreen(desk))
        async with app.run_test(size=size) as pilot:
            person = _Looker(app, pilot)
            await settled(person)
            if asking:
                await pilot.press("up", "enter")
            if switch:
                speak("zh", app.screen_stack)
            await settled(person)
            return told(person)

    def renewed() -> ModelDesk:
        return desk_for(tmp_path)

    switched = await shown(switch=True)
    desk = renewed()
    assert language() == "zh"
    assert await shown(switch=False) == switched
    assert "Esc" in switched


async def test_the_palette_of_another_screen_switches_the_language(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("ctrl+o")
        await person.shown("Filter:")
        await pilot.press("ctrl+p")
        await person.shown("speak the other language")
        await pilot.press(*"speak")
        await person.gone("change the colours")
        await pilot.press("enter")
        await person.shown("筛选")
        await person.gone("Filter")


class _Looker(Person):
    """Looks at an app of one screen."""

    def __init__(self, app: HostApp, pilot: object) -> None:
        super().__init__(app, pilot)  # pyright: ignore[reportArgumentType]
