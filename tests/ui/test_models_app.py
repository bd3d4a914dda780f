"""Downloads and the rest of the program: header, quitting, restarts, HF_HOME."""

from pathlib import Path

import pytest

from qwen_tui.ui.app import QwenTuiApp
from qwen_tui.ui.screens.models import ModelsScreen
from qwen_tui.ui.widgets.line_input import LineInput
from qwen_tui.ui.widgets.model_table import ModelTable
from qwen_tui.wire import DownloadDone
from tests.helpers import until
from tests.scripted import Hang, ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.model_hosts import (
    half_way,
    settings_for,
    write_cached_model,
)

SIZE = (120, 36)
REPO = "Own/New"


async def open_models(app: QwenTuiApp, person: Person) -> None:
    await person.pilot.press("ctrl+o")
    await until(lambda: isinstance(app.screen, ModelsScreen), pause=person.pilot.pause)
    await person.shown("Qwen3-0.6B ")


async def begin_download(app: QwenTuiApp, person: Person) -> None:
    """Start a download on the models screen and wait for its half."""
    await open_models(app, person)
    await person.pilot.press("home", "d", *REPO, "enter")
    await person.shown("Enter downloads it into the cache")
    await person.pilot.press("enter")
    await person.shown("fetching 50%")


async def back_to_chat(app: QwenTuiApp, person: Person) -> None:
    await person.pilot.press("escape")
    await until(lambda: app.screen is app.chat, pause=person.pilot.pause)


async def test_the_chat_tells_how_far_a_download_is_and_when_it_is_done(
    make_app: MakeApp, tmp_path: Path
) -> None:
    downloads = half_way()
    snapshot = write_cached_model(settings_for(tmp_path), REPO)
    downloads.events = (*downloads.events, DownloadDone(1, str(snapshot)))
    app = make_app(ScriptedBackend(says("hi")), ScriptedBackend(), downloads=downloads)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await begin_download(app, person)
        await back_to_chat(app, person)
        await person.shown("downloading 50%")
        await person.asks("hello")
        downloads.go_on.set()
        await person.sees(f"{REPO} is here: Ctrl+O, then Enter loads it.")
        await person.gone("downloading")
        await open_models(app, person)
        await until(
            lambda: app.screen.query_one(ModelTable).key == REPO, pause=pilot.pause
        )
        await pilot.press("enter")
        await until(
            lambda: app.desk.source is not None and app.desk.source.name == REPO,
            pause=pilot.pause,
        )


@pytest.mark.parametrize("place", ["chat", "models"])
async def test_quitting_while_downloading_asks_and_then_pauses(
    make_app: MakeApp, place: str
) -> None:
    downloads = half_way()
    app = make_app(downloads=downloads)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await begin_download(app, person)
        if place == "chat":
            await back_to_chat(app, person)
        await pilot.press("ctrl+q")
        await person.shown("A download is running; it is paused")
        await pilot.press("n")
        await person.gone("A download is running")
        assert downloads.paused == 0
        await pilot.press("ctrl+q")
        await person.shown("A download is running; it is paused")
        await pilot.press("y")
        await until(lambda: app.return_value == 0, pause=pilot.pause)
    assert downloads.paused == 1


async def test_a_paused_download_does_not_hold_up_quitting(make_app: MakeApp) -> None:
    app = make_app(downloads=half_way())
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await begin_download(app, person)
        await pilot.press("p")
        await person.shown("paused 50%")
        await pilot.press("ctrl+q")
        await until(lambda: app.return_value == 0, pause=pilot.pause)


async def test_a_download_that_was_running_is_paused_after_a_restart_and_goes_on(
    make_app: MakeApp,
) -> None:
    app = make_app(downloads=half_way())
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await begin_download(app, person)
        await pilot.press("ctrl+q")
        await person.shown("A download is running")
        await pilot.press("y")
        await until(lambda: app.return_value == 0, pause=pilot.pause)
    downloads = half_way()
    again = make_app(downloads=downloads)
    async with again.run_test(size=SIZE) as pilot:
        person = Person(again, pilot)
        await person.ready()
        await person.shown("paused download")
        assert downloads.requests == []
        await open_models(again, person)
        await person.shown("paused 50%")
        await pilot.press("p")
        await until(lambda: bool(downloads.requests), pause=pilot.pause)
        await person.shown("fetching 50%")
        await pilot.press("p")
        await person.shown("paused 50%")
    assert downloads.requests[0].repo == REPO


async def test_a_model_that_is_loading_counts_as_in_use(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend(loaded=None, load_script=[Hang()]))
    async with app.run_test(size=SIZE) as pilot:
        await until(lambda: app.chat.turns.loading, pause=pilot.pause)
        assert app.desk.source is not None
        assert [str(p) for p in app.desk.models.in_use()] == [app.desk.source.path]


async def test_the_next_model_is_looked_for_in_the_new_hf_home(
    make_app: MakeApp, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    settings = settings_for(tmp_path, **{"downloads.hf_home": str(other)})
    write_cached_model(settings, "Own/There")
    app = make_app(ScriptedBackend(), ScriptedBackend())
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await open_models(app, person)
        await pilot.press("h")
        app.screen.query_one("#models-ask-input", LineInput).value = str(other)
        await pilot.press("enter")
        await person.shown("Own/There ")
        await back_to_chat(app, person)
        assert [source.name for source in await app.desk.models_on_disk()] == [
            "Own/There"
        ]
        assert app.desk.models.environ["HF_HOME"] == str(other)
