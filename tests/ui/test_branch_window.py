"""Branches of messages that are not mounted, above or below the window."""

from pathlib import Path

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.store.conversations import Store
from qwen_tui.ui.app import QwenTuiApp
from tests.helpers import until
from tests.scripted import ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.test_search_screen import hits

SIZE = (90, 30)
LENGTH = 300


def save_two_long_branches(data_dir: Path, parting: int) -> str:
    """Save a chat whose branches part at a message; "left" was written first.

    Message 30 of both, or of each, is "the needle".
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    chat = Conversation(title="Long")
    stem = _grow(chat, None, "stem", range(parting))
    for side in ("left", "right"):
        _grow(chat, stem, side, range(parting, LENGTH))
    store = Store(data_dir / "conversations.db")
    store.add(chat)
    store.close()
    return chat.id


def _grow(
    chat: Conversation, after: str | None, name: str, numbers: range
) -> str | None:
    for number in numbers:
        role = "assistant" if number % 2 else "user"
        needle = " needle" if number == 30 else ""
        text = f"{name} {number}.{needle}"
        message = ChatMessage(role, text, parent_id=after)
        chat.put(message)
        after = message.id
    return after


async def opened(app: QwenTuiApp, person: Person) -> None:
    await person.ready()
    await person.shown(f"right {LENGTH - 1}.")
    transcript = app.chat.transcript
    await until(lambda: len(transcript.turns) == 60, pause=person.pilot.pause)


async def find(app: QwenTuiApp, person: Person, word: str) -> None:
    """Search a word, and go to the message that holds it."""
    await person.pilot.press("ctrl+f", *word)
    await until(lambda: len(hits(app)) > 0, pause=person.pilot.pause)
    await person.pilot.press("enter")
    await until(lambda: app.screen is app.chat, pause=person.pilot.pause)
    await person.shown("needle")
    app.chat.transcript.focus()


def shown_ids(app: QwenTuiApp) -> list[str]:
    return [turn.message_id for turn in app.chat.transcript.turns]


def assert_window_of_branch(app: QwenTuiApp, person: Person) -> None:
    """Fail unless what is mounted is a piece of the branch, and all is counted."""
    transcript = app.chat.transcript
    ids = [message.id for message in person.branch]
    shown = shown_ids(app)
    start = ids.index(shown[0])
    assert shown == ids[start : start + len(shown)]
    assert transcript.n_older == start
    assert transcript.n_newer == len(ids) - start - len(shown)


async def walk_to_the_end(app: QwenTuiApp, person: Person, last: str) -> None:
    app.chat.transcript.focus()
    await person.pilot.press("end")
    await person.shown(last)
    app.chat.composer.focus()
    await until(lambda: app.chat.transcript.n_newer == 0, pause=person.pilot.pause)
    assert_window_of_branch(app, person)


async def test_a_branch_that_parts_far_above_the_window_is_shown_there(
    make_app: MakeApp, tmp_path: Path
) -> None:
    chat = save_two_long_branches(tmp_path / "data", 20)
    app = make_app(chat=chat)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await opened(app, person)
        await person.types("/branch prev")
        await person.shown("left 20.")
        await person.shown("1/2")
        await person.shown("stem 19.")
        assert_window_of_branch(app, person)
        assert len(shown_ids(app)) <= 120
        await walk_to_the_end(app, person, "left 299.")
        await person.types("/branch next")
        await person.shown("right 20.")
        await person.shown("2/2")
        assert_window_of_branch(app, person)
        await walk_to_the_end(app, person, "right 299.")


async def test_a_branch_switched_around_a_found_message_leaves_nothing_of_the_other(
    make_app: MakeApp, tmp_path: Path
) -> None:
    chat = save_two_long_branches(tmp_path / "data", 28)
    app = make_app(ScriptedBackend(says("the newest answer")), chat=chat)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await opened(app, person)
        await find(app, person, "right needle")
        assert app.chat.transcript.n_newer > 200
        await pilot.press("left_square_bracket")
        await person.shown("left 28.")
        await person.gone("right 28.")
        await person.shown("1/2")
        assert_window_of_branch(app, person)
        await walk_to_the_end(app, person, "left 299.")
        await person.asks("And now?")
        await person.shown("the newest answer")
        assert_window_of_branch(app, person)


async def test_a_branch_that_parts_below_the_window_is_shown_there(
    make_app: MakeApp, tmp_path: Path
) -> None:
    chat = save_two_long_branches(tmp_path / "data", 200)
    app = make_app(chat=chat)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await opened(app, person)
        await find(app, person, "stem needle")
        assert app.chat.transcript.n_newer > 200
        await pilot.press("left_square_bracket")
        await person.shown("left 200.")
        await person.shown("1/2")
        assert_window_of_branch(app, person)
        await walk_to_the_end(app, person, "left 299.")


async def test_a_deletion_around_a_found_message_leaves_what_is_below(
    make_app: MakeApp, tmp_path: Path
) -> None:
    chat = save_two_long_branches(tmp_path / "data", 20)
    app = make_app(chat=chat)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await opened(app, person)
        await find(app, person, "right needle")
        await pilot.press("d", "y")
        await person.gone("needle")
        assert len(person.branch) == LENGTH - 2
        await person.shown("right 32.")
        assert_window_of_branch(app, person)
        await pilot.press("u")
        await person.shown("right 30. needle")
        assert_window_of_branch(app, person)
        await walk_to_the_end(app, person, "right 299.")


async def test_a_branch_whose_place_is_out_of_view_comes_into_view(
    make_app: MakeApp, tmp_path: Path
) -> None:
    chat = save_two_long_branches(tmp_path / "data", LENGTH - 50)
    app = make_app(chat=chat)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await opened(app, person)
        await person.types("/branch prev")
        await person.shown(f"left {LENGTH - 50}.")
        await person.shown("1/2")
        assert_window_of_branch(app, person)
