"""Loading a model: progress, prompts that wait for it, failures, the header."""

from qwen_tui.chat.events import Failed, Loaded, LoadProgress
from tests.helpers import until
from tests.scripted import LOADED, Gate, Hang, ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (100, 30)


async def test_a_message_sent_while_the_model_loads_waits_for_it(
    make_app: MakeApp,
) -> None:
    gate = Gate()
    load = (LoadProgress("weights", 0.43), gate, LOADED)
    app = make_app(ScriptedBackend(says("here"), loaded=None, load_script=load))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.sees("Loading the model 43%")
        await person.types("early question")
        await until(lambda: app.chat.turns.answering, pause=pilot.pause)
        assert person.branch == []
        app.save_now()
        assert person.saved().branch()[-1].content == "early question"


async def test_a_waiting_message_is_answered_when_the_model_is_there(
    make_app: MakeApp,
) -> None:
    gate = Gate()
    load = (LoadProgress("weights", 0.43), gate, LOADED)
    backend = ScriptedBackend(says("here"), loaded=None, load_script=load)
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.sees("Loading the model 43%")
        await person.types("early question")
        await until(lambda: app.chat.turns.answering, pause=pilot.pause)
        assert backend.requests == []
        gate.open()
        await person.shown("here")


async def test_what_is_written_while_the_model_loads_lets_it_read_ahead_then(
    make_app: MakeApp,
) -> None:
    first = make_app(ScriptedBackend(says("Hello Ada.")))
    async with first.run_test(size=SIZE) as pilot:
        person = Person(first, pilot)
        await person.ready()
        await person.asks("My name is Ada.")
        chat_id = person.saved().id
    gate = Gate()
    load = (LoadProgress("weights", 0.43), gate, LOADED)
    backend = ScriptedBackend(loaded=None, load_script=load)
    again = make_app(backend, chat=chat_id)
    async with again.run_test(size=SIZE) as pilot:
        await Person(again, pilot).sees("Loading the model 43%")
        await pilot.press(*"What is")
        gate.open()
        await until(lambda: len(backend.warmed) == 1, pause=pilot.pause)
        assert backend.loaded is not None


async def test_escape_takes_a_waiting_message_back_and_then_stops_the_load(
    make_app: MakeApp,
) -> None:
    load = (LoadProgress("weights", 0.43), Hang(), LOADED)
    app = make_app(ScriptedBackend(loaded=None, load_script=load))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.sees("Loading the model 43%")
        await person.types("early question")
        await until(lambda: app.chat.turns.answering, pause=pilot.pause)
        await pilot.press("escape")
        await person.idle()
        assert app.chat.composer.prompt == "early question"
        assert app.chat.turns.loading
        await pilot.press("escape")
        await person.sees("Loading stopped")


async def test_a_failed_load_is_told_with_the_way_out_and_tried_again(
    make_app: MakeApp,
) -> None:
    failed = Failed("out_of_memory", "The model needs 16 GB.", "Take a smaller one.")
    backend = ScriptedBackend(loaded=None, load_script=(failed,))
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.sees("The model needs 16 GB. Take a smaller one. Ctrl+R")
        assert "Ctrl+O" in app.chat.status.text
        backend.load_script = (LOADED,)
        await pilot.press("ctrl+r")
        await person.ready()


async def test_the_header_names_model_device_and_context(make_app: MakeApp) -> None:
    loaded = Loaded("Qwen3-8B", "cuda:0", "bfloat16", 32768, 1)
    backend = ScriptedBackend(says("hi"), loaded=None, load_script=(loaded,))
    app = make_app(backend)
    async with app.run_test(size=(120, 36)) as pilot:
        person = Person(app, pilot)
        await person.shown("Qwen3-8B bf16 cuda:0")
        await person.asks("hello")  # says() counts 10 + 1 + 1 tokens
        await person.shown("ctx 12/32,768 0%   think:on")


async def test_a_model_that_always_thinks_cannot_be_switched(make_app: MakeApp) -> None:
    loaded = Loaded("always", "cpu", "bfloat16", 4096, 1, thinking="always")
    backend = ScriptedBackend(loaded=None, load_script=(loaded,))
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("ctrl+t")
        await person.sees("always thinks")
        assert "think:on" in person.screen_text()


async def test_leaving_while_a_message_waits_for_the_model_saves_it(
    make_app: MakeApp,
) -> None:
    load = (LoadProgress("weights", 0.43), Hang(), LOADED)
    app = make_app(ScriptedBackend(loaded=None, load_script=load))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.sees("Loading the model 43%")
        await person.types("early question")
        await until(lambda: app.chat.turns.answering, pause=pilot.pause)
        await pilot.press("ctrl+q", "y")
        await until(lambda: app.return_value == 0)
    assert app.desk.store is not None
    assert app.desk.session is not None
    again = make_app(chat=app.desk.session.conversation.id)
    async with again.run_test(size=SIZE) as pilot:
        await Person(again, pilot).shown("early question")
