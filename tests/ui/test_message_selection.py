"""Going from message to message by key, and what is marked on the way."""

import pytest

from qwen_tui.chat.conversation import ChatMessage
from tests.helpers import until
from tests.scripted import ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (80, 24)


async def test_j_and_k_select_a_message_and_mark_it(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend(says("Hello Ada."), says("You are Ada.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        transcript = app.chat.transcript
        await person.ready()
        await person.asks("My name is Ada.")
        await person.asks("Who am I?")
        assert transcript.selected_message_id == ""
        await pilot.press("tab")
        await until(lambda: bool(transcript.selected_message_id), pause=pilot.pause)
        ids = [message.id for message in person.branch]
        assert transcript.selected_message_id == ids[3]
        await person.shown(" | You are Ada.")
        await pilot.press("k", "k")
        assert transcript.selected_message_id == ids[1]
        await person.shown(" | Hello Ada.")
        await person.gone(" | You are Ada.")
        await pilot.press("j")
        assert transcript.selected_message_id == ids[2]
        await pilot.press("j", "j", "j")
        assert transcript.selected_message_id == ids[3]


async def test_k_fetches_older_messages(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        transcript = app.chat.transcript
        await person.ready()
        session = app.desk.session
        assert session is not None
        for n in range(90):
            role = "user" if n % 2 == 0 else "assistant"
            leaf = session.conversation.leaf_id
            session.conversation.put(ChatMessage(role, f"text {n}", parent_id=leaf))
        await app.chat.open_session(session)
        await until(lambda: transcript.n_older == 30, pause=pilot.pause)
        ids = [message.id for message in person.branch]
        await pilot.press("tab", "home")
        await person.shown("text 30")
        transcript.select(ids[30])
        await pilot.press("k")
        await until(
            lambda: transcript.selected_message_id == ids[29], pause=pilot.pause
        )
        await person.shown("text 29")
        assert transcript.n_older == 10


async def test_after_paging_away_the_selection_begins_in_view(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        transcript = app.chat.transcript
        await person.ready()
        session = app.desk.session
        assert session is not None
        for n in range(40):
            role = "user" if n % 2 == 0 else "assistant"
            leaf = session.conversation.leaf_id
            session.conversation.put(ChatMessage(role, f"text {n}", parent_id=leaf))
        await app.chat.open_session(session)
        await until(lambda: len(transcript.turns) == 40, pause=pilot.pause)
        await pilot.press("tab", "home")
        await person.shown("text 0")
        await until(lambda: transcript.scroll_y == 0, pause=pilot.pause)
        await pilot.press("j")
        ids = [message.id for message in person.branch]
        assert transcript.selected_message_id == ids[0]


async def test_space_opens_and_folds_the_thinking_of_the_selected_answer(
    make_app: MakeApp,
) -> None:
    first = says("One.", thinking="Deep thought.")
    app = make_app(ScriptedBackend(first, says("Two.", thinking="Shallow thought.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("first")
        await person.asks("second")
        await person.gone("Deep thought.")
        await pilot.press("tab", "k", "k", "space")
        await person.shown("Deep thought.")
        assert "Shallow thought." not in person.screen_text()
        await pilot.press("space")
        await person.gone("Deep thought.")


def place_of(person: Person, text: str) -> tuple[int, int]:
    """Return where on the screen a text begins."""
    for row, line in enumerate(person.screen_text().splitlines()):
        if text in line:
            return line.index(text), row
    raise AssertionError(f"{text} is not on the screen")


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_a_click_selects_a_message_and_leaves_the_keyboard_where_it_is(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = make_app(ScriptedBackend(says("Hello Ada."), says("You are Ada.")))
    async with app.run_test(size=size) as pilot:
        person = Person(app, pilot)
        transcript = app.chat.transcript
        await person.ready()
        await person.asks("My name is Ada.")
        await person.asks("Who am I?")
        ids = [message.id for message in person.branch]
        app.chat.composer.insert("draft")
        await pilot.click(offset=place_of(person, "You are Ada."))
        await until(lambda: transcript.selected_message_id == ids[3], pause=pilot.pause)
        await person.sees("Selected. Tab, then y copies")
        await pilot.press("s")
        assert app.chat.composer.text == "drafts"
        await pilot.click(offset=place_of(person, "Who am I?"))
        assert transcript.selected_message_id == ids[2]
        await pilot.press("tab", "j")
        assert transcript.selected_message_id == ids[3]
        await pilot.click(offset=place_of(person, "You are Ada."))
        await until(lambda: not transcript.selected_message_id, pause=pilot.pause)


async def test_selecting_text_or_opening_the_thinking_selects_no_message(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("Hello Ada.", thinking="A name.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        transcript = app.chat.transcript
        await person.ready()
        await person.asks("My name is Ada.")
        x, y = place_of(person, "Hello Ada.")
        await pilot.mouse_down(offset=(x, y))
        await pilot.hover(offset=(x + 4, y))
        await pilot.mouse_up(offset=(x + 4, y))
        await until(
            lambda: (app.chat.get_selected_text() or "").startswith("Hell"),
            pause=pilot.pause,
        )
        assert not transcript.selected_message_id
        await pilot.click(offset=place_of(person, "[+] Thought"))
        await person.shown("A name.")
        assert not transcript.selected_message_id
        await pilot.click(offset=(x, place_of(person, "Hello Ada.")[1]), times=2)
        await until(
            lambda: "Hello Ada." in (app.chat.get_selected_text() or ""),
            pause=pilot.pause,
        )
        assert not transcript.selected_message_id
