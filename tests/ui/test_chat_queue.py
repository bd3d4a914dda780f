"""A prompt sent while the model answers waits, visibly, and nothing of it is lost."""

from pathlib import Path

from qwen_tui.chat.events import AnswerDelta, Failed
from qwen_tui.store.conversations import Store
from tests.helpers import until
from tests.scripted import Gate, Hang, ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (80, 24)


async def test_a_prompt_sent_in_mid_answer_is_sent_when_that_is_complete(
    make_app: MakeApp,
) -> None:
    gate = Gate()
    backend = ScriptedBackend([AnswerDelta("half"), gate, *says("done")], says("B."))
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("first")
        await person.shown("half")
        await person.types("second")
        await person.types("third")
        await person.shown("Next (Esc takes it back): second")
        assert app.chat.composer.text == ""
        assert len(backend.requests) == 1
        gate.open()
        await until(lambda: len(person.branch) == 4, pause=pilot.pause)
        await person.idle()
        await person.gone("Next (Esc")
        saved = person.saved().branch()
    assert [m.content for m in saved][2:] == ["second\n\nthird", "B."]


async def test_escape_takes_the_prompt_back_before_it_stops_the_answer(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend([AnswerDelta("half"), Hang()]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("first")
        await person.shown("half")
        await person.types("second")
        await person.shown("Next (Esc")
        await pilot.press("escape")
        await person.gone("Next (Esc")
        assert app.chat.composer.text.strip() == "second"
        assert app.chat.turns.answering
        await pilot.press("escape")
        await person.idle()
        assert app.chat.composer.text.strip() == "second"


async def test_after_a_failure_or_a_stop_the_prompt_is_back_in_the_composer(
    make_app: MakeApp,
) -> None:
    gate = Gate()
    fails = [AnswerDelta("half"), gate, Failed("engine_died", "It died.")]
    backend = ScriptedBackend(fails, [AnswerDelta("again"), Hang()])
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("first")
        await person.shown("half")
        await person.types("second")
        gate.open()
        await person.idle()
        await person.gone("Next (Esc")
        assert app.chat.composer.text.strip() == "second"
        app.chat.composer.clear()
        await person.types("third")
        await person.shown("again")
        await person.types("fourth")
        await pilot.press("ctrl+c")
        await person.idle()
        await person.gone("Next (Esc")
        assert app.chat.composer.text.strip() == "fourth"
    assert len(backend.requests) == 2


async def test_leaving_keeps_the_prompt_behind_the_answer(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend([AnswerDelta("half"), Hang()]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("first")
        await person.shown("half")
        await person.types("second")
        await person.shown("Next (Esc")
        await pilot.press("ctrl+q", "y")
        await until(lambda: app.return_value == 0)
    branch = saved_branch(app.desk.options.data_dir)
    assert branch == [
        ("first", "complete"),
        ("half", "stopped"),
        ("second", "complete"),
    ]


async def test_a_signal_saves_the_prompt_behind_the_answer(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend([AnswerDelta("half"), Hang()]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("first")
        await person.shown("half")
        await person.types("second")
        await person.shown("Next (Esc")
        app.save_now()
        branch = saved_branch(app.desk.options.data_dir)
        await pilot.press("escape", "escape")
        await person.idle()
    assert [content for content, _state in branch] == ["first", "half", "second"]
    assert branch[1][1] == "interrupted"


def saved_branch(data_dir: Path) -> list[tuple[str, str]]:
    store = Store(data_dir / "conversations.db")
    try:
        chat = store.latest()
        assert chat is not None
        return [(m.content, m.state) for m in chat.branch()]
    finally:
        store.close()
