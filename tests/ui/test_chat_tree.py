"""Editing, branches, pins, forks and deletions: what is seen and what is saved."""

from dataclasses import replace

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.chat.events import AnswerDelta, Usage
from qwen_tui.ui.app import QwenTuiApp
from tests.helpers import until
from tests.scripted import Gate, Hang, ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (80, 30)


def contents(messages: list[ChatMessage]) -> list[str]:
    return [message.content for message in messages]


def select(app: QwenTuiApp, text: str) -> None:
    """Put the focus on the messages and select one of the shown branch."""
    assert app.desk.session is not None
    branch = app.desk.session.conversation.branch()
    message = next(m for m in branch if m.content == text)
    app.chat.transcript.focus()
    app.chat.transcript.select(message.id)


async def test_an_edited_message_is_sent_as_a_branch_beside_the_old_one(
    make_app: MakeApp,
) -> None:
    backend = ScriptedBackend(says("Paris."), says("Lyon."), says("Rome."))
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("capital of France?")
        await person.asks("and second?")
        await pilot.press("tab")
        select(app, "capital of France?")
        await pilot.press("e")
        await person.shown("Editing: Enter new branch")
        assert app.chat.composer.text == "capital of France?"
        app.chat.composer.clear()
        await person.types("capital of Italy?")
        await person.shown("Rome.")
        await person.idle()
        await person.shown("capital of Italy?")
        await person.shown("2/2")
        assert "France" not in person.screen_text()
        assert "Editing" not in person.screen_text()
        assert contents(person.saved().branch()) == ["capital of Italy?", "Rome."]
    assert contents_of(backend, 2) == ["capital of Italy?"]


def contents_of(backend: ScriptedBackend, number: int) -> list[str]:
    return [message.content for message in backend.requests[number].messages]


async def test_escape_leaves_an_edit_and_gives_the_draft_back(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("Paris.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("capital?")
        app.chat.composer.insert("a draft")
        await pilot.press("tab", "e")  # of an answer: what it was asked
        await person.shown("Editing: Enter")
        assert app.chat.composer.text == "capital?"
        await pilot.press("escape")
        await person.gone("Editing: Enter")
        assert app.chat.composer.text == "a draft"
        assert app.focused is app.chat.composer


async def test_an_edit_that_is_stopped_at_once_shows_the_old_branch_again(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("Paris."), [Hang()]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("capital?")
        await pilot.press("tab", "e")
        await person.types(" now?")
        await person.sees("Waiting for the model")
        await pilot.press("escape")
        await person.idle()
        await person.shown("Paris.")
        assert app.chat.composer.text == "capital? now?"
        assert contents(person.saved().branch()) == ["capital?", "Paris."]


async def test_a_retry_shows_which_of_the_answers_it_is(make_app: MakeApp) -> None:
    gate = Gate()
    second = [AnswerDelta("Rather "), gate, *says("Lyon.")]
    app = make_app(ScriptedBackend(says("Paris."), second))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("capital?")
        assert "1/1" not in person.screen_text()
        await pilot.press("ctrl+r")
        await person.shown("Rather")
        await person.shown("2/2")  # while it is being written
        gate.open()
        await person.idle()
        await person.shown("Rather Lyon.")
        assert "Paris." not in person.screen_text()


async def test_r_answers_again_at_the_selected_message(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend(says("A."), says("B."), says("C.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("first")
        await person.asks("second")
        select(app, "A.")
        await pilot.press("r")
        await person.shown("C.")
        await person.idle()
        assert contents(person.saved().branch()) == ["first", "C."]
        assert "second" not in person.screen_text()


async def test_brackets_switch_the_branch_in_its_row_and_save_it(
    make_app: MakeApp,
) -> None:
    long = "\n\n".join(f"line {n}" for n in range(30))
    scripts = (says(long), says("Paris."), says("Lyon."), says("Nice."))
    app = make_app(ScriptedBackend(*scripts))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("begin")
        await person.asks("capital?")
        await person.asks("more?")
        select(app, "Paris.")
        await pilot.press("r")
        await person.shown("Nice.")
        await person.idle()
        select(app, "Nice.")
        row = row_of(person, "2/2")
        await pilot.press("left_square_bracket")
        await person.shown("Paris.")
        await person.shown("1/2")
        assert row_of(person, "1/2") == row
        assert contents(person.saved().branch())[-3:] == ["Paris.", "more?", "Lyon."]
        await pilot.press("right_square_bracket")
        await person.shown("Nice.")
        assert row_of(person, "2/2") == row
        assert contents(person.saved().branch())[-1] == "Nice."


def row_of(person: Person, text: str) -> int:
    rows = person.screen_text().splitlines()
    return next(n for n, row in enumerate(rows) if text in row)


async def test_branch_takes_a_number_and_refuses_what_is_none(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("A."), says("B."), says("C.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("question")
        await person.types("/branch")
        await person.sees("only one branch")
        for answer in ("B.", "C."):
            await pilot.press("ctrl+r")
            await person.shown(answer)
            await person.idle()
        await person.types("/branch 1")
        await person.shown("A.")
        await person.types("/branch 4")
        await person.sees("/branch takes next, prev or a number: 4")
        await person.types("/branch prev")
        await person.shown("C.")


async def test_a_switched_branch_shows_what_is_outside_the_context(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("A."), says("B."), says("C.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("first")
        await person.asks("second")
        session = app.desk.session
        assert session is not None
        chat = session.conversation
        first = chat.branch()[2].id
        chat.settings["window"] = {"first_id": first, "context_length": 4096}
        app.chat.turns.mark_messages()
        await person.shown("outside the context")
        await pilot.press("ctrl+r")
        await person.shown("C.")
        await person.idle()
        await person.types("/branch prev")
        await person.shown("B.")
        await until(
            lambda: person.screen_text().count("outside the context") == 2,
            pause=pilot.pause,
        )


async def test_a_pin_shows_at_the_head_and_is_saved(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend(says("A.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("question")
        await pilot.press("tab", "k", "p")
        await person.sees("Pinned")
        await person.shown("pinned")
        assert person.saved().branch()[0].pinned
        app.chat.composer.focus()
        await person.types("/pin")  # typed: the message that is selected
        assert app.chat.transcript.selected_message_id == person.branch[0].id
        await person.sees("No longer pinned.")
        assert not person.saved().branch()[0].pinned


async def test_a_fork_opens_a_conversation_up_to_the_message(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend(says("A."), says("B.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("first")
        await person.asks("second")
        before = app.chat.current_id
        select(app, "A.")
        await pilot.press("f")
        await until(lambda: app.chat.current_id != before, pause=pilot.pause)
        await person.gone("B.")
        assert contents(person.saved().branch()) == ["first", "A."]
        assert len(app.chat.sidebar.items) == 2


async def test_a_deletion_asks_names_what_goes_and_can_be_undone(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("A."), says("B."), says("C.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        for question in ("first", "second", "third"):
            await person.asks(question)
        select(app, "second")
        await pilot.press("d")
        await person.shown('Delete "second" and its 1 answer? What follows stays.')
        await pilot.press("n")
        assert len(person.branch) == 6
        await pilot.press("d", "y")
        await person.sees("2 messages deleted. u or /undo takes it back.")
        await person.gone("B.")
        assert contents(person.saved().branch()) == ["first", "A.", "third", "C."]
        await pilot.press("u")
        await person.sees("What was deleted is back.")
        await person.shown("B.")
        assert len(person.saved().branch()) == 6
        app.chat.composer.focus()
        await person.types("/undo")
        await person.sees("There is nothing to undo.")


async def test_while_the_model_answers_the_tree_stays_as_it_is(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("A."), [AnswerDelta("half"), Hang()]))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("first")
        await person.types("second")
        await person.shown("half")
        select(app, "first")
        for key in ("d", "f", "right_square_bracket", "r"):
            await pilot.press(key)
            await person.sees("Still answering")
            app.chat.status.show("")
        assert len(person.branch) == 4
        await pilot.press("escape")
        await person.idle()


async def test_without_a_message_the_keys_say_so(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        for command in ("/edit", "/pin", "/fork", "/delete"):
            await person.types(command)
            await person.sees("There is no message yet.")
            app.chat.status.show("")


async def test_an_edit_goes_beside_its_message_though_another_branch_is_shown(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("A."), says("B."), says("C."), says("D.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("first")
        await person.asks("second")
        select(app, "A.")
        await pilot.press("r")
        await person.shown("C.")
        await person.idle()
        app.chat.composer.focus()
        await person.types("/branch prev")
        await person.shown("B.")
        select(app, "second")
        await pilot.press("e")
        await person.shown("Editing: Enter")
        select(app, "A.")
        await pilot.press("right_square_bracket")
        await person.shown("C.")
        app.chat.composer.focus()
        await person.types(" again")
        await person.shown("D.")
        await person.idle()
        branch = contents(person.saved().branch())
        assert branch == ["first", "A.", "second again", "D."]
        assert "C." not in person.screen_text()


async def test_i_tells_of_the_selected_answer(make_app: MakeApp) -> None:
    first = Usage(prompt_tokens=11, answer_tokens=1, prefill_s=0.5, decode_s=1.0)
    second = replace(first, prompt_tokens=22)
    backend = ScriptedBackend(says("A.", usage=first), says("B.", usage=second))
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("first")
        await person.asks("second")
        select(app, "A.")
        await pilot.press("i")
        await person.shown("About this answer")
        rows = person.screen_text().splitlines()
        assert any("prompt tokens" in row and "11" in row for row in rows)


async def test_a_deletion_is_undone_from_another_conversation_too(
    make_app: MakeApp,
) -> None:
    app = make_app(ScriptedBackend(says("A."), says("B.")))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("first")
        await person.asks("second")
        before = app.chat.current_id
        await person.types("/delete")
        await pilot.press("y")
        await person.sees("1 message deleted.")
        await pilot.press("ctrl+n")
        await until(lambda: app.chat.current_id != before, pause=pilot.pause)
        await person.types("/undo")
        await person.sees("What was deleted is back.")
        assert app.desk.store is not None
        branch = contents(app.desk.store.load(before).branch())
        assert branch == ["first", "A.", "second", "B."]
