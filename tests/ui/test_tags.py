"""Tags in the chat: given, shown, and used to find a conversation again."""

from pathlib import Path

from qwen_tui.store.conversations import Store
from tests.helpers import until
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.test_sidebar import SIZE, save_chat


def tag(folder: Path, chat_id: str, *tags: str) -> None:
    store = Store(folder / "data" / "conversations.db")
    store.set_tags(chat_id, tags)
    store.close()


async def test_a_command_gives_the_open_chat_tags_and_takes_them_away(
    make_app: MakeApp, tmp_path: Path
) -> None:
    chat_id = save_chat(tmp_path / "data", "Trees", "oak?", "yes")
    app = make_app(chat=chat_id)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types('/tag #wood 工作 "two words"')
        await person.sees('"Trees" has the tags #wood #工作 #"two words".')
        assert person.saved().tags == ["wood", "工作", "two words"]
        await person.types("/tag WOOD 工作 new")
        await person.sees('"Trees" has the tags #"two words" #new.')
        await person.asks("sure?")  # saving the talk does not bring old tags back
        assert person.saved().tags == ["two words", "new"]


async def test_tags_are_edited_in_the_list_and_shown_below_it(
    make_app: MakeApp, tmp_path: Path
) -> None:
    trees = save_chat(tmp_path / "data", "Trees", "oak?", "yes")
    save_chat(tmp_path / "data", "Sums", "1+1?", "2")
    tag(tmp_path, trees, "wood")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("Trees")
        assert "#wood" not in person.screen_text()
        await pilot.press("shift+tab", "down")
        await person.shown("#wood")
        await pilot.press("t")
        await person.shown("Tags:")
        await pilot.press(*" leaf", "enter")
        await person.shown("#wood #leaf")
        assert app.chat.sidebar.rows.has_focus
        await pilot.press("t")
        await person.shown("Tags:")
        await pilot.press(*["backspace"] * len("#wood #leaf"), "enter")
        await person.sees('"Trees" has no tags.')
        await person.gone("#wood")
        await pilot.press("t")
        await person.shown("Tags:")
        await pilot.press("x", "escape")
        await person.gone("Tags:")
        assert app.chat.sidebar.rows.has_focus
    store = Store(tmp_path / "data" / "conversations.db")
    assert store.load(trees).tags == []
    store.close()


async def test_a_filter_takes_the_beginning_of_a_tag(
    make_app: MakeApp, tmp_path: Path
) -> None:
    trees = save_chat(tmp_path / "data", "Trees", "oak?", "yes")
    save_chat(tmp_path / "data", "Sums", "1+1?", "2")
    save_chat(tmp_path / "data", "Bug #work", "x?", "y")
    tag(tmp_path, trees, "Work")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("Sums")
        await pilot.press("shift+tab", "/", *"#wo")
        await person.gone("Sums")
        await person.shown("Trees")
        await person.shown("Bug #work")  # a title may hold one, too
        await pilot.press(*" TR")
        await person.gone("Bug #work")
        await person.shown("Trees")


async def test_the_search_goes_through_what_has_a_tag(
    make_app: MakeApp, tmp_path: Path
) -> None:
    trees = save_chat(tmp_path / "data", "Trees", "a needle", "yes")
    save_chat(tmp_path / "data", "Sums", "a needle", "2")
    tag(tmp_path, trees, "wood")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("ctrl+f", *"needle")
        await person.shown("2 found")
        await pilot.press(*" #wood")
        await person.shown("1 found")
        await pilot.press("enter")
        await until(lambda: bool(person.branch), pause=pilot.pause)
        assert app.chat.current_id == trees


async def test_tags_of_an_empty_chat_are_refused(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/tag work")
        await person.sees("This chat is empty")
