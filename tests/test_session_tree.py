"""Branches, pins, forks and deletions between two turns, with a real store."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.sampling import Presets, Sampling
from qwen_tui.chat.tree import goes_with, newest_leaf, places
from qwen_tui.chat.turn import TurnOptions
from qwen_tui.errors import StoreError
from qwen_tui.session import Session
from qwen_tui.store.conversations import Store
from tests.scripted import ScriptedBackend, says


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "conversations.db")
    yield store
    store.close()


async def talk(store: Store, *questions: str) -> Session:
    """Return a session in which each question was answered with itself in capitals."""
    backend = ScriptedBackend(*(says(question.upper()) for question in questions))
    greedy = Sampling(temperature=0)
    options = TurnOptions(Presets(greedy, greedy), max_new_tokens=100)
    session = Session(store, backend, Conversation(), options)
    for question in questions:
        async for _event in session.send(question):
            pass
    return session


async def edit(session: Session, text: str, new: str) -> None:
    async for _event in session.edit_and_resend(named(session, text).id, new):
        pass


def named(session: Session, text: str) -> ChatMessage:
    return next(m for m in session.conversation.messages.values() if m.content == text)


def shown(chat: Conversation) -> list[str]:
    return [message.content for message in chat.branch()]


def on_disk(store: Store, session: Session) -> Conversation:
    """Return the conversation as another program would read it."""
    with closing(Store(store.file)) as other:
        return other.load(session.conversation.id)


async def test_the_shown_branch_is_the_newest_below_and_is_saved(store: Store):
    session = await talk(store, "a", "b")
    await edit(session, "b", "c")
    assert shown(session.conversation) == ["a", "A", "c", "ok"]
    await session.show_branch(named(session, "b").id)
    assert shown(session.conversation) == ["a", "A", "b", "B"]
    assert shown(on_disk(store, session)) == ["a", "A", "b", "B"]
    assert newest_leaf(session.conversation, named(session, "a").id) == (
        named(session, "ok").id
    )


async def test_places_are_told_of_messages_with_siblings_only(store: Store):
    session = await talk(store, "a", "b")
    await edit(session, "b", "c")
    found = places(session.conversation)
    assert {key: (p.number, p.count) for key, p in found.items()} == {
        named(session, "c").id: (2, 2)
    }


async def test_a_pin_is_saved_and_can_be_taken_off(store: Store):
    session = await talk(store, "a")
    first = named(session, "a").id
    await session.pin(first, is_pinned=True)
    assert on_disk(store, session).messages[first].pinned
    assert session.conversation.messages[first].pinned
    await session.pin(first, is_pinned=False)
    assert not on_disk(store, session).messages[first].pinned


async def test_a_deleted_question_takes_its_answers_and_leaves_the_rest(store: Store):
    session = await talk(store, "a", "b", "c")
    deletion = await session.delete(named(session, "b").id)
    assert shown(session.conversation) == ["a", "A", "c", "C"]
    assert on_disk(store, session) == session.conversation
    await session.undo_delete(deletion)
    assert shown(session.conversation) == ["a", "A", "b", "B", "c", "C"]
    assert on_disk(store, session) == session.conversation


async def test_a_deleted_answer_takes_all_that_follows_it(store: Store):
    session = await talk(store, "a", "b", "c")
    answer = named(session, "A").id
    assert len(goes_with(session.conversation, answer)) == 5
    deletion = await session.delete(answer)
    assert shown(session.conversation) == ["a"]
    assert on_disk(store, session) == session.conversation
    await session.undo_delete(deletion)
    assert shown(on_disk(store, session)) == ["a", "A", "b", "B", "c", "C"]


async def test_after_a_deletion_the_branch_beside_is_shown(store: Store):
    session = await talk(store, "a", "b")
    await edit(session, "b", "c")
    before = list(session.conversation.messages)
    deletion = await session.delete(named(session, "c").id)
    assert shown(session.conversation) == ["a", "A", "b", "B"]
    assert shown(on_disk(store, session)) == ["a", "A", "b", "B"]
    await session.undo_delete(deletion)
    assert shown(on_disk(store, session)) == ["a", "A", "c", "ok"]
    assert list(on_disk(store, session).messages) == before


async def test_an_undo_after_another_turn_keeps_both_branches(store: Store):
    session = await talk(store, "a", "b")
    deletion = await session.delete(named(session, "b").id)
    async for _event in session.send("c"):
        pass
    await session.undo_delete(deletion)
    assert shown(session.conversation) == ["a", "A", "b", "B"]
    await session.show_branch(named(session, "c").id)
    assert shown(on_disk(store, session)) == ["a", "A", "c", "ok"]


async def test_all_that_was_said_can_be_deleted_and_brought_back(store: Store):
    session = await talk(store, "a")
    deletion = await session.delete(named(session, "a").id)
    assert shown(session.conversation) == []
    assert on_disk(store, session).leaf_id is None
    await session.undo_delete(deletion)
    assert shown(on_disk(store, session)) == ["a", "A"]


async def test_a_deletion_that_cannot_be_saved_deletes_nothing(store: Store):
    session = await talk(store, "a", "b")
    other = sqlite3.connect(store.file)
    other.execute(
        "CREATE TRIGGER stop BEFORE DELETE ON message WHEN old.content = 'b' "
        "BEGIN SELECT raise(ABORT, 'no'); END"
    )
    other.commit()
    other.close()
    with pytest.raises(StoreError):
        await session.delete(named(session, "b").id)
    assert shown(session.conversation) == ["a", "A", "b", "B"]
    assert on_disk(store, session) == session.conversation


async def test_a_fork_is_a_conversation_of_its_own_up_to_the_message(store: Store):
    session = await talk(store, "a", "b")
    await session.pin(named(session, "a").id, is_pinned=True)
    fork = await session.fork(named(session, "A").id)
    assert fork.id != session.conversation.id
    loaded = store.load(fork.id)
    assert shown(loaded) == ["a", "A"]
    assert loaded.branch()[0].pinned
    assert shown(on_disk(store, session)) == ["a", "A", "b", "B"]
