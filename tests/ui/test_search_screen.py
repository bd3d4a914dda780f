"""Search everything while one types, and go to the message that was found."""

from pathlib import Path

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.shelf import SearchHit
from qwen_tui.store.conversations import Store
from qwen_tui.ui.app import QwenTuiApp
from qwen_tui.ui.widgets.hit_list import HitList, hit_content
from tests.helpers import until
from tests.scripted import ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.test_sidebar import save_chat

SIZE = (110, 30)


def hits(app: QwenTuiApp) -> list[SearchHit]:
    """Return what the search screen lists."""
    return [hit for found in app.screen.query(HitList) for hit in found.hits]


def save_branches(data_dir: Path) -> str:
    """Save a question with two answers, the second one shown; return the id."""
    data_dir.mkdir(parents=True, exist_ok=True)
    chat = Conversation(title="Branches")
    question = ChatMessage("user", "Which animal?")
    first = ChatMessage("assistant", "A walrus.", parent_id=question.id)
    second = ChatMessage("assistant", "A lynx.", parent_id=question.id)
    for message in (question, first, second):
        chat.put(message)
    store = Store(data_dir / "conversations.db")
    store.add(chat)
    store.close()
    return chat.id


async def test_what_is_typed_is_found_and_enter_opens_it(
    make_app: MakeApp, tmp_path: Path
) -> None:
    save_chat(tmp_path / "data", "Cats", "Do cats purr?", "They purr softly.")
    save_chat(tmp_path / "data", "显存", "要多少显存？", "大约四吉字节。")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("ctrl+f", *"PURR soft")
        await person.shown("They purr softly.")
        await person.shown("1 found")
        await pilot.press("enter")
        await person.shown("> You")
        await until(lambda: app.screen is app.chat, pause=pilot.pause)
        assert app.chat.composer.has_focus
        await until(
            lambda: app.chat.transcript.selected_message_id == person.branch[1].id,
            pause=pilot.pause,
        )


async def test_chinese_words_of_two_characters_are_found_from_a_command(
    make_app: MakeApp, tmp_path: Path
) -> None:
    save_chat(tmp_path / "data", "One", "要多少显存？", "大约四吉字节。")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/search 显存")
        await person.shown("要多少显存？")
        await pilot.press("escape")
        await until(lambda: app.screen is app.chat, pause=pilot.pause)


async def test_the_branch_that_holds_the_message_is_shown(
    make_app: MakeApp, tmp_path: Path
) -> None:
    save_branches(tmp_path / "data")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("ctrl+f", *"walrus")
        await until(lambda: len(hits(app)) == 1, pause=pilot.pause)
        await pilot.press("enter")
        await person.shown("A walrus.")
        await person.gone("A lynx.")
        await until(
            lambda: person.saved().branch()[-1].content == "A walrus.",
            pause=pilot.pause,
        )


async def test_a_message_far_back_is_shown_with_what_stands_around_it(
    make_app: MakeApp, tmp_path: Path
) -> None:
    contents = [f"message number {n} of many" for n in range(300)]
    contents[40] = "the needle"
    chat = save_chat(tmp_path / "data", "Long", *contents)
    app = make_app(ScriptedBackend(says("the newest answer")), chat=chat)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.shown("message number 299 of many")
        await pilot.press("ctrl+f", *"needle")
        await until(lambda: len(hits(app)) == 1, pause=pilot.pause)
        await pilot.press("enter")
        await person.shown("the needle")
        await person.shown("message number 41 of many")
        transcript = app.chat.transcript
        assert transcript.n_newer == 254
        transcript.focus()
        await pilot.press("pagedown", "pagedown", "pagedown")
        await until(lambda: transcript.n_newer < 254, pause=pilot.pause)
        heads = [turn.message_id for turn in transcript.turns]
        ids = [message.id for message in person.branch]
        start = ids.index(heads[0])
        assert heads == ids[start : start + len(heads)]
        app.chat.composer.focus()
        await person.asks("And now?")
        await person.shown("the newest answer")
        assert transcript.n_newer == 0


async def test_end_goes_from_a_found_message_to_the_newest(
    make_app: MakeApp, tmp_path: Path
) -> None:
    contents = [f"message number {n} of many" for n in range(200)]
    contents[10] = "the needle"
    chat = save_chat(tmp_path / "data", "Long", *contents)
    app = make_app(chat=chat)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("ctrl+f", *"needle")
        await until(lambda: len(hits(app)) == 1, pause=pilot.pause)
        await pilot.press("enter")
        await person.shown("the needle")
        app.chat.transcript.focus()
        await pilot.press("end")
        await person.shown("message number 199 of many")
        assert app.chat.transcript.n_newer == 0


def test_matches_are_marked_and_nothing_hostile_is_shown() -> None:
    hit = SearchHit(
        chat_id="c", message_id="m", title="a\x1b[31m title", role="user", when=0.0,
        snippet="one two three", marks=((4, 7),),
    )  # fmt: skip
    content = hit_content(hit, 60, 120.0)
    head, text = content.plain.split("\n")
    assert head.split("  ")[0] == "a\u241b[31m title"
    assert head.endswith("  You  2m")
    assert text == "  one two three"
    marked = [s for s in content.spans if "warning" in str(s.style)]
    assert [content.plain[s.start : s.end] for s in marked] == ["two"]
