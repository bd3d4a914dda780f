"""What is deleted is gone, and an undo puts it back exactly."""

import sqlite3

import pytest

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.errors import ChatNotFound
from qwen_tui.store.conversations import Store
from tests.store.chats import branched, contents, put, saved


def test_deleting_a_withdrawn_turn_shows_what_was_before_it(store: Store) -> None:
    conversation = saved(store, "q1", "a1", "q2", "")
    _q1, a1, q2, a2 = conversation.branch()
    store.delete_message(conversation.id, a2.id)
    store.delete_message(conversation.id, q2.id)
    store.delete_message(conversation.id, q2.id)  # gone already: fine
    loaded = store.load(conversation.id)
    assert [m.content for m in loaded.branch()] == ["q1", "a1"]
    assert loaded.leaf_id == a1.id


def test_deleting_a_message_in_the_middle_keeps_what_follows(store: Store) -> None:
    conversation = saved(store, "q1", "a1", "q2")
    store.delete_message(conversation.id, conversation.branch()[1].id)
    loaded = store.load(conversation.id)
    assert [m.content for m in loaded.branch()] == ["q1", "q2"]


def test_deleting_a_conversation_takes_its_messages_along(store: Store) -> None:
    keep = saved(store, "keep", "kept")
    gone = saved(store, "a", "b", "c")
    store.delete(gone.id)
    with pytest.raises(ChatNotFound):
        store.load(gone.id)
    with pytest.raises(ChatNotFound):
        store.delete(gone.id)
    rows = sqlite3.connect(store.file)
    assert rows.execute("SELECT count(*) FROM message").fetchone() == (2,)
    rows.close()
    assert store.load(keep.id) == keep
    saved(store, "a", id=gone.id)  # an undo may bring it back
    assert store.load(gone.id).branch()[0].content == "a"


def test_a_deleted_conversation_is_restored_to_the_row(store: Store) -> None:
    saved(store, "before")
    chat = branched(store)
    saved(store, "after")
    rows = contents(store)
    deleted = store.delete(chat.id)
    assert len(store.summaries()) == 2
    store.restore(deleted)
    assert contents(store) == rows
    assert store.load(chat.id) == chat
    store.restore(deleted)  # a second undo changes nothing
    assert contents(store) == rows


def test_a_conversation_is_restored_beside_what_was_saved_meanwhile(
    store: Store,
) -> None:
    chat = branched(store)
    deleted = store.delete(chat.id)
    newer = saved(store, "has", "their", "numbers")
    store.restore(deleted)
    assert store.load(chat.id) == chat
    assert store.load(newer.id) == newer


def test_what_was_changed_elsewhere_stays_after_an_undo(store: Store) -> None:
    chat = branched(store)
    store.restore(store.delete(chat.id))
    store.rename(chat.id, "theirs")
    store.save_conversation(chat)  # a session that has it open
    assert store.load(chat.id).title == "theirs"


@pytest.mark.parametrize("message_id", ["q1", "a1", "q2", "a2", "b2"])
def test_a_deleted_message_is_restored_to_the_row(
    store: Store, message_id: str
) -> None:
    chat = branched(store)
    rows = contents(store)
    deleted = store.delete_message(chat.id, message_id)
    assert deleted is not None
    assert message_id not in store.load(chat.id).messages
    store.restore(deleted)
    assert contents(store) == rows
    store.restore(deleted)
    assert contents(store) == rows


def test_a_parent_that_lost_its_number_is_restored_above_its_child(
    store: Store,
) -> None:
    chat = saved(store, "q1", "a1", "q2")
    q1, a1, q2 = chat.branch()
    undo = [store.delete_message(chat.id, m.id) for m in (a1, q2)]
    put(store, chat, ChatMessage("user", "took it", parent_id=q1.id))
    for deleted in reversed(undo):
        assert deleted is not None
        store.restore(deleted)
    loaded = store.load(chat.id)
    assert loaded.branch(q2.id) == [q1, a1, q2]


def test_a_message_without_its_conversation_is_not_restored(store: Store) -> None:
    chat = branched(store)
    deleted = store.delete_message(chat.id, "a2")
    assert deleted is not None
    store.delete(chat.id)
    with pytest.raises(ChatNotFound):
        store.restore(deleted)
    assert contents(store) == []
