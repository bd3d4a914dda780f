"""Thinking: live, folded when the answer starts, opened by the person."""

from qwen_tui.chat.events import AnswerDelta, Finished, ThinkingDelta, Usage
from tests.helpers import until
from tests.scripted import Gate, ScriptedBackend, Step, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (100, 30)
USAGE = Usage(
    prompt_tokens=10, thinking_tokens=512, answer_tokens=8, decode_s=9.0, thinking_s=3.2
)


def thoughtful(gate: Gate | None = None) -> list[Step]:
    script: list[Step] = [ThinkingDelta("deep thoughts", tokens=512)]
    if gate is not None:
        script.append(gate)
    return [*script, AnswerDelta("the answer"), Finished("stop", USAGE)]


async def test_thoughts_show_live_and_fold_when_the_answer_starts(
    make_app: MakeApp,
) -> None:
    gate = Gate()
    app = make_app(ScriptedBackend(thoughtful(gate)))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("hm")
        await person.shown("deep thoughts")
        await person.shown("512 tokens (F3)")
        assert "[-] Thinking..." in person.screen_text()
        gate.open()
        await person.idle()
        await person.gone("deep thoughts")
        await person.shown("[+] Thought for 3.2 s, 512 tokens (F3)")


async def test_thoughts_that_the_person_opened_stay_open(make_app: MakeApp) -> None:
    gate = Gate()
    app = make_app(ScriptedBackend(thoughtful(gate)))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("hm")
        await person.shown("deep thoughts")
        await pilot.press("f3", "f3")
        gate.open()
        await person.idle()
        await person.shown("the answer")
        await person.shown("deep thoughts")


async def test_the_key_opens_and_folds_saved_thoughts(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend(thoughtful()))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hm")
        await pilot.press("f3")
        await person.shown("deep thoughts")
        await pilot.press("f3")
        await person.gone("deep thoughts")


async def test_the_setting_leaves_thoughts_open(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend(thoughtful()), **{"ui.thinking_open": True})
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hm")
        await person.shown("the answer")
        await person.shown("deep thoughts")


async def test_thoughts_cut_by_the_limit_are_told_as_such(make_app: MakeApp) -> None:
    cut = [
        ThinkingDelta("unfinished thou"),
        Finished("length", Usage(thinking_tokens=9, decode_s=1.0), thinking_cut=True),
    ]
    app = make_app(ScriptedBackend(cut))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hm")
        await person.shown("Thinking was cut short by the token limit")
        await person.shown("so there is no answer")


async def test_answer_now_reaches_the_engine_only_while_it_thinks(
    make_app: MakeApp,
) -> None:
    gate = Gate()
    backend = ScriptedBackend(thoughtful(gate))
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("f5")
        await person.sees("not thinking")
        await person.types("hm")
        await person.shown("deep thoughts")
        await pilot.press("f5")
        await until(lambda: backend.n_answer_now == 1, pause=pilot.pause)
        gate.open()
        await person.idle()


async def test_an_empty_thought_shows_no_panel(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend(says("plain")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hi")
        await person.shown("plain")
        assert app.chat.transcript.last_answer is not None
        assert app.chat.transcript.last_answer.panel is None


async def test_long_thoughts_are_drawn_whole(make_app: MakeApp) -> None:
    lines = [f"thought {n} " + "x" * 90 for n in range(200)]
    script = [*(ThinkingDelta(line + "\n") for line in lines)]
    app = make_app(
        ScriptedBackend([*script, AnswerDelta("a"), Finished("stop", USAGE)]),
        **{"ui.thinking_open": True},
    )
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hm")
        await pilot.press("shift+tab", "tab", "tab", "home")
        assert app.chat.transcript.last_answer is not None
        panel = app.chat.transcript.last_answer.panel
        assert panel is not None
        await until(lambda: len(panel.view) > 200, pause=pilot.pause)
        assert panel.text == "".join(line + "\n" for line in lines)
