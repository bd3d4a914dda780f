"""How the app begins: which model, which conversation, and what when one is missing."""

import subprocess
import sys
from pathlib import Path

from qwen_tui.chat.backend import ModelSource
from qwen_tui.ui.screens.first_run import FirstRunScreen
from qwen_tui.ui.screens.models import ModelsScreen
from tests.helpers import until
from tests.scripted import LOADED, Hang, ScriptedBackend, says
from tests.store.chats import old_file
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.model_hosts import write_model

SIZE = (100, 30)
CHOSEN = ModelSource(name="chosen", path="/nowhere", kind="folder")


async def test_a_machine_without_models_gets_the_first_run_screen(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("hi")), model_name="")
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await until(lambda: isinstance(app.screen, FirstRunScreen), pause=pilot.pause)
        app.screen.dismiss(CHOSEN)
        await person.ready()
        await person.asks("hello")


async def test_leaving_the_first_run_screen_leaves_a_chat_that_says_what_to_do(
    make_app: MakeApp,
) -> None:
    app = make_app(model_name="")
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await until(lambda: isinstance(app.screen, FirstRunScreen), pause=pilot.pause)
        app.screen.dismiss(None)
        await person.sees("press Ctrl+O")
        await person.types("hello?")
        await person.sees("No model is chosen")
        assert app.chat.composer.text == "hello?"


async def test_the_only_model_on_the_machine_is_taken(
    make_app: MakeApp, tmp_path: Path
) -> None:
    write_model(tmp_path / "models" / "only")
    app = make_app(model_name="", **{"model.folders": (str(tmp_path / "models"),)})
    async with app.run_test(size=SIZE) as pilot:
        await Person(app, pilot).ready()
        assert app.desk.backend is not None
        assert getattr(app.desk.backend, "source").name == "only"  # noqa: B009


async def test_of_several_models_the_person_chooses(
    make_app: MakeApp, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        write_model(tmp_path / "models" / name)
    app = make_app(model_name="", **{"model.folders": (str(tmp_path / "models"),)})
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await until(lambda: isinstance(app.screen, ModelsScreen), pause=pilot.pause)
        app.screen.dismiss(CHOSEN)
        await person.ready()


async def test_a_model_that_is_not_there_is_told_and_another_can_be_chosen(
    make_app: MakeApp,
) -> None:
    app = make_app(model_name="Qwen/Qwen3-0.6B")
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.sees("Qwen/Qwen3-0.6B is not on this machine")
        await pilot.press("ctrl+o")
        await until(lambda: isinstance(app.screen, ModelsScreen), pause=pilot.pause)
        app.screen.dismiss(CHOSEN)
        await person.ready()


async def test_another_model_takes_over_and_the_first_is_given_back(
    make_app: MakeApp,
) -> None:
    first, second = ScriptedBackend(), ScriptedBackend(says("from the second"))
    app = make_app(first, second)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("one")
        await pilot.press("ctrl+o")
        await until(lambda: isinstance(app.screen, ModelsScreen), pause=pilot.pause)
        app.screen.dismiss(CHOSEN)
        await until(lambda: first.closed, pause=pilot.pause)
        await person.ready()
        await person.asks("two")
        await person.shown("from the second")


async def test_another_model_can_be_chosen_while_one_loads(make_app: MakeApp) -> None:
    first = ScriptedBackend(loaded=None, load_script=(Hang(), LOADED))
    app = make_app(first, ScriptedBackend(says("here")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.sees("Loading the model")
        await pilot.press("ctrl+o")
        await until(lambda: isinstance(app.screen, ModelsScreen), pause=pilot.pause)
        app.screen.dismiss(CHOSEN)
        await person.ready()
        assert first.closed
        await person.asks("hello")
        await person.shown("here")


async def test_a_conversation_that_is_gone_is_told_and_a_new_one_opened(
    make_app: MakeApp,
) -> None:
    app = make_app(chat="0123456789ab")
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await until(lambda: app.desk.session is not None, pause=pilot.pause)
        await person.ready()
        assert person.branch == []


async def test_a_conversations_file_that_cannot_be_opened_is_told(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app()
    (tmp_path / "data" / "conversations.db").mkdir()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.sees("conversations.db")
        await pilot.press("ctrl+n", "ctrl+t", "ctrl+r")
        await person.types("hello")
        assert app.is_running
        assert app.chat.composer.text == "hello"


async def test_save_now_and_kill_children_work_at_any_time(make_app: MakeApp) -> None:
    backend = ScriptedBackend([*says("half")[:-1], Hang()])
    app = make_app(backend)
    app.save_now()
    app.kill_children()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("hello")
        await person.shown("half")
        app.save_now()
        assert person.saved().branch()[-1].content == "half"
        app.kill_children()
        app.kill_children()
        assert backend.closed


def test_the_app_imports_nothing_heavy() -> None:
    heavy = "torch transformers numpy huggingface_hub httpx2 pydantic"
    code = (
        "import sys, qwen_tui.ui.app, qwen_tui.ui.screens.models;"
        f"print([m for m in '{heavy}'.split() if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


async def test_an_old_conversations_file_is_indexed_behind_the_chat(
    make_app: MakeApp, tmp_path: Path
) -> None:
    old_file(tmp_path / "data" / "conversations.db", 30)
    app = make_app(ScriptedBackend(says("hi")))
    async with app.run_test(size=SIZE) as pilot:
        await Person(app, pilot).ready()
        store = app.desk.store
        assert store is not None
        await until(lambda: store.unindexed() == 0, pause=pilot.pause)
