"""What could not be saved is marked until it is, and is not left unasked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from qwen_tui.chat.events import AnswerDelta
from qwen_tui.i18n import language, set_language
from qwen_tui.ui.app import QwenTuiApp
from tests.helpers import until
from tests.scripted import Gate, ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.test_sidebar import save_chat

SIZES = ((120, 36), (80, 24), (40, 12))
MARK = "! not saved"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    before = language()
    set_language("en")
    yield
    set_language(before)


def make_read_only(app: QwenTuiApp, read_only: bool) -> None:
    """Let SQLite answer writes as on a read-only mount, or take them again."""
    assert app.desk.store is not None
    app.desk.store._connection.execute(f"PRAGMA query_only = {int(read_only)}")


def header(person: Person) -> str:
    return person.screen_text().splitlines()[0]


async def answered_unsaved(person: Person, gate: Gate) -> None:
    """Let a turn begin on a disk that then becomes read-only, and end there."""
    await person.types("Capital of France?")
    await until(lambda: gate.reached, pause=person.pilot.pause)
    make_read_only(person.app, True)
    gate.open()
    await until(lambda: MARK in header(person), pause=person.pilot.pause)
    await person.idle()


@pytest.mark.parametrize("size", SIZES)
async def test_text_that_cannot_be_saved_is_marked_until_it_is(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    gate = Gate()
    app = make_app(ScriptedBackend([AnswerDelta("Pa"), gate, *says("ris.")]))
    async with app.run_test(size=size) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await answered_unsaved(person, gate)
        assert MARK in header(person)
        await person.shown("Paris.")
        assert person.saved().branch()[-1].content != "Paris."
        make_read_only(app, False)
        await person.sees("The conversation is saved.")
        await until(lambda: MARK not in header(person), pause=pilot.pause)
        assert person.saved().branch()[-1].content == "Paris."


async def test_the_list_marks_it_too(make_app: MakeApp) -> None:
    gate = Gate()
    app = make_app(ScriptedBackend(says("hi"), [gate, *says("Paris.")]))
    async with app.run_test(size=SIZES[0]) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("Hello")
        await person.shown("> Hello")
        await answered_unsaved(person, gate)
        await person.shown("! Hello")
        make_read_only(app, False)
        await person.gone("! Hello")


async def test_it_is_marked_while_the_answer_is_being_written(
    make_app: MakeApp,
) -> None:
    first, second = Gate(), Gate()
    script = [AnswerDelta("Pa"), first, AnswerDelta("ri"), second, *says("s.")]
    app = make_app(ScriptedBackend(script))
    async with app.run_test(size=SIZES[1]) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("Capital of France?")
        await until(lambda: first.reached, pause=pilot.pause)
        make_read_only(app, True)
        first.open()
        await until(lambda: MARK in header(person), pause=pilot.pause)
        assert app.chat.turns.answering
        make_read_only(app, False)
        await until(lambda: MARK not in header(person), pause=pilot.pause)
        assert app.chat.turns.answering
        second.open()
        await person.idle()


async def test_leaving_it_unsaved_takes_a_yes(
    make_app: MakeApp, tmp_path: Path
) -> None:
    save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    gate = Gate()
    app = make_app(ScriptedBackend([gate, *says("Paris.")]))
    async with app.run_test(size=SIZES[1]) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await answered_unsaved(person, gate)
        for key in ("ctrl+n", "ctrl+q"):
            await pilot.press(key)
            await person.shown("is not saved: leave it?")
            await pilot.press("n")
            await person.gone("is not saved")
        await person.shown("Paris.")
        await pilot.press("ctrl+n")
        await person.shown("is not saved")
        await pilot.press("y")
        await person.shown("Write a message below")
        await until(lambda: MARK not in header(person), pause=pilot.pause)
