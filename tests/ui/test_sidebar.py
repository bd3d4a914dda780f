"""The list of conversations: open, delete, hide, narrow terminals."""

from pathlib import Path

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.store.conversations import Store
from qwen_tui.ui.widgets.sidebar import ChatItem, age_text, row_text
from tests.helpers import until
from tests.scripted import ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (110, 30)


def save_chat(data_dir: Path, title: str, *contents: str) -> str:
    """Save a conversation whose messages alternate; return its id."""
    data_dir.mkdir(parents=True, exist_ok=True)
    chat = Conversation(title=title)
    parent_id = None
    store = Store(data_dir / "conversations.db")
    store.save_conversation(chat)
    for index, content in enumerate(contents):
        role = "assistant" if index % 2 else "user"
        message = ChatMessage(role, content, parent_id=parent_id)
        store.save_message(chat.id, message)
        chat.put(message)
        parent_id = message.id
    store.save_conversation(chat)
    store.close()
    return chat.id


async def test_enter_opens_another_conversation(
    make_app: MakeApp, tmp_path: Path
) -> None:
    save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    app = make_app(ScriptedBackend(says("hi")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("About cats")
        await pilot.press("shift+tab", "enter")
        await person.shown("They do.")
        assert app.chat.composer.has_focus
        await person.shown("> About cats")


async def test_a_saved_conversation_goes_on_with_its_history(
    make_app: MakeApp, tmp_path: Path
) -> None:
    chat_id = save_chat(tmp_path / "data", "Names", "My name is Ada.", "Hello Ada.")
    backend = ScriptedBackend(says("You are Ada."))
    app = make_app(backend, chat=chat_id)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.shown("Hello Ada.")
        await person.ready()
        await person.asks("Who am I?")
        await person.shown("You are Ada.")
        assert len(person.saved().branch()) == 4
    assert [m.content for m in backend.requests[0].messages][:2] == [
        "My name is Ada.",
        "Hello Ada.",
    ]


async def test_a_new_chat_is_empty_and_leaves_the_old_one_in_the_list(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("an answer")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("a first question")
        await pilot.press("ctrl+n")
        await person.gone("an answer")
        assert person.branch == []
        await person.shown("a first question")  # its title


async def test_deleting_asks_first_and_names_what_will_be_lost(
    make_app: MakeApp, tmp_path: Path
) -> None:
    save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("About cats")
        await pilot.press("shift+tab", "d")
        await person.shown('Delete "About cats" for good?')
        await pilot.press("escape")
        await person.gone("for good?")
        await person.shown("About cats")
        await pilot.press("d", "y")
        await person.gone("About cats")
        assert app.desk.store is not None
        assert app.desk.store.summaries() == []


async def test_deleting_the_open_conversation_leaves_an_empty_one(
    make_app: MakeApp, tmp_path: Path
) -> None:
    chat_id = save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    app = make_app(chat=chat_id)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("They do.")
        await pilot.press("shift+tab", "d", "y")
        await person.gone("They do.")
        await until(lambda: person.branch == [], pause=pilot.pause)


async def test_no_other_chat_is_opened_while_an_answer_is_written(
    make_app: MakeApp,
) -> None:
    from tests.scripted import Gate

    gate = Gate()
    app = make_app(ScriptedBackend([gate, *says("late")]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("hello")
        await until(lambda: gate.reached, pause=pilot.pause)
        await pilot.press("ctrl+n")
        await person.sees("Still answering")
        gate.open()
        await person.shown("late")


async def test_on_a_narrow_terminal_it_lies_over_the_messages(
    make_app: MakeApp, tmp_path: Path
) -> None:
    save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        assert "About cats" not in person.screen_text()
        await pilot.press("f2")
        await person.shown("About cats")
        await pilot.press("escape")
        await person.gone("About cats")
        assert app.chat.composer.has_focus
        await pilot.press("f2", "enter")
        await person.shown("They do.")
        assert not app.chat.sidebar.display


async def test_on_a_wide_terminal_the_key_hides_and_shows_it(
    make_app: MakeApp, tmp_path: Path
) -> None:
    save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.shown("About cats")
        await pilot.press("f2")
        await person.gone("About cats")
        await pilot.press("f2")
        await person.shown("About cats")


def test_a_row_is_as_wide_as_the_list_whatever_the_title() -> None:
    from rich.cells import cell_len

    titles = ["", "short", "显存估算与其他很长的标题", "x" * 90, "a\x1b[31mb\nc"]
    rows = [row_text(ChatItem("1", title, 0.0), "1", 120.0) for title in titles]
    assert {cell_len(row) for row in rows} == {22}
    assert all(row.endswith(" 2m") for row in rows)
    assert not any("\x1b" in row or "\n" in row for row in rows)


def test_ages_are_told_in_the_largest_whole_unit() -> None:
    ages = [age_text(seconds) for seconds in (5, 60, 3599, 3600, 86_400 * 3)]
    assert ages == ["now", "1m", "59m", "1h", "3d"]
