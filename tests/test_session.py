"""The turn loop, with a real store and a scripted backend."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from qwen_tui.chat.backend import PromptMessage
from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.events import (
    AnswerDelta,
    Failed,
    Finished,
    LoadProgress,
    StreamEvent,
    ThinkingDelta,
    Usage,
)
from qwen_tui.chat.sampling import Presets, Sampling, SamplingChoice
from qwen_tui.chat.turn import TurnOptions
from qwen_tui.errors import OutOfMemory, StoreError
from qwen_tui.session import Session
from qwen_tui.store.conversations import Store
from tests.helpers import until
from tests.scripted import LOADED, Gate, Hang, ScriptedBackend, Step, says

PRESETS = Presets(
    thinking=Sampling(temperature=0.6, top_p=0.95, top_k=20),
    answer=Sampling(temperature=0.7, top_p=0.8, top_k=20),
)
STOPPED = Finished("cancelled", Usage())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "data" / "conversations.db")
    yield store
    store.close()


def session_for(
    store: Store, *scripts: Sequence[Step], chat: Conversation | None = None
) -> tuple[Session, ScriptedBackend]:
    backend = ScriptedBackend(*scripts)
    options = TurnOptions(PRESETS, max_new_tokens=1000)
    return Session(store, backend, chat or Conversation(), options), backend


async def every(events: AsyncIterator[StreamEvent]) -> list[StreamEvent]:
    return [event async for event in events]


async def say(session: Session, text: str) -> StreamEvent:
    return (await every(session.send(text)))[-1]


def saved(store: Store, session: Session) -> list[ChatMessage]:
    """Return the shown branch as it is on disk."""
    return store.load(session.conversation.id).branch()


def on_disk(store: Store, session: Session) -> ChatMessage:
    return saved(store, session)[-1]


def told(messages: Sequence[ChatMessage]) -> list[tuple[str, str, str]]:
    return [(m.role, m.content, m.state) for m in messages]


class Running:
    """A turn that is read by a task, so that a test can act meanwhile."""

    def __init__(self, events: AsyncIterator[StreamEvent]) -> None:
        self.events: list[StreamEvent] = []
        self._source = events
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self._source:
            self.events.append(event)

    async def until_told(self, event: StreamEvent) -> None:
        await until(lambda: event in self.events or self.task.done())
        assert event in self.events

    async def end(self) -> StreamEvent:
        await self.task
        return self.events[-1]


# A whole turn


async def test_a_turn_is_saved_with_everything_that_made_it(store: Store):
    session, _ = session_for(store, says("Paris.", thinking="Easy one."))
    last = await say(session, "What is the capital of France?\nShort, please.")
    assert isinstance(last, Finished)
    chat = store.load(session.conversation.id)
    assert chat == session.conversation
    assert chat.title == "What is the capital of France?"
    assert chat.model == "scripted"
    user, answer = chat.branch()
    assert told([user, answer]) == [
        ("user", "What is the capital of France?\nShort, please.", "complete"),
        ("assistant", "Paris.", "complete"),
    ]
    assert answer.thinking == "Easy one."
    assert (answer.model, answer.revision) == ("scripted", "0123abc")
    assert answer.sampling == {
        "temperature": 0.6,
        "top_p": 0.95,
        "top_k": 20,
        "min_p": 0.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "repetition_penalty": 1.0,
        "seed": 7,
        "stop": [],
        "thinking": True,
        "thinking_budget": None,
        "max_new_tokens": 1000,
        "computed_by": {
            "device": "cpu",
            "dtype": "bfloat16",
            "attention": "sdpa",
            "kv_dtype": "",
            "versions": {"torch": "2.13.0"},
        },
    }
    assert answer.usage == {
        "prompt_tokens": 10,
        "cached_tokens": 0,
        "thinking_tokens": 2,
        "answer_tokens": 1,
        "prefill_s": 0.5,
        "decode_s": 1.0,
        "thinking_s": 0.0,
        "first_token_s": 0.0,
        "is_estimate": False,
        "finish_reason": "stop",
        "finish_detail": "",
        "thinking_cut": False,
    }
    assert session.withdrawn is None
    assert not session.busy
    assert session.current is None


async def test_the_prompt_is_on_disk_before_the_model_is_asked(store: Store):
    gate = Gate()
    session, backend = session_for(store, [gate, *says("ok")])
    turn = Running(session.send("Hello"))
    await until(lambda: bool(backend.requests))
    assert told(saved(store, session)) == [
        ("user", "Hello", "complete"),
        ("assistant", "", "streaming"),
    ]
    gate.open()
    await turn.end()


async def test_the_conversation_is_ahead_of_every_event(store: Store):
    session, _ = session_for(store, says("one two three", thinking="a b"))
    text = ""
    async for event in session.send("Count"):
        if isinstance(event, ThinkingDelta | AnswerDelta):
            text += event.text
            assert session.current is not None
            assert session.current.thinking + session.current.content == text
            assert session.conversation.branch()[-1] is session.current
            assert session.busy
    assert text == "a bone two three"


async def test_the_session_is_idle_when_the_last_event_comes(store: Store):
    session, _ = session_for(store)
    async for event in session.send("one"):
        if isinstance(event, Finished):
            assert not session.busy
            assert on_disk(store, session).state == "complete"
            assert await say(session, "two") == event
    assert len(session.conversation.messages) == 4


async def test_the_model_sees_system_prompt_past_thinking_and_settings(store: Store):
    chat = Conversation(system_prompt="Be brief.")
    session, backend = session_for(
        store, says("Hi Ada.", thinking="She is Ada."), says("Ada."), chat=chat
    )
    await say(session, "My name is Ada.")
    session.options.thinking = False
    session.options.thinking_budget = 64
    session.options.choice = SamplingChoice(temperature=0.1, seed=5)
    await say(session, "What is my name?")
    assert backend.requests[0].messages == (
        PromptMessage("system", "Be brief."),
        PromptMessage("user", "My name is Ada."),
    )
    request = backend.requests[1]
    assert request.messages == (
        PromptMessage("system", "Be brief."),
        PromptMessage("user", "My name is Ada."),
        PromptMessage("assistant", "Hi Ada.", thinking="She is Ada."),
        PromptMessage("user", "What is my name?"),
    )
    assert request.sampling == replace(PRESETS.answer, temperature=0.1, seed=5)
    assert not request.thinking
    assert request.thinking_budget == 64
    assert request.max_new_tokens == 1000
    assert not request.continue_last


async def test_a_soft_switch_decides_while_thinking_is_on_and_is_noted(store: Store):
    chat = Conversation(system_prompt="Be brief. /think")
    session, backend = session_for(store, chat=chat)
    await say(session, "What is 2 + 2? /no_think")
    await say(session, "And 3 + 3?")
    await say(session, "Explain. /think")
    session.options.thinking = False
    await say(session, "Again. /think")
    assert [r.thinking for r in backend.requests] == [False, False, True, False]
    assert backend.requests[0].sampling == PRESETS.answer
    assert backend.requests[2].sampling == PRESETS.thinking
    answers = [m for m in saved(store, session) if m.role == "assistant"]
    assert [m.sampling.get("soft_switch") for m in answers] == [
        *("/no_think", "/no_think", "/think", None)
    ]
    assert backend.requests[0].messages[-1].content == "What is 2 + 2? /no_think"


@pytest.mark.parametrize(("kind", "thinks"), [("always", True), ("never", False)])
async def test_a_model_without_a_switch_gets_the_preset_of_its_only_mode(
    store: Store, kind: str, thinks: bool
):
    session, backend = session_for(store)
    loaded = replace(LOADED, thinking=kind)
    backend.loaded = None  # it is known in mid-turn only
    backend.load_script = [loaded]
    session.options.thinking = not thinks
    await say(session, "Hello /think /no_think")
    request = backend.requests[0]
    assert request.thinking == thinks
    assert request.sampling == (PRESETS.thinking if thinks else PRESETS.answer)
    assert on_disk(store, session).sampling["thinking"] == thinks


async def test_a_load_that_fails_in_the_turn_ends_it_and_asks_nothing(store: Store):
    session, backend = session_for(store)
    backend.loaded = None
    backend.load_script = [Failed("not_a_model", "It is none.")]
    assert await say(session, "Hello") == Failed("not_a_model", "It is none.")
    assert backend.requests == []
    assert on_disk(store, session).state == "failed"


async def test_an_answer_of_a_model_loaded_in_the_turn_names_it(store: Store):
    session, backend = session_for(store)
    backend.loaded = None
    events = await every(session.send("Hello"))
    assert events[:2] == [LoadProgress("weights", 0.5), LOADED]
    assert on_disk(store, session).model == "scripted"


async def test_line_ends_around_a_finished_answer_are_not_kept(store: Store):
    script = [
        ThinkingDelta("\nhm\n"),
        AnswerDelta("\n\nParis\n\nFrance\n"),
        Finished("stop", Usage()),
    ]
    session, _ = session_for(store, script)
    await say(session, "Capital?")
    answer = on_disk(store, session)
    assert (answer.thinking, answer.content) == ("hm", "Paris\n\nFrance")


async def test_a_second_turn_at_once_is_a_mistake(store: Store):
    session, _ = session_for(store, [AnswerDelta("a"), Hang()])
    turn = Running(session.send("one"))
    await turn.until_told(AnswerDelta("a"))
    with pytest.raises(RuntimeError, match="at a time"):
        await say(session, "two")
    await session.stop()
    await turn.end()


async def test_without_a_model_the_prompt_comes_back(store: Store):
    session, _ = session_for(store)
    session.backend = None
    last = await say(session, "Hello")
    assert isinstance(last, Failed)
    assert last.code == "no_model"
    assert session.withdrawn == "Hello"
    assert store.summaries() == []


# Stop


async def test_a_stopped_answer_is_kept(store: Store):
    session, backend = session_for(store, [AnswerDelta("The capital is"), Hang()])
    turn = Running(session.send("Capital?"))
    await turn.until_told(AnswerDelta("The capital is"))
    await session.stop()
    assert await turn.end() == STOPPED
    answer = on_disk(store, session)
    assert told([answer]) == [("assistant", "The capital is", "stopped")]
    assert answer.usage["answer_tokens"] == 1
    assert answer.usage["finish_reason"] == "cancelled"
    assert session.withdrawn is None
    assert backend.n_cancels == 1


async def test_a_stop_before_anything_came_gives_the_prompt_back(store: Store):
    session, _ = session_for(store, says("Hi."), [LoadProgress("weights", 0.1), Hang()])
    await say(session, "Hello")
    before = store.load(session.conversation.id)
    turn = Running(session.send("Never mind"))
    await turn.until_told(LoadProgress("weights", 0.1))
    await session.stop()
    assert await turn.end() == STOPPED
    assert session.withdrawn == "Never mind"
    assert session.conversation == before
    assert store.load(session.conversation.id) == before
    await say(session, "Hello again")
    assert session.withdrawn is None
    assert len(saved(store, session)) == 4


async def test_a_new_chat_that_is_stopped_at_once_leaves_no_row(store: Store):
    session, backend = session_for(store, [Hang()], says("Hi."))
    turn = Running(session.send("Never mind"))
    await until(lambda: bool(backend.requests))
    assert len(store.summaries()) == 1
    await session.stop()
    assert await turn.end() == STOPPED
    assert store.summaries() == []
    assert session.conversation.title == ""
    await say(session, "Hello")
    assert [s.title for s in store.summaries()] == ["Hello"]
    assert told(saved(store, session)) == [
        ("user", "Hello", "complete"),
        ("assistant", "Hi.", "complete"),
    ]


async def test_an_empty_chat_that_was_saved_before_stays(store: Store):
    chat = Conversation(title="Plans", system_prompt="Be brief.")
    store.save_conversation(chat)
    session, backend = session_for(store, [Hang()], chat=chat)
    turn = Running(session.send("Never mind"))
    await until(lambda: bool(backend.requests))
    await session.stop()
    await turn.end()
    assert store.load(chat.id) == chat
    assert chat.title == "Plans"


async def test_a_stop_before_the_model_is_asked_does_not_ask_it(store: Store):
    session, backend = session_for(store)
    stream = session.send("Never mind")
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)  # the turn saves now
    assert session.busy
    await session.stop()
    assert await first == STOPPED
    assert backend.requests == []
    assert session.withdrawn == "Never mind"


async def test_a_failure_named_cancelled_is_a_stop(store: Store):
    script = [AnswerDelta("Half an"), Failed("cancelled", "Loading was stopped.")]
    session, _ = session_for(store, script)
    assert await say(session, "Hello") == STOPPED
    assert on_disk(store, session).state == "stopped"


async def test_stop_while_nothing_runs_is_nothing(store: Store):
    session, backend = session_for(store)
    await session.stop()
    assert backend.n_cancels == 0
    assert isinstance(await say(session, "Hello"), Finished)


async def test_a_backend_that_ends_without_being_asked_keeps_the_prompt(store: Store):
    session, _ = session_for(store, [STOPPED])
    await say(session, "Hello")
    assert told(saved(store, session)) == [
        ("user", "Hello", "complete"),
        ("assistant", "", "stopped"),
    ]
    assert session.withdrawn is None


# Checkpoints and ends that nobody asked for


async def test_a_partial_answer_is_on_disk_within_about_a_second(store: Store):
    gate = Gate()
    session, _ = session_for(
        store, [ThinkingDelta("hm"), AnswerDelta("The"), gate, *says("end")]
    )
    loop = asyncio.get_running_loop()
    turn = Running(session.send("Hello"))
    await turn.until_told(AnswerDelta("The"))
    shown_at = loop.time()
    await until(lambda: on_disk(store, session).content == "The")
    assert loop.time() - shown_at < 1.5
    answer = on_disk(store, session)
    assert (answer.thinking, answer.state) == ("hm", "streaming")
    assert answer.usage["thinking_tokens"] == 1
    gate.open()
    await turn.end()


async def test_closing_the_stream_in_mid_answer_keeps_it_as_stopped(store: Store):
    session, backend = session_for(store, [AnswerDelta("Half an"), Hang()])
    stream = session.send("Hello")
    assert isinstance(stream, AsyncGenerator)
    async for event in stream:
        if event == AnswerDelta("Half an"):
            break
    await stream.aclose()
    assert told([on_disk(store, session)]) == [("assistant", "Half an", "stopped")]
    assert backend.n_closed_early == 1
    assert not session.busy


async def test_a_cancelled_reader_keeps_the_answer_as_stopped(store: Store):
    session, backend = session_for(store, [AnswerDelta("Half an"), Hang()])
    turn = Running(session.send("Hello"))
    await turn.until_told(AnswerDelta("Half an"))
    turn.task.cancel()
    await asyncio.wait([turn.task])
    assert told([on_disk(store, session)]) == [("assistant", "Half an", "stopped")]
    assert backend.n_closed_early == 1
    assert not session.busy


async def test_closing_before_anything_came_keeps_the_prompt(store: Store):
    session, backend = session_for(store, [Hang()])
    turn = Running(session.send("Do not lose me"))
    await until(lambda: bool(backend.requests))
    turn.task.cancel()
    await asyncio.wait([turn.task])
    assert told(saved(store, session)) == [
        ("user", "Do not lose me", "complete"),
        ("assistant", "", "stopped"),
    ]


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ([Failed("engine_died", "It died.", "Go on.")], "engine_died"),
        ([OutOfMemory("No memory.", hint="Go smaller.")], "out_of_memory"),
        ([ZeroDivisionError("a bug")], "internal"),
        ([], "no_end"),
    ],
)
async def test_a_failure_keeps_the_partial_answer_and_the_reason(
    store: Store, script: list[Step], code: str
):
    session, _ = session_for(store, [AnswerDelta("Half an"), *script])
    last = await say(session, "Hello")
    assert isinstance(last, Failed)
    assert last.code == code
    answer = on_disk(store, session)
    assert told([answer]) == [("assistant", "Half an", "failed")]
    assert answer.usage["error"] == last.message
    assert answer.usage["error_code"] == code
    assert "error_hint" in answer.usage


async def test_failed_and_empty_answers_are_left_out_of_the_next_prompt(store: Store):
    session, backend = session_for(
        store,
        [ThinkingDelta("hm"), Failed("engine_died", "It died.")],
        [STOPPED],
        [AnswerDelta("Half an"), Failed("engine_died", "It died.")],
        [ThinkingDelta("hm"), STOPPED],
    )
    for text in ("one", "two", "three", "four", "five"):
        await say(session, text)
    assert backend.requests[-1].messages == (
        PromptMessage("user", "one"),
        PromptMessage("user", "two"),
        PromptMessage("user", "three"),
        PromptMessage("assistant", "Half an"),
        PromptMessage("user", "four"),
        PromptMessage("assistant", "", thinking="hm"),
        PromptMessage("user", "five"),
    )


async def test_save_now_in_a_signal_handler_saves_the_answer_as_interrupted(
    store: Store,
):
    session, _ = session_for(store, [AnswerDelta("Half an"), Hang()])
    turn = Running(session.send("Hello"))
    await turn.until_told(AnswerDelta("Half an"))
    before = signal.signal(signal.SIGUSR1, lambda _number, _frame: session.save_now())
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert told([on_disk(store, session)]) == [("assistant", "Half an", "interrupted")]
    await session.stop()
    await turn.end()
    assert on_disk(store, session).state == "stopped"


async def test_save_now_while_nothing_runs_changes_nothing(store: Store):
    session, _ = session_for(store)
    session.save_now()
    await say(session, "Hello")
    before = saved(store, session)
    session.save_now()
    assert saved(store, session) == before


# A store that fails


class FailingStore(Store):
    """A store whose writes fail while `fails` is set, as on a full disk."""

    fails = False
    refusals = 0

    def save_message(self, conversation_id: str, message: ChatMessage) -> None:
        if self.fails:
            self.refusals += 1
            raise StoreError("The disk is full.", code="disk_full")
        super().save_message(conversation_id, message)


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[FailingStore]:
    store = FailingStore(tmp_path / "conversations.db")
    yield store
    store.close()


async def test_a_checkpoint_that_fails_is_made_up_for(failing: FailingStore):
    gate = Gate()
    session, _ = session_for(failing, [AnswerDelta("Half an"), gate, *says(" answer")])
    turn = Running(session.send("Hello"))
    await turn.until_told(AnswerDelta("Half an"))
    failing.fails = True
    await until(lambda: failing.refusals > 0)
    failing.fails = False
    await until(lambda: on_disk(failing, session).content == "Half an")
    gate.open()
    assert isinstance(await turn.end(), Finished)
    assert on_disk(failing, session).content == "Half an answer"


async def test_a_last_save_that_fails_is_told_and_made_up_for_later(
    failing: FailingStore,
):
    gate = Gate()
    session, _ = session_for(failing, [gate, *says("An answer")])
    turn = Running(session.send("Hello"))
    await until(lambda: gate.reached)
    failing.fails = True
    gate.open()
    assert await turn.end() == Failed("disk_full", "The disk is full.")
    answer = session.conversation.branch()[-1]
    assert told([answer]) == [("assistant", "An answer", "complete")]
    failing.fails = False
    await say(session, "Go on")
    assert answer in saved(failing, session)


async def test_a_prompt_that_cannot_be_saved_comes_back_unasked(failing: FailingStore):
    session, backend = session_for(failing)
    failing.fails = True
    assert await say(session, "Hello") == Failed("disk_full", "The disk is full.")
    assert session.withdrawn == "Hello"
    assert session.conversation.messages == {}
    assert backend.requests == []
    failing.fails = False
    assert isinstance(await say(session, "Hello"), Finished)
    assert told(saved(failing, session)) == [
        ("user", "Hello", "complete"),
        ("assistant", "ok", "complete"),
    ]


class SlowStore(Store):
    """A store on a slow disk: while `is_slow`, checkpoints wait for `gate`."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.is_slow = False
        self.is_waiting = False
        self.gate = threading.Event()

    def save_message(self, conversation_id: str, message: ChatMessage) -> None:
        if self.is_slow and message.state == "streaming":
            self.is_waiting = True
            self.gate.wait(60)
        super().save_message(conversation_id, message)
        if message.state == "streaming":
            self.is_waiting = False


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SlowStore]:
    store = SlowStore(tmp_path / "conversations.db")
    yield store
    store.close()


async def test_a_slow_checkpoint_never_comes_after_the_last_save(slow: SlowStore):
    gate, start = Gate(), Gate()
    script = [start, AnswerDelta("Half an"), gate, *says(" answer")]
    session, _ = session_for(slow, script)
    turn = Running(session.send("Hello"))
    await until(lambda: start.reached)
    slow.is_slow = True
    start.open()
    await until(lambda: slow.is_waiting)
    gate.open()
    asyncio.get_running_loop().call_later(0.5, slow.gate.set)
    await turn.end()
    await until(lambda: not slow.is_waiting)
    assert on_disk(slow, session).state == "complete"


async def test_save_now_does_not_wait_long_for_a_slow_checkpoint(slow: SlowStore):
    start = Gate()
    session, _ = session_for(slow, [start, AnswerDelta("Half an"), Hang()])
    turn = Running(session.send("Hello"))
    await until(lambda: start.reached)
    slow.is_slow = True
    start.open()
    await until(lambda: slow.is_waiting)
    session.save_now()
    answer = on_disk(slow, session)
    assert told([answer]) == [("assistant", "Half an", "interrupted")]
    slow.gate.set()
    await session.stop()
    await turn.end()


async def test_a_reader_that_is_cancelled_twice_still_leaves_the_answer_saved(
    store: Store,
):
    loop, gate = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=1))
    session, _ = session_for(store, [AnswerDelta("Half an"), Hang()])
    turn = Running(session.send("Hello"))
    await turn.until_told(AnswerDelta("Half an"))
    busy = loop.run_in_executor(None, gate.wait, 60)
    turn.task.cancel()
    for _ in range(10):  # it wants to save now, and the only thread is busy
        await asyncio.sleep(0)
    turn.task.cancel()
    await asyncio.wait([turn.task])
    assert not session.busy
    gate.set()
    await busy
    await until(lambda: on_disk(store, session).state == "stopped")
    assert on_disk(store, session).content == "Half an"


# Retry, edit, continue


async def test_retry_makes_a_sibling_answer(store: Store):
    session, backend = session_for(store, says("Lyon."), says("Paris."))
    await say(session, "Capital of France?")
    first = session.conversation.branch()[-1]
    assert isinstance((await every(session.retry()))[-1], Finished)
    assert backend.requests[1] == backend.requests[0]
    chat = store.load(session.conversation.id)
    assert told(chat.siblings(first.id)) == [
        ("assistant", "Lyon.", "complete"),
        ("assistant", "Paris.", "complete"),
    ]
    assert told(chat.branch())[-1] == ("assistant", "Paris.", "complete")


async def test_retry_of_an_earlier_answer_branches_there(store: Store):
    session, backend = session_for(store)
    await say(session, "one")
    early = session.conversation.branch()[-1]
    await say(session, "two")
    await every(session.retry(early.id))
    assert backend.requests[-1].messages == (PromptMessage("user", "one"),)
    assert len(saved(store, session)) == 2


async def test_retry_of_a_question_answers_it_again(store: Store):
    session, _ = session_for(store)
    await say(session, "one")
    question = session.conversation.branch()[0]
    await every(session.retry(question.id))
    assert len(session.conversation.siblings(session.conversation.leaf_id or "")) == 2


async def test_a_retry_stopped_at_once_shows_the_old_answer_again(store: Store):
    session, backend = session_for(store, says("Lyon."), [Hang()])
    await say(session, "Capital of France?")
    before = store.load(session.conversation.id)
    turn = Running(session.retry())
    await until(lambda: len(backend.requests) == 2)
    await session.stop()
    assert await turn.end() == STOPPED
    assert session.withdrawn is None
    assert session.conversation == before
    assert store.load(before.id) == before


async def test_retry_in_an_empty_chat_says_so(store: Store):
    session, _ = session_for(store)
    (last,) = await every(session.retry())
    assert isinstance(last, Failed)
    assert last.code == "nothing_to_retry"


async def test_an_edited_message_is_sent_beside_the_old_one(store: Store):
    session, backend = session_for(store, says("Hi."), says("Lyon."), says("Paris."))
    await say(session, "Hello")
    await say(session, "Capital of Frence?")
    wrong = session.conversation.branch()[2]
    await every(session.edit_and_resend(wrong.id, "Capital of France?"))
    assert backend.requests[-1].messages[-1].content == "Capital of France?"
    assert len(backend.requests[-1].messages) == 3
    chat = store.load(session.conversation.id)
    assert [m.content for m in chat.siblings(wrong.id)] == [
        "Capital of Frence?",
        "Capital of France?",
    ]
    assert [m.content for m in chat.branch()] == [
        "Hello",
        "Hi.",
        "Capital of France?",
        "Paris.",
    ]


@pytest.mark.parametrize("ends", ["stopped", "length", "failed", "interrupted"])
async def test_a_cut_answer_goes_on_in_the_same_message(store: Store, ends: str):
    last = {
        "stopped": STOPPED,
        "length": Finished("length", Usage(8, 0, 1, 2, 0.5, 1.0), thinking_cut=True),
        "failed": Failed("engine_died", "It died."),
        "interrupted": STOPPED,
    }[ends]
    more = Usage(
        prompt_tokens=11, cached_tokens=8, answer_tokens=3, prefill_s=0.25, decode_s=2.0
    )
    session, backend = session_for(
        store,
        [ThinkingDelta("hm"), AnswerDelta("The cap"), last],
        [AnswerDelta("ital is Paris."), Finished("stop", more)],
    )
    await say(session, "Capital?")
    cut = session.conversation.branch()[-1]
    if ends == "interrupted":
        cut = session.conversation.messages[cut.id] = replace(cut, state="interrupted")
    session.options.thinking = False  # goes on as it began
    assert session.can_continue
    assert (await every(session.continue_answer()))[-1] == Finished("stop", more)
    request = backend.requests[-1]
    assert request.continue_last
    assert request.thinking
    assert request.messages[-1] == PromptMessage("assistant", "The cap", thinking="hm")
    answer = on_disk(store, session)
    assert answer.id == cut.id
    assert told([answer]) == [("assistant", "The capital is Paris.", "complete")]
    assert answer.thinking == "hm"
    had_usage = ends == "length"
    assert answer.usage == {
        "prompt_tokens": 8 if had_usage else 11,
        "cached_tokens": 0 if had_usage else 8,
        "thinking_tokens": 1,
        "answer_tokens": 5 if had_usage else 4,
        "prefill_s": 0.75 if had_usage else 0.25,
        "decode_s": 3.0 if had_usage else 2.0,
        "thinking_s": 0.0,
        "first_token_s": 0.0,
        "is_estimate": False,
        "finish_reason": "stop",
        "finish_detail": "",
        "thinking_cut": False,
    }
    assert not session.can_continue


@pytest.mark.parametrize(
    "script", [[Hang()], [Failed("engine_died", "It died.")]], ids=["stopped", "failed"]
)
async def test_a_continuation_that_brings_nothing_changes_nothing(
    store: Store, script: list[Step]
):
    session, backend = session_for(store, [AnswerDelta("The cap"), STOPPED], script)
    await say(session, "Capital?")
    before = session.conversation.branch()
    turn = Running(session.continue_answer())
    await until(lambda: len(backend.requests) == 2)
    await session.stop()
    await turn.end()
    assert session.conversation.branch() == before
    assert saved(store, session) == before


async def test_a_whole_answer_cannot_be_continued(store: Store):
    session, backend = session_for(store)
    await say(session, "Hello")
    assert not session.can_continue
    (last,) = await every(session.continue_answer())
    assert isinstance(last, Failed)
    assert last.code == "nothing_to_continue"
    assert len(backend.requests) == 1


# Reading ahead


async def test_the_model_reads_ahead_what_was_said(store: Store):
    session, backend = session_for(store, says("Paris.", thinking="Easy one."))
    await session.warm()
    assert backend.warmed == []  # nothing was said
    await say(session, "What is the capital of France?")
    await session.warm()
    (request,) = backend.warmed
    assert [m.content for m in request.messages] == [
        "What is the capital of France?",
        "Paris.",
    ]
    assert request.conversation_id == session.conversation.id
    assert request.conversation_id == backend.requests[0].conversation_id


async def test_nothing_is_read_ahead_in_a_turn_or_after_a_cut_answer(store: Store):
    session, backend = session_for(store, [AnswerDelta("Par"), Hang()])
    running = Running(session.send("What is the capital of France?"))
    await running.until_told(AnswerDelta("Par"))
    await session.warm()
    await session.stop()
    await running.end()
    assert session.can_continue
    await session.warm()
    assert backend.warmed == []
