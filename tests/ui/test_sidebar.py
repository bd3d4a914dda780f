"""The list of conversations: open, delete, hide, narrow terminals."""

from pathlib import Path

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.store.conversations import Store
from qwen_tui.ui.app import QwenTuiApp
from qwen_tui.ui.widgets.chat_rows import ChatItem, age_text, row_text
from tests.helpers import until
from tests.scripted import Gate, ScriptedBackend, says
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


def titles(app: QwenTuiApp) -> list[str]:
    """Return the titles of the list, from top to bottom."""
    return [item.title for item in app.chat.sidebar.items]


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


async def test_a_deleted_conversation_comes_back_with_its_messages(
    make_app: MakeApp, tmp_path: Path
) -> None:
    chat_id = save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("About cats")
        await pilot.press("shift+tab", "d")
        await person.sees('"About cats" is deleted. u or /undo takes it back.')
        assert app.desk.store is not None
        assert app.desk.store.summaries() == []
        await pilot.press("u")
        await person.sees("What was deleted is back.")
        assert len(app.desk.store.load(chat_id).branch()) == 2
        await pilot.press("u")
        await person.sees("There is nothing to undo.")


async def test_deleting_the_open_conversation_leaves_an_empty_one_until_undone(
    make_app: MakeApp, tmp_path: Path
) -> None:
    chat_id = save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    app = make_app(chat=chat_id)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("They do.")
        await pilot.press("shift+tab", "d")
        await person.gone("They do.")
        await until(lambda: person.branch == [], pause=pilot.pause)
        await person.types("/undo")
        await person.shown("They do.")
        assert len(person.branch) == 2


async def test_a_pinned_conversation_stands_first_and_is_marked(
    make_app: MakeApp, tmp_path: Path
) -> None:
    save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    save_chat(tmp_path / "data", "About dogs", "Do dogs purr?", "No.")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("About cats")
        assert titles(app) == ["About dogs", "About cats"]
        await pilot.press("shift+tab", "down", "p")
        await until(
            lambda: titles(app) == ["About cats", "About dogs"], pause=pilot.pause
        )
        await person.shown(" +About cats")
        await pilot.press("p")
        await person.shown("  About cats")
        assert titles(app) == ["About dogs", "About cats"]


async def test_a_new_title_is_written_below_and_stays_when_one_talks_on(
    make_app: MakeApp, tmp_path: Path
) -> None:
    chat_id = save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    app = make_app(ScriptedBackend(says("yes")), chat=chat_id)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("> About cats")
        await pilot.press("shift+tab", "r")
        await person.shown("Title:")
        await pilot.press(*["backspace"] * 4, *"lions", "enter")
        await person.shown("> About lions")
        await person.gone("Title:")
        await pilot.press("escape")
        await person.asks("Sure?")
        assert person.saved().title == "About lions"
        await person.types("/rename 显存 估算")
        await person.shown("> 显存 估算")
        assert person.saved().title == "显存 估算"


async def test_the_archive_holds_what_is_out_of_the_list(
    make_app: MakeApp, tmp_path: Path
) -> None:
    save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("About cats")
        await pilot.press("shift+tab", "a")
        await person.sees('"About cats" is in the archive; v shows it.')
        assert titles(app) == []
        await pilot.press("v")
        await person.shown("Archive")
        await person.shown("  About cats")
        await pilot.press("a")
        await person.sees("out of the archive")
        await pilot.press("v")
        await person.shown("Chats (F2)")
        await person.shown("  About cats")


async def test_a_filter_leaves_only_titles_with_every_word(
    make_app: MakeApp, tmp_path: Path
) -> None:
    for title in ("About cats", "About dogs", "显存估算"):
        save_chat(tmp_path / "data", title, "Do they purr?", "They do.")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("About cats")
        await pilot.press("shift+tab", "/", *"DOG", " ", *"ab")
        await person.gone("About cats")
        await pilot.press("enter", "enter")
        await person.shown("> About dogs")
        await pilot.press("shift+tab", "escape")
        await person.shown("About cats")


async def test_the_conversation_that_is_answered_is_marked(make_app: MakeApp) -> None:
    gate = Gate()
    app = make_app(ScriptedBackend(says("first"), [gate, *says("late")]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("my title")
        await person.shown("> my title")
        await person.types("and more")
        await person.shown("* my title")
        gate.open()
        await person.shown("> my title")


async def test_no_other_chat_is_opened_while_an_answer_is_written(
    make_app: MakeApp,
) -> None:
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
    rows = [
        row_text(ChatItem("1", title, 0.0, pinned=True), "open", 120.0)
        for title in titles
    ]
    assert {cell_len(row) for row in rows} == {22}
    assert all(row.endswith(" 2m") for row in rows)
    assert not any("\x1b" in row or "\n" in row for row in rows)


def test_ages_are_told_in_the_largest_whole_unit() -> None:
    ages = [age_text(seconds) for seconds in (5, 60, 3599, 3600, 86_400 * 3)]
    assert ages == ["now", "1m", "59m", "1h", "3d"]


def test_a_title_cut_inside_a_wide_character_has_no_hole_before_the_mark() -> None:
    row = row_text(ChatItem("1", "显存估算与上下文长度", 0.0), "", 3 * 3600.0)
    assert row == "  显存估算与上下文~ 3h"
    row = row_text(ChatItem("1", "a显存估算与上下文长度", 0.0), "", 3 * 3600.0)
    assert row == "  a显存估算与上下~  3h"
