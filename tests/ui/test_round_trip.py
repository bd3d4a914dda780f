"""What a person makes of conversations in the chat survives export, wipe and import."""

from pathlib import Path

from qwen_tui.chat.conversation import Conversation
from qwen_tui.store.conversations import Store
from qwen_tui.store.transfer.exchange import backup_text, import_file
from qwen_tui.store.transfer.files import write_text
from tests.helpers import until
from tests.scripted import ScriptedBackend, says
from tests.store.chats import contents
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (160, 30)


def saved(store: Store) -> list[Conversation]:
    """Return every conversation in the order in which they were made."""
    rows = (*store.summaries(), *store.summaries(archived=True))
    return sorted((store.load(row.id) for row in rows), key=lambda c: c.created_at)


async def talk_about_trees(person: Person, file: Path) -> None:
    """Set whatever can be set, ask twice, and have two answers to the first."""
    await person.types("/persona translator")
    await person.sees("translator answers")
    await person.types("/set temperature 0.25")
    await person.types("/set stop END")
    await person.types("/think 64")
    person.app.chat.action_attach_file(str(file))
    await until(lambda: bool(person.app.chat.composer.text), pause=person.pilot.pause)
    await person.asks("Is 木 a tree?")
    await person.types("/pin")
    await person.types("/retry")
    await until(
        lambda: person.branch[-1].content == "another", pause=person.pilot.pause
    )
    await person.idle()
    await person.asks("Go on.")
    await person.types('/tag wood 木 "two words"')
    await person.types("/rename Trees 树")
    await person.types("/chat pin")
    await person.sees('"Trees 树" is pinned.')


async def talk_in_the_archive(person: Person) -> None:
    await person.pilot.press("ctrl+n")
    await until(lambda: person.branch == [], pause=person.pilot.pause)
    await person.asks("你好")
    await person.types("/system Be brief.")
    await person.types("/chat archive")
    await person.sees("is in the archive")


def check_that_all_is_saved(trees: Conversation, greeting: Conversation) -> None:
    assert (trees.title, trees.pinned) == ("Trees 树", True)
    assert trees.tags == ["wood", "木", "two words"]
    assert trees.settings["persona"] == "translator"
    assert trees.settings["options"]["temperature"] == 0.25
    messages = trees.messages.values()
    assert {m.content for m in messages} >= {"one", "another", "more"}
    assert any(m.thinking == "hm" for m in messages)
    assert any(m.pinned for m in messages)
    assert "fence 木" in trees.branch()[0].content
    assert (greeting.archived, greeting.system_prompt) == (True, "Be brief.")


async def test_everything_that_is_set_in_the_chat_comes_back(
    make_app: MakeApp, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("attached\n```\nfence 木\n")
    backend = ScriptedBackend(
        says("one", thinking="hm"), says("another"), says("more"), says("二")
    )
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await talk_about_trees(person, file)
        await talk_in_the_archive(person)
    store = Store(tmp_path / "data" / "conversations.db")
    before, chats = contents(store), saved(store)
    check_that_all_is_saved(*chats)
    exported = tmp_path / "backup.json"
    write_text(exported, backup_text(chats))
    for chat in chats:
        store.delete(chat.id)
    assert contents(store) == []
    import_file(store, exported)
    assert contents(store) == before
    store.close()
