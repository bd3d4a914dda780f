"""Keys that arrive in one piece end as if somebody had typed them slowly."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Button, Input

from qwen_tui.i18n import language, set_language
from qwen_tui.ui.app import QwenTuiApp
from qwen_tui.ui.key_order import KeyOrderApp
from qwen_tui.ui.screens.edit_rows import EditRowsScreen
from qwen_tui.ui.widgets.line_input import LineInput
from tests.helpers import until
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.test_sidebar import save_chat

SIZES = ((120, 36), (80, 24), (40, 12))


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    before = language()
    set_language("en")
    yield
    set_language(before)


def press_at_once(app: KeyOrderApp, *keys: str) -> None:
    """Let keys arrive together, before any of them is handled."""
    for key in keys:
        character = {"slash": "/"}.get(key, key if len(key) == 1 else None)
        app.post_message(events.Key(key, character))


def written(app: QwenTuiApp, selector: str) -> str:
    return app.screen.query_one(selector, LineInput).value


@pytest.mark.parametrize("size", SIZES)
async def test_letters_behind_the_slash_reach_the_filter_of_the_list(
    make_app: MakeApp, tmp_path: Path, size: tuple[int, int]
) -> None:
    save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    save_chat(tmp_path / "data", "About dogs", "Do dogs purr?", "No.")
    app = make_app()
    async with app.run_test(size=size) as pilot:
        person = Person(app, pilot)
        await person.ready()
        if not app.chat.sidebar.display:
            await pilot.press("f2")
        app.chat.set_focus(app.chat.sidebar.rows)
        await person.shown("About dogs")
        press_at_once(app, "slash", *"dogs")
        await person.gone("About cats")
        assert written(app, "#sidebar-filter") == "dogs"
        await person.shown("About dogs")


async def test_letters_behind_the_key_that_opens_the_list_are_its_own(
    make_app: MakeApp, tmp_path: Path
) -> None:
    save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        press_at_once(app, "f2", "slash", *"cats")
        await until(
            lambda: written(app, "#sidebar-filter") == "cats", pause=pilot.pause
        )
        assert not app.chat.composer.text


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("opening", "row"), [("f6", "temperature"), ("f10", "model.default")]
)
async def test_letters_behind_enter_are_written_on_the_line_it_opens(
    make_app: MakeApp, size: tuple[int, int], opening: str, row: str
) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press(opening)
        await until(lambda: bool(_rows(app)), pause=pilot.pause)
        screen = app.screen
        assert isinstance(screen, EditRowsScreen)
        screen.rows_list.highlighted = _rows(app).index(row)
        await pilot.pause()
        before = next(r.written for r in screen.rows if r.key == row)
        press_at_once(app, "enter", *"12x", "backspace")
        await until(
            lambda: written(app, "#edit-ask-input") == before + "12", pause=pilot.pause
        )


def _rows(app: QwenTuiApp) -> Sequence[str]:
    screen = app.screen
    return [r.key for r in screen.rows] if isinstance(screen, EditRowsScreen) else ()


async def test_words_behind_the_key_that_opens_the_search_are_searched(
    make_app: MakeApp, tmp_path: Path
) -> None:
    save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        press_at_once(app, "ctrl+f", *"purr")
        await person.shown("1 found")
        assert written(app, "#search-input") == "purr"
        assert not app.chat.composer.text


async def test_letters_behind_the_slash_filter_the_models(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("ctrl+o")
        await person.shown("Filter")
        press_at_once(app, "slash", *"8b", "enter")
        await until(lambda: written(app, "#filter-input") == "8b", pause=pilot.pause)


class SlowApp(KeyOrderApp):
    """A screen whose key takes longer than anybody would wait."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    def on_mount(self) -> None:
        self.push_screen(SlowScreen(self.go_on))


class SlowScreen(Screen[None]):
    """Waits at "w"; its input can be typed in meanwhile."""

    def __init__(self, go_on: asyncio.Event) -> None:
        super().__init__()
        self._go_on = go_on

    def compose(self) -> ComposeResult:
        yield Button("b")
        yield Input()

    async def key_w(self) -> None:
        self.query_one(Input).focus()
        await self._go_on.wait()


async def test_a_slow_handler_holds_later_keys_up_for_a_moment_only() -> None:
    app = SlowApp()
    async with app.run_test() as pilot:
        await until(lambda: isinstance(app.focused, Button), pause=pilot.pause)
        press_at_once(app, "w", *"abc")
        value = app.screen.query_one(Input)
        await until(lambda: value.value == "abc")
        app.go_on.set()


async def test_a_paste_into_a_line_of_textuals_own_shows_nothing_raw(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("ctrl+p")
        await person.shown("Search the commands")
        line = app.screen.query_one(Input)
        app.post_message(events.Paste("\x1b[31mco\u202elo\u200burs\x9b2J\n"))
        await until(lambda: "co" in line.value, pause=pilot.pause)
        assert line.value == "\u241b[31mco\ufffdlours\ufffd2J"
