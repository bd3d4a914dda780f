"""Sending, streaming, stopping, retrying: what a person sees and what is saved."""

import asyncio

from qwen_tui.chat.events import (
    AnswerDelta,
    Failed,
    PrefillProgress,
)
from tests.helpers import until
from tests.scripted import Gate, Hang, ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (100, 30)


async def test_a_message_is_answered_shown_and_saved(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend(says("Paris is the capital.", thinking="France")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("What is the capital of France?")
        await person.shown("Paris is the capital.")
        assert "What is the capital of France?" in person.screen_text()
        saved = person.saved().branch()
    assert [(m.role, m.content, m.state) for m in saved] == [
        ("user", "What is the capital of France?", "complete"),
        ("assistant", "Paris is the capital.", "complete"),
    ]


async def test_the_second_message_carries_the_first_with_it(make_app: MakeApp) -> None:
    backend = ScriptedBackend(says("Hello Ada."), says("Ada."))
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("My name is Ada.")
        await person.asks("What is my name?")
    assert [m.content for m in backend.requests[1].messages] == [
        "My name is Ada.",
        "Hello Ada.",
        "What is my name?",
    ]


async def test_the_first_key_of_a_message_lets_the_model_read_ahead(
    make_app: MakeApp,
) -> None:
    gate = Gate()
    backend = ScriptedBackend(says("Hello Ada."), [AnswerDelta("A"), gate, *says("da")])
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("My name is Ada.")
        assert len(backend.warmed) == 0
        await pilot.press(*"What ")
        await until(lambda: len(backend.warmed) == 1, pause=pilot.pause)
        await person.types("is my name?")
        await until(lambda: gate.reached, pause=pilot.pause)
        await pilot.press(*"And ")  # while it answers
        assert len(backend.warmed) == 1
        gate.open()
        await person.idle()
        await until(lambda: len(backend.warmed) == 2, pause=pilot.pause)
    assert [m.content for m in backend.warmed[0].messages] == [
        "My name is Ada.",
        "Hello Ada.",
    ]
    assert backend.warmed[1].messages[-1].content == "Ada"


async def test_an_answer_is_seen_while_it_streams(make_app: MakeApp) -> None:
    gate = Gate()
    script = [PrefillProgress(9, 9, 0), AnswerDelta("First part"), gate]
    app = make_app(ScriptedBackend([*script, *says(" and the rest")[1:]]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("go")
        await person.shown("First part")
        assert app.chat.turns.answering
        gate.open()
        await person.idle()
        await person.shown("First part and the rest")


async def test_escape_keeps_what_came_and_marks_it_stopped(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend([AnswerDelta("The capital is"), Hang()]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("Capital?")
        await person.shown("The capital is")
        await pilot.press("escape")
        await person.idle()
        await person.shown("Stopped.")
        assert app.is_running
        saved = person.saved().branch()
    assert (saved[-1].content, saved[-1].state) == ("The capital is", "stopped")


async def test_escape_before_anything_came_gives_the_message_back(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend([PrefillProgress(1, 100, 0), Hang()]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("a long question")
        await person.sees("Reading the prompt 1/100")
        app.chat.composer.insert("typed meanwhile")
        await pilot.press("escape")
        await person.idle()
        await until(lambda: bool(app.chat.composer.text), pause=pilot.pause)
        assert app.chat.composer.prompt == "a long question\ntyped meanwhile"
        assert person.branch == []
        await person.sees("Stopped")


async def test_retry_gives_another_answer_beside_the_first(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend(says("first answer"), says("second answer")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hello")
        await pilot.press("ctrl+r")
        await person.shown("second answer")
        await person.idle()
        assert "first answer" not in person.screen_text()
        contents = [m.content for m in person.saved().messages.values()]
    assert contents == ["hello", "first answer", "second answer"]


async def test_a_stopped_retry_shows_the_earlier_answer_again(
    make_app: MakeApp,
) -> None:
    script = [PrefillProgress(1, 9, 0), Hang()]
    app = make_app(ScriptedBackend(says("first answer"), script))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hello")
        await pilot.press("ctrl+r")
        await person.sees("Reading the prompt 1/9")
        await pilot.press("escape")
        await person.idle()
        await person.shown("first answer")
        assert app.chat.composer.prompt == ""


async def test_a_dead_engine_is_told_keeps_the_part_and_answers_again(
    make_app: MakeApp,
) -> None:
    died = Failed("engine_died", "The engine was killed (signal 9).", "Out of memory?")
    app = make_app(ScriptedBackend([AnswerDelta("half an"), died], says("whole")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("hello")
        await person.sees("The engine was killed (signal 9). Out of memory? Ctrl+R")
        await person.idle()
        await person.shown("half an")
        assert person.saved().branch()[-1].state == "failed"
        await pilot.press("ctrl+r")
        await person.shown("whole")


async def test_typing_goes_on_while_the_model_answers(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend([AnswerDelta("word "), Hang()]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("hello")
        await person.shown("word")
        await pilot.press(*"next")
        assert app.chat.composer.text == "next"
        await pilot.press("escape")
        await person.idle()
        assert app.chat.composer.text == "next"


async def test_thinking_can_be_switched_for_the_next_turn(make_app: MakeApp) -> None:
    backend = ScriptedBackend()
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("ctrl+t")
        await person.shown("think:off")
        await person.asks("one")
        await person.types("/think on")
        await person.asks("two")
    assert [request.thinking for request in backend.requests] == [False, True]


async def test_leaving_in_mid_answer_asks_and_keeps_the_part(make_app: MakeApp) -> None:
    backend = ScriptedBackend([AnswerDelta("half"), Hang()])
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("hello")
        await person.shown("half")
        await pilot.press("ctrl+q")
        await person.shown("Quit?")
        await pilot.press("n")
        await person.gone("Quit?")
        assert app.chat.composer.has_focus
        await pilot.press("ctrl+q", "y")
        async with asyncio.timeout(60):
            await until(lambda: app.return_value == 0)
    assert backend.closed
    again = make_app(chat=app.desk.session.conversation.id if app.desk.session else "")
    async with again.run_test(size=SIZE) as pilot:
        person = Person(again, pilot)
        await person.shown("half")
        await person.shown("Stopped.")


async def test_control_c_stops_first_and_quits_on_the_second_when_idle(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend([AnswerDelta("half"), Hang()]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("hello")
        await person.shown("half")
        await pilot.press("ctrl+c")
        await person.idle()
        assert app.is_running
        await pilot.press("ctrl+c")
        await person.sees("Press Ctrl+C again")
        await pilot.press("ctrl+c")
        await until(lambda: app.return_value == 0)


async def test_continue_goes_on_inside_the_cut_answer(make_app: MakeApp) -> None:
    cut = [AnswerDelta("1, 2,"), Hang()]
    app = make_app(ScriptedBackend(cut, says(" 3, 4.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("count")
        await person.shown("1, 2,")
        await pilot.press("escape")
        await person.idle()
        await person.types("/continue")
        await until(lambda: person.branch[-1].content == "1, 2, 3, 4.")
        await person.idle()
        await person.shown("1, 2, 3, 4.")
        await person.types("/continue")
        await person.sees("nothing is cut")
        saved = person.saved().branch()
    assert [m.content for m in saved] == ["count", "1, 2, 3, 4."]
    assert saved[-1].state == "complete"


async def test_what_is_sent_before_a_model_is_known_is_answered(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("Hello.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        chat = app.chat
        await person.ready()
        assert chat.turns.session is not None
        backend, chat.turns.session.backend = chat.turns.session.backend, None
        chat.turns.starting = True
        await person.types("early")
        await person.types("too early")
        assert chat.composer.text == "too early"
        chat.turns.session.backend = backend
        chat.end_start()
        await until(lambda: len(person.branch) == 2, pause=pilot.pause)
        await person.idle()
        assert [m.content for m in person.branch] == ["early", "Hello."]


async def test_the_quit_question_goes_away_when_the_answer_is_finished(
    make_app: MakeApp,
) -> None:
    gate = Gate()
    app = make_app(ScriptedBackend([AnswerDelta("so far"), gate, *says(" done")[1:]]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("go")
        await person.shown("so far")
        await pilot.press("ctrl+q")
        await person.shown("An answer is being written")
        gate.open()
        await person.idle()
        await person.gone("An answer is being written")
        await person.sees("The answer is finished. Ctrl+Q quits.")
        await until(lambda: app.focused is app.chat.composer, pause=pilot.pause)
