"""A full context on the screen: the question, the marks, the ledger, the summary."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

from textual import events
from textual.app import App

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.events import StreamEvent
from qwen_tui.store.conversations import Store
from qwen_tui.wire_engine import LoadOptions
from tests.helpers import until
from tests.scripted import LOADED, ScriptedBackend, Step, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

SIZE = (130, 44)


def backend_of(*scripts: Sequence[Step]) -> ScriptedBackend:
    backend = ScriptedBackend(*scripts)
    backend.loaded = replace(LOADED, context_length=120)
    backend.load_script = [backend.loaded]
    return backend


def save_long_chat(folder: Path) -> str:
    """Save six turns of 20 tokens, as the scripted backend counts."""
    folder.mkdir(exist_ok=True)
    store = Store(folder / "conversations.db")
    chat = Conversation(title="Long", system_prompt="Be brief.")
    for n in range(6):
        for role, name in (("user", "question"), ("assistant", "answer")):
            message = ChatMessage(
                "user" if role == "user" else "assistant",
                f"{name} {n} three four five six",
                parent_id=chat.leaf_id,
            )
            chat.put(message)
    store.save_conversation(chat)
    for message in chat.messages.values():
        store.save_message(chat.id, message)
    store.close()
    return chat.id


def outside_marks(app: App[int]) -> int:
    return len(app.screen.query(".turn.-outside"))


async def test_a_full_context_asks_and_one_key_leaves_the_oldest_out(
    make_app: MakeApp, tmp_path: Path
) -> None:
    backend = backend_of([*says("all right")])
    app = make_app(backend, chat=save_long_chat(tmp_path / "data"))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.shown("answer 5 three")
        await until(lambda: app.chat.turns.session is not None, pause=pilot.pause)
        await person.types("next")
        await person.shown("134 of 120 tokens.  d leave out the 6 oldest messages")
        await person.idle()
        assert backend.requests == []
        assert outside_marks(app) == 0
        await pilot.press("d")
        await person.shown("all right")
        await person.idle()
        assert outside_marks(app) == 6
        await person.shown("outside the context")
        assert [m.content for m in person.branch[-2:]] == ["next", "all right"]
        await person.types("/context")
        await person.shown("What the next prompt takes, in tokens")
        await person.shown("of 120 tokens before your next message")
        await person.shown("question 2 three four five six  outside the context")
        await pilot.press("escape")
        await person.types("/summary")
        await until(
            lambda: app.chat.composer.text.startswith("/summary"), pause=pilot.pause
        )
    again = make_app(backend_of(), chat=person.saved().id)
    async with again.run_test(size=SIZE) as pilot:
        await Person(again, pilot).shown("all right")
        await until(lambda: outside_marks(again) == 6, pause=pilot.pause)


async def test_each_message_of_the_ledger_takes_one_line_of_80_cells(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(
        backend_of([*says("all right")]), chat=save_long_chat(tmp_path / "data")
    )
    async with app.run_test(size=(80, 44)) as pilot:
        person = Person(app, pilot)
        await person.shown("answer 5 three")
        await person.types("next")
        await person.shown("d leave out the 6 oldest messages")
        await pilot.press("d")
        await person.shown("all right")
        await person.idle()
        await person.types("/context")
        await person.shown("What the next prompt takes, in tokens")
        rows = [row for row in person.screen_text().splitlines() if "│ You  " in row]
        assert len(rows) == 7
        outside = [row for row in rows if "outside the context" in row]
        assert len(outside) == 3
        assert all("question" in row for row in rows[:6])


async def test_any_other_key_leaves_the_question_unanswered(
    make_app: MakeApp, tmp_path: Path
) -> None:
    backend = backend_of([*says("all right")])
    app = make_app(backend, chat=save_long_chat(tmp_path / "data"))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.shown("answer 5 three")
        await person.types("next")
        await person.shown("d leave out the 6 oldest messages")
        await pilot.press("escape")
        await person.gone("d leave out")
        assert person.branch[-1].content == "next"
        assert backend.requests == []
        await pilot.press("ctrl+r")  # asks again
        await person.shown("d leave out the 6 oldest messages")
        await pilot.press("d")
        await person.shown("all right")
        await person.idle()
        assert [m.role for m in person.branch[-2:]] == ["user", "assistant"]


async def test_what_is_typed_on_after_the_question_is_not_lost(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(backend_of(), chat=save_long_chat(tmp_path / "data"))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.shown("answer 5 three")
        await person.types("next")
        await person.shown("d leave out the 6 oldest messages")
        for key in "hello":  # in one burst, as a slow line delivers them
            app.post_message(events.Key(key, key))
        await person.gone("d leave out")
        await until(lambda: app.chat.composer.text == "hello", pause=pilot.pause)


async def test_a_draft_is_not_taken_for_an_answer_to_the_question(
    make_app: MakeApp, tmp_path: Path
) -> None:
    backend = backend_of([*says("all right")])
    app = make_app(backend, chat=save_long_chat(tmp_path / "data"))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.shown("answer 5 three")
        app.chat.composer.insert("next")
        for key in ("enter", *"drafts"):  # written on before the engine has counted
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await person.sees("Leave the oldest messages out")
        await until(lambda: app.chat.composer.text == "drafts", pause=pilot.pause)
        assert "d leave out" not in person.screen_text()
        await pilot.press("ctrl+r")
        await person.shown("d leave out the 6 oldest messages")
        await pilot.press("d")
        await person.shown("all right")
        assert app.chat.composer.text == "drafts"


async def test_a_summary_is_written_shown_and_changed(
    make_app: MakeApp, tmp_path: Path
) -> None:
    scripts = [[*says("They counted.")], [*says("all right")], [*says("fine")]]
    backend = backend_of(*scripts)
    app = make_app(backend, chat=save_long_chat(tmp_path / "data"))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.shown("answer 5 three")
        await person.types("next")
        await person.shown("s sum them up")
        await pilot.press("s")
        await person.shown("all right")
        await person.idle()
        assert "They counted." not in [m.content for m in person.branch]
        await person.types("/context")
        await person.shown("They counted.")
        await pilot.press("escape")
        await person.types("/summary")
        await until(
            lambda: app.chat.composer.text == "/summary They counted.",
            pause=pilot.pause,
        )
        await person.types(" Ada won.\nTwice.")
        await person.sees("The summary holds from the next message on.")
        assert app.chat.composer.text == ""
        await person.types("more")
        await person.shown("fine")
    assert (
        backend.requests[2]
        .messages[0]
        .content.endswith("They counted. Ada won.\nTwice.")
    )


async def test_without_anything_outside_there_is_no_summary(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend())
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/summary")
        await person.sees("there is no summary")
        await person.types("/context")
        await person.shown("What the next prompt takes")


class OnDisk(ScriptedBackend):
    """A scripted backend whose load can be changed."""

    def __init__(self, *scripts: Sequence[Step]) -> None:
        super().__init__(*scripts, loaded=None)
        self.options = LoadOptions(context_length=120)

    async def load(self) -> AsyncIterator[StreamEvent]:
        length = self.options.context_length or 1000
        device = self.options.device
        self.load_script = [
            replace(
                LOADED, context_length=length, own_context_length=1000, device=device
            )
        ]
        async for event in super().load():
            yield event


async def test_a_longer_context_is_loaded_by_one_key_and_the_answer_comes(
    make_app: MakeApp, tmp_path: Path
) -> None:
    backend = OnDisk([*says("all right")])
    app = make_app(backend, chat=save_long_chat(tmp_path / "data"))
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.shown("answer 5 three")
        await person.types("next")
        await person.shown("r load with 1,000 tokens")
        await pilot.press("r")
        await person.shown("all right")
        await person.idle()
        assert outside_marks(app) == 0
        await person.shown("/1,000")
    assert backend.options.context_length == 0
    assert len(backend.requests[0].messages) == 14


async def test_the_devices_are_told_and_the_model_moves(make_app: MakeApp) -> None:
    backend = OnDisk()
    app = make_app(backend)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/device")
        await person.sees("GiB free")
        await person.types("/device cuda:1")
        await until(lambda: backend.options.device == "cuda:1", pause=pilot.pause)
        await person.shown("scripted bf16 cuda:1")
