"""Titles that the model gives while it is idle."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from qwen_tui.ui.screens import chat_titles
from tests.helpers import until
from tests.scripted import LOADED, Gate, Hang, ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (110, 30)
ON = {"ui.titles": True}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let idleness begin at once."""
    monkeypatch.setattr(chat_titles, "_IDLE_S", 0.0)
    return iter(())


async def settled(person: Person) -> None:
    """Wait until nobody is at work on a title."""
    titling = person.app.chat._titling
    assert titling is not None
    await until(lambda: titling.is_finished, pause=person.pilot.pause)


async def test_a_new_chat_gets_a_title_and_the_request_is_small(
    make_app: MakeApp,
) -> None:
    backend = ScriptedBackend(says("They do."), says('"Purring cats."'))
    app = make_app(backend, **ON)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("Do cats purr?")
        await person.shown("> Purring cats")
        assert person.saved().title == "Purring cats"
        assert len(person.branch) == 2
    request = backend.requests[1]
    assert not request.thinking
    assert request.max_new_tokens < 50
    assert request.conversation_id != backend.requests[0].conversation_id


async def test_an_answer_instead_of_a_title_leaves_the_first_words_for_good(
    make_app: MakeApp,
) -> None:
    backend = ScriptedBackend(
        says("Hello Ada."), says("Nice to meet you, Ada!"), says("Yes."), says("Late")
    )
    app = make_app(backend, **ON)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("I am Ada.")
        await until(lambda: len(backend.requests) == 2, pause=pilot.pause)
        await settled(person)
        await person.asks("Sure?")
        await settled(person)
        assert person.saved().title == "I am Ada."
    assert len(backend.requests) == 3  # no title was asked for again


async def test_a_message_does_not_wait_for_a_title(make_app: MakeApp) -> None:
    gate = Gate()
    backend = ScriptedBackend(
        says("They do."), [gate, Hang()], says("Loudly."), says("Cats")
    )
    app = make_app(backend, **ON)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("Do cats purr?")
        await until(lambda: gate.reached, pause=pilot.pause)
        await person.asks("How?")
        assert person.branch[-1].content == "Loudly."
        assert backend.n_closed_early == 1
        await person.shown("> Cats")  # asked for again, later


async def test_a_title_that_a_person_gave_stays(make_app: MakeApp) -> None:
    gate = Gate()
    backend = ScriptedBackend(says("They do."), [gate, *says("Cats")])
    app = make_app(backend, **ON)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("Do cats purr?")
        await until(lambda: gate.reached, pause=pilot.pause)
        assert app.chat.shelf is not None
        await app.chat.shelf.rename(app.chat.current_id, "Mine")
        gate.open()
        await settled(person)
        assert person.saved().title == "Mine"


@pytest.mark.parametrize("why", ["off", "demo"])
async def test_no_title_is_asked_for_where_none_is_wanted(
    make_app: MakeApp, why: str
) -> None:
    loaded = replace(LOADED, model="demo") if why == "demo" else LOADED
    backend = ScriptedBackend(says("They do."), loaded=loaded, load_script=[loaded])
    app = make_app(backend, **{"ui.titles": why != "off"})
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("Do cats purr?")
        if why == "demo":
            await until(lambda: app.chat._titling is not None, pause=pilot.pause)
            await settled(person)
        await person.shown("Do cats purr?")
        assert len(backend.requests) == 1
