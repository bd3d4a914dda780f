"""System prompt, persona and options belong to one conversation and stay with it."""

from pathlib import Path

from qwen_tui.ui.screens.chat_options_panel import OptionsScreen
from tests.helpers import until
from tests.scripted import ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (120, 36)


async def test_options_and_system_prompt_come_back_when_it_is_opened_again(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("one")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/system Answer in rhymes.")
        await person.sees("The system prompt holds")
        await person.types("/set temperature 0.25")
        await person.sees("temperature is 0.25")
        await person.asks("hello")
        await pilot.press("ctrl+t")  # after the answer: saved at once
        await until(
            lambda: "thinking" in person.saved().settings.get("options", {}),
            pause=pilot.pause,
        )
        chat = person.saved()
    assert chat.system_prompt == "Answer in rhymes."
    backend = ScriptedBackend(says("two"))
    again = make_app(backend, chat=chat.id)
    async with again.run_test(size=SIZE) as pilot:
        person = Person(again, pilot)
        await person.ready()
        await person.shown("think:off")
        await person.asks("and now?")
    request = backend.requests[0]
    assert request.messages[0].content == "Answer in rhymes."
    assert request.sampling.temperature == 0.25
    assert not request.thinking


async def test_a_new_conversation_begins_without_the_choices_of_another(
    make_app: MakeApp,
) -> None:
    backend = ScriptedBackend(says("one"), says("two"))
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/set temperature 0.25")
        await person.types("/persona reviewer")
        await person.sees("reviewer answers from the next message on.")
        await person.asks("hello")
        await pilot.press("ctrl+n")
        await until(lambda: not person.branch, pause=pilot.pause)
        await person.asks("hello again")
    first, second = backend.requests
    assert "review code" in first.messages[0].content
    assert second.messages[0].content == "hello again"
    assert second.sampling.temperature == 0.6


async def test_a_persona_is_put_on_and_taken_off(make_app: MakeApp) -> None:
    backend = ScriptedBackend(says("你好"), says("hello"))
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/persona")
        await person.sees("Personas: translator, reviewer.")
        await person.types("/persona translater")
        await person.sees("did you mean translator?")
        await person.types("/persona translator")
        await person.sees("translator answers")
        await person.shown("think:off")
        await person.asks("hello")
        await person.types("/persona off")
        await person.sees("The persona is off")
        await person.asks("hello")
    first, second = backend.requests
    assert "translator" in first.messages[0].content
    assert (first.thinking, first.sampling.temperature) == (False, 0.3)
    assert second.messages[0].content == "hello"
    assert (second.thinking, second.sampling.temperature) == (True, 0.6)


async def test_a_broken_library_is_told_and_the_rest_works(
    make_app: MakeApp, tmp_path: Path
) -> None:
    (tmp_path / "personas.toml").write_text("[a\n")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/persona")
        await person.sees("personas.toml, line 1: this is no TOML")


async def test_the_panel_shows_and_changes_everything(make_app: MakeApp) -> None:
    backend = ScriptedBackend(says("one"))
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("f6")
        await person.shown("Options of this conversation")
        panel = app.screen
        assert isinstance(panel, OptionsScreen)
        rows = {row.key: row for row in panel.rows}
        assert rows["temperature"].value == "0.6"
        assert rows["temperature"].origin == "preset, thinking"
        await pilot.press("down", "down", "right")  # thinking
        await person.shown("preset, not thinking")
        await pilot.press("down", "down", "enter")  # temperature
        await pilot.press("backspace", "backspace", "backspace", *"0.25", "enter")
        await person.shown("set by hand")
        await person.shown("temperature is 0.25 from the next message on.")
        await pilot.press("enter", *"x", "enter")
        await person.shown("temperature must be a number from 0.0 to 100.0")
        await pilot.press("escape", "down", "enter", "backspace", *"5", "enter")
        await person.shown("top_p is 0.")
        await pilot.press("x")
        await person.shown("Taken back: top_p")
        await pilot.press("escape")
        await person.shown("think:off")
        await person.asks("hello")
    request = backend.requests[0]
    assert not request.thinking
    assert request.sampling.temperature == 0.25
    assert request.sampling.top_p == 0.8


async def test_the_system_prompt_is_changed_in_the_message_box(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/system Be brief.")
        await person.types("/options")
        await person.shown("Be brief.")
        await pilot.press("down", "enter")
        await person.gone("Options of this conversation")
        assert app.chat.composer.text == "/system Be brief."
        await pilot.press(*" Now.", "enter")
        await person.sees("The system prompt holds")
        assert app.desk.session is not None
        assert app.desk.session.conversation.system_prompt == "Be brief. Now."
