"""Thinking and sampling set by commands, soft switches marked, an answer explained."""

from dataclasses import replace

from qwen_tui.chat.events import (
    AnswerDelta,
    Finished,
    LoadEstimate,
    ThinkingDelta,
    Usage,
)
from qwen_tui.hub.machine import Gpu, Machine
from qwen_tui.ui.screens.chat_options import devices_line
from tests.helpers import until
from tests.scripted import LOADED, Gate, ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (120, 36)


async def test_a_budget_and_numbers_are_set_by_commands(make_app: MakeApp) -> None:
    backend = ScriptedBackend()
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/think 64")
        await person.sees("at most 64 tokens")
        await person.types("/set temperature 0.25")
        await person.sees("temperature is 0.25 from the next message on.")
        await person.types("/set temperature hot")
        await person.sees("temperature must be a number from 0.0 to 100.0, not hot.")
        await person.types("/set")
        await person.sees("temperature 0.25")
        await person.asks("hello")
    request = backend.requests[0]
    assert request.thinking_budget == 64
    assert request.sampling.temperature == 0.25


async def test_a_message_with_a_soft_switch_marks_its_answer(
    make_app: MakeApp,
) -> None:
    gate = Gate()
    backend = ScriptedBackend([gate, *says("four")], says("six"))
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/no_think What is 2 + 2?")
        await until(lambda: gate.reached, pause=pilot.pause)
        gate.open()
        await person.idle()
        await person.shown("thinking off (/no_think)")
        await person.asks("/think And 3 + 3?")
        await person.shown("thinking on (/think)")
    assert [r.thinking for r in backend.requests] == [False, True]
    again = make_app(chat=person.saved().id)
    async with again.run_test(size=SIZE) as pilot:
        await Person(again, pilot).shown("thinking off (/no_think)")


async def test_a_model_that_cannot_switch_says_so(make_app: MakeApp) -> None:
    backend = ScriptedBackend(loaded=None)
    backend.load_script = [replace(LOADED, thinking="always")]
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("ctrl+t")
        await person.sees("This model always thinks.")
        await person.types("/think off")
        await person.sees("This model always thinks.")
        await person.shown("think:on")


async def test_an_answer_that_went_round_says_what_to_do(make_app: MakeApp) -> None:
    ended = Finished("length", Usage(answer_tokens=1, decode_s=1.0), detail="loop")
    app = make_app(ScriptedBackend([AnswerDelta("yes yes yes"), ended], says("more")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hello")
        await person.shown("Stopped here: it was repeating itself.")
        await person.sees("/continue goes on with it. /set presence_penalty 1.5")
        await person.types("/continue")
        await person.shown("yes yes yesmore")


async def test_thinking_cut_by_the_limit_is_told_as_such(make_app: MakeApp) -> None:
    ended = Finished("length", Usage(thinking_tokens=9), thinking_cut=True)
    app = make_app(ScriptedBackend([ThinkingDelta("hm"), ended]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hello")
        await person.shown("The token limit fell inside the thinking")
        await person.shown("Thinking was cut short by the token limit")


async def test_the_last_answer_is_explained_by_a_key_and_by_a_command(
    make_app: MakeApp,
) -> None:
    usage = Usage(
        prompt_tokens=1200,
        cached_tokens=1000,
        thinking_tokens=30,
        answer_tokens=70,
        prefill_s=0.5,
        decode_s=2.0,
        thinking_s=0.6,
        first_token_s=0.52,
    )
    app = make_app(ScriptedBackend(says("Paris.", usage=usage)))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/info")
        await person.sees("There is no answer yet.")
        await person.asks("Capital?")
        await person.shown("50.0 tok/s  100 tokens  first token after 0.52 s")
        await pilot.press("tab", "i")
        for text in (
            *("About this answer", "0123abc", "bfloat16", "sdpa", "torch 2.13.0"),
            *("1,200", "1,000", "400.0 tokens/s", "50.0 tokens/s", "0.52 s"),
            *("seed", "temperature"),
        ):
            await person.shown(text)
        await pilot.press("escape")
        await person.gone("About this answer")
        await pilot.press("shift+tab")
        await person.types("/info")
        await person.shown("About this answer")


def test_devices_are_told_with_what_is_free_and_who_else_is_there() -> None:
    gib = 1024**3
    gpus = (Gpu(0, "H100", 80 * gib, 5 * gib, 3), Gpu(1, "[/x]", gib, gib, 0))
    line = devices_line(Machine(gpus, 16 * gib, 8 * gib))
    assert "cuda:0 H100: 5.0 of 80.0 GiB free (3 other programs)" in line
    assert "cuda:1 [/x]: 1.0 of 1.0 GiB free   cpu: 8.0 of 16.0 GiB free" in line


async def test_a_load_that_is_too_big_for_a_full_context_says_so(
    make_app: MakeApp,
) -> None:
    estimate = LoadEstimate("cpu", 2**30, 2**32, 0, 32768, 2**31, "too_big")
    backend = ScriptedBackend(loaded=None, load_script=[estimate, LOADED])
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.sees("weights 1.0 GiB, KV cache 4.0 GiB at 32,768 tokens")
        await person.sees("With a full context this does not fit")
