"""A conversation longer than the context: nothing goes without being said."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from qwen_tui.chat.backend import PromptMessage
from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.events import (
    AnswerDelta,
    ContextCut,
    Failed,
    Finished,
    StreamEvent,
    Summarising,
    Usage,
)
from qwen_tui.session import Session
from qwen_tui.store.conversations import Store
from tests.helpers import until
from tests.scripted import LOADED, Hang, ScriptedBackend, Step, says
from tests.test_session import Running, every, session_for, told

WORDS = "one two three four five six"
TURN = 2 * (4 + 6)  # tokens by the scripted count: a question and its answer


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "data" / "conversations.db")
    yield store
    store.close()


def long_chat(turns: int, *, pinned: int | None = None) -> Conversation:
    """Return a conversation of questions q0, q1 ... with answers a0, a1 ..."""
    chat = Conversation(system_prompt="Be brief.")
    for n in range(turns):
        for role, name in (("user", f"q{n}"), ("assistant", f"a{n}")):
            text = f"{name} {WORDS.partition(' ')[2]}"
            is_pinned = pinned == n and role == "user"
            chat.put(
                ChatMessage(
                    "user" if role == "user" else "assistant",
                    text,
                    id=name,
                    parent_id=chat.leaf_id,
                    pinned=is_pinned,
                )
            )
    return chat


def talk(
    store: Store, *scripts: Sequence[Step], context: int, chat: Conversation
) -> tuple[Session, ScriptedBackend]:
    for message in chat.messages.values():
        store.save_conversation(replace(chat, messages={}, leaf_id=None))
        store.save_message(chat.id, message)
    store.save_conversation(chat)
    session, backend = session_for(store, *scripts, chat=chat)
    backend.loaded = replace(LOADED, context_length=context)
    return session, backend


def firsts(messages: Sequence[PromptMessage]) -> list[str]:
    """Return the first word of each message."""
    return [message.content.split()[0] for message in messages]


def cut_of(events: Sequence[StreamEvent]) -> ContextCut:
    return next(event for event in events if isinstance(event, ContextCut))


async def test_a_prompt_that_fits_is_left_alone(store: Store):
    session, backend = talk(store, context=1000, chat=long_chat(6))
    events = await every(session.send("next"))
    assert not any(isinstance(event, ContextCut) for event in events)
    assert len(backend.requests[0].messages) == 14
    assert session.outside == frozenset()


async def test_the_choice_is_left_to_the_person_and_the_question_is_kept(store: Store):
    session, backend = talk(store, context=120, chat=long_chat(6))
    last = (await every(session.send("next")))[-1]
    assert isinstance(last, Failed)
    assert last.code == "context_overflow"
    assert "134 tokens" in last.message  # 6 system, 6 turns, 5 next, 3 to begin
    assert "120" in last.message
    assert backend.requests == []
    overflow = session.overflow
    assert overflow is not None
    assert (overflow.prompt_tokens, overflow.room) == (134, 15)
    # 0.75 x (120 - 15) = 78: three turns of 20 have to go
    assert overflow.outside == ("q0", "a0", "q1", "a1", "q2", "a2")
    assert overflow.outside_tokens == 3 * TURN
    saved = store.load(session.conversation.id)
    assert saved.branch() == session.conversation.branch()
    assert told(saved.branch()[-1:]) == [("user", "next", "complete")]
    assert session.withdrawn is None
    assert session.outside == frozenset()


async def test_dropping_the_oldest_on_request_answers_the_same_question(store: Store):
    session, backend = talk(store, says("ok"), context=120, chat=long_chat(6))
    await every(session.send("next"))
    events = await every(session.resume("drop_oldest"))
    assert isinstance(events[-1], Finished)
    cut = cut_of(events)
    assert cut.outside == ("q0", "a0", "q1", "a1", "q2", "a2")
    assert (cut.full_tokens, cut.prompt_tokens) == (134, 134 - 3 * TURN)
    assert firsts(backend.requests[0].messages) == [
        *("Be", "q3", "a3", "q4", "a4", "q5", "a5", "next")
    ]
    branch = store.load(session.conversation.id).branch()
    assert told(branch[-2:]) == [
        ("user", "next", "complete"),
        ("assistant", "ok", "complete"),
    ]
    assert session.overflow is None
    assert session.outside == set(cut.outside)
    # the next turn begins at the same message: what was read stays read
    await every(session.send("more"))
    assert firsts(backend.requests[1].messages)[:2] == ["Be", "q3"]
    again = Session(
        store, backend, store.load(session.conversation.id), session.options
    )
    assert again.outside == set(cut.outside)


async def test_a_soft_switch_that_goes_outside_switches_nothing(store: Store):
    chat = long_chat(6)
    first = chat.messages["q0"]
    chat.messages["q0"] = replace(first, content=f"{first.content} /no_think")
    session, backend = talk(store, context=120, chat=chat)
    session.options.overflow = "drop_oldest"
    await every(session.send("next"))
    assert backend.requests[0].thinking
    answer = store.load(chat.id).branch()[-1]
    assert answer.sampling["thinking"]
    assert "soft_switch" not in answer.sampling


async def test_a_setting_drops_without_asking_and_says_so(store: Store):
    session, backend = talk(store, context=120, chat=long_chat(6))
    session.options.overflow = "drop_oldest"
    events = await every(session.send("next"))
    assert cut_of(events).outside[0] == "q0"
    assert "q0" not in firsts(backend.requests[0].messages)


async def test_what_is_pinned_and_the_system_prompt_stay(store: Store):
    session, backend = talk(store, context=120, chat=long_chat(6, pinned=1))
    session.options.overflow = "drop_oldest"
    cut = cut_of(await every(session.send("next")))
    assert "q1" not in cut.outside
    assert firsts(backend.requests[0].messages)[:2] == ["Be", "q1"]


async def test_a_summary_stands_for_what_is_left_out(store: Store):
    scripts = [says("They counted to six."), says("ok"), says("fine")]
    session, backend = talk(store, *scripts, context=140, chat=long_chat(6))
    session.options.overflow = "summarise"
    events = await every(session.send("next"))
    assert any(isinstance(event, Summarising) for event in events)
    cut = cut_of(events)
    assert cut.summary == "They counted to six."
    asked, answered = backend.requests
    assert firsts(asked.messages)[:3] == ["Be", "q0", "a0"]
    assert asked.messages[-1].content.startswith("Summarise this conversation")
    assert not asked.thinking
    assert asked.max_new_tokens == 17  # an eighth of the context
    assert answered.messages[0].content.endswith("They counted to six.")
    assert answered.messages[-1].content == "next"
    assert "q0" not in firsts(answered.messages)
    texts = [e.text for e in events if isinstance(e, AnswerDelta)]
    assert "".join(texts) == "ok"  # the summary is no part of the answer
    assert session.summary == cut.summary
    assert await session.change_summary("They counted.")
    assert store.load(session.conversation.id).settings["window"]["summary"] == (
        "They counted."
    )
    await every(session.send("more"))
    assert backend.requests[2].messages[0].content.endswith("They counted.")


async def test_a_summary_that_is_stopped_leaves_everything_as_it_was(store: Store):
    script: list[Step] = [AnswerDelta("They "), Hang()]
    session, backend = talk(store, script, context=140, chat=long_chat(6))
    session.options.overflow = "summarise"
    before = store.load(session.conversation.id)
    turn = Running(session.send("next"))
    await until(lambda: any(isinstance(e, Summarising) for e in turn.events))
    await session.stop()
    last = await turn.end()
    assert isinstance(last, Finished)
    assert last.reason == "cancelled"
    assert session.withdrawn == "next"
    assert store.load(session.conversation.id) == before
    assert len(backend.requests) == 1


@pytest.mark.parametrize(
    "script",
    [[Finished("stop", Usage())], [Failed("engine_died", "It died.")]],
    ids=["empty", "failed"],
)
async def test_a_summary_that_fails_is_told_and_nothing_is_left_out(
    store: Store, script: list[Step]
):
    session, _backend = talk(store, script, context=140, chat=long_chat(6))
    session.options.overflow = "summarise"
    last = (await every(session.send("next")))[-1]
    assert isinstance(last, Failed)
    assert session.outside == frozenset()


async def test_a_message_too_long_by_itself_is_told_with_no_choice(store: Store):
    session, backend = talk(store, context=120, chat=long_chat(2))
    session.options.overflow = "drop_oldest"
    last = (await every(session.send("word " * 200)))[-1]
    assert isinstance(last, Failed)
    assert last.code == "context_overflow"
    assert session.overflow is not None
    assert session.overflow.outside == ()
    assert backend.requests == []


async def test_where_nobody_can_choose_the_message_leaves_no_trace(store: Store):
    session, _backend = talk(store, says("ok"), context=120, chat=long_chat(6))
    session.options.may_choose = False
    before = store.load(session.conversation.id)
    last = (await every(session.send("next")))[-1]
    assert isinstance(last, Failed)
    assert session.withdrawn == "next"
    assert store.load(session.conversation.id) == before
    await every(session.resume("drop_oldest"))
    assert told(store.load(session.conversation.id).branch()[-2:]) == [
        ("user", "next", "complete"),
        ("assistant", "ok", "complete"),
    ]


async def test_a_cut_answer_that_no_longer_fits_goes_on_after_the_choice(store: Store):
    chat = long_chat(6)
    cut = ChatMessage("assistant", "half an", id="cut", parent_id="q5", state="stopped")
    chat.put(cut)
    session, backend = talk(store, says(" answer"), context=120, chat=chat)
    last = (await every(session.continue_answer()))[-1]
    assert isinstance(last, Failed)
    assert store.load(chat.id).messages["cut"] == cut
    await every(session.resume("drop_oldest"))
    assert backend.requests[0].continue_last
    assert store.load(chat.id).messages["cut"].content == "half an answer"


async def test_a_refused_retry_shows_the_answer_before_it(store: Store):
    session, _backend = talk(store, context=100, chat=long_chat(6))
    before = store.load(session.conversation.id)
    assert isinstance((await every(session.retry()))[-1], Failed)
    assert store.load(session.conversation.id).branch() == before.branch()
    assert session.overflow is not None


async def test_a_longer_context_lets_everything_in_again(store: Store):
    session, backend = talk(store, context=120, chat=long_chat(6))
    session.options.overflow = "drop_oldest"
    await every(session.send("next"))
    assert session.outside
    backend.loaded = replace(LOADED, context_length=1000)
    events = await every(session.send("more"))
    assert cut_of(events).outside == ()
    assert session.outside == frozenset()
    assert firsts(backend.requests[1].messages)[1] == "q0"


async def test_a_backend_that_cannot_count_is_asked_as_it_is(store: Store):
    session, backend = talk(store, context=120, chat=long_chat(6))
    backend.measures = False
    assert isinstance((await every(session.send("next")))[-1], Finished)
    assert len(backend.requests[0].messages) == 14


async def test_the_ledger_tells_each_message_and_what_is_outside(store: Store):
    session, _backend = talk(store, context=120, chat=long_chat(6))
    session.options.overflow = "drop_oldest"
    await every(session.send("next"))
    ledger = await session.ledger()
    assert ledger is not None
    assert [row.role for row in ledger.rows[:3]] == ["system", "user", "assistant"]
    outside = {row.message_id for row in ledger.rows if row.cost is None}
    assert outside == session.outside
    inside = sum(row.cost.tokens for row in ledger.rows if row.cost is not None)
    assert ledger.prompt.total == inside + 4 + 3  # an empty message, then the answer
    assert ledger.room == 120 - ledger.prompt.total


async def test_nothing_to_resume_is_told(store: Store):
    session, _backend = talk(store, context=1000, chat=long_chat(1))
    last = (await every(session.resume("drop_oldest")))[-1]
    assert isinstance(last, Failed)
    assert last.code == "nothing_to_resume"
    assert not await session.change_summary("x")
    await asyncio.sleep(0)
