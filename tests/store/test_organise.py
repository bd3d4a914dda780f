"""Titles, pins, tags, the archive, branches and forks."""

import sqlite3
from contextlib import closing

import pytest

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.chat.window import Window
from qwen_tui.errors import ChatNotFound
from qwen_tui.store.conversations import Store
from tests.store.chats import branched, put, saved


def test_a_title_is_one_line_and_does_not_count_as_use(store: Store) -> None:
    chat = saved(store, "q", title="old")
    store.rename(chat.id, "  new\ntitle 新\t\ud800 ")
    (summary,) = store.summaries()
    assert summary.title == "new title 新 \ufffd"
    assert summary.updated_at == chat.updated_at


def test_a_session_that_has_the_chat_open_does_not_undo_a_change(store: Store) -> None:
    chat = saved(store, "q", title="old")
    store.rename(chat.id, "new")
    store.set_pinned(chat.id, True)
    store.set_archived(chat.id, True)
    store.set_tags(chat.id, ["a"])
    chat.model = "demo"
    store.save_conversation(chat)
    loaded = store.load(chat.id)
    assert (loaded.title, loaded.model) == ("new", "demo")
    assert (loaded.pinned, loaded.archived, loaded.tags) == (True, True, ["a"])


def test_pins_and_the_archive_can_be_taken_back(store: Store) -> None:
    chat = saved(store, "q")
    store.set_pinned(chat.id, True)
    store.set_archived(chat.id, True)
    assert store.summaries() == []
    (summary,) = store.summaries(archived=True)
    assert (summary.pinned, summary.archived) == (True, True)
    store.set_pinned(chat.id, False)
    store.set_archived(chat.id, False)
    (summary,) = store.summaries()
    assert (summary.pinned, summary.archived) == (False, False)


def test_tags_are_kept_once_each_without_blanks(store: Store) -> None:
    chat = saved(store, "q")
    store.set_tags(chat.id, ["工作", " to  do\n", "", "工作", "a,b"])
    assert store.summaries()[0].tags == ("工作", "to do", "a,b")
    store.set_tags(chat.id, [])
    assert store.load(chat.id).tags == []


def test_a_pinned_message_comes_back_pinned(store: Store) -> None:
    chat = branched(store)
    store.set_message_pinned(chat.id, "b2", True)
    store.set_message_pinned(chat.id, "a1", False)
    pinned = [m.id for m in store.load(chat.id).messages.values() if m.pinned]
    assert pinned == ["b2"]


def test_the_branch_that_was_shown_last_is_shown_again(store: Store) -> None:
    chat = branched(store)
    store.set_leaf(chat.id, "b2")
    assert [m.id for m in store.load(chat.id).branch()] == ["q1", "a1", "q2", "b2"]


def test_what_is_not_there_cannot_be_changed(store: Store) -> None:
    other = saved(store, "q")
    chat = branched(store)
    for change in (
        lambda: store.rename("gone", "x"),
        lambda: store.set_pinned("gone", True),
        lambda: store.set_archived("gone", True),
        lambda: store.set_tags("gone", ["x"]),
        lambda: store.fork("gone", "a1"),
    ):
        with pytest.raises(ChatNotFound) as told:
            change()
        assert told.value.code == "chat_not_found"
    for change in (
        lambda: store.set_leaf(other.id, "a1"),
        lambda: store.set_message_pinned(other.id, "a1", True),
        lambda: store.fork(other.id, "a1"),
    ):
        with pytest.raises(ChatNotFound) as told:
            change()
        assert told.value.code == "message_not_found"
    assert store.load(chat.id) == chat
    assert store.load(other.id) == other


def test_a_fork_is_the_branch_in_a_conversation_of_its_own(store: Store) -> None:
    chat = branched(store)
    store.set_pinned(chat.id, True)
    fork = store.fork(chat.id, "b2")
    assert store.load(fork.id) == fork
    branch = fork.branch()
    assert [m.content for m in branch] == ["oak?", "yes", "松树?", "no"]
    assert [m.pinned for m in branch] == [False, True, False, False]
    assert branch[3].thinking == "hm"
    assert (fork.title, fork.system_prompt) == ("Trees (2)", "Be brief.")
    assert (fork.tags, fork.pinned) == (["wood", "树"], False)
    assert len(fork.messages) == 4
    assert not set(fork.messages) & set(chat.messages)
    assert Window.of(fork, branch).first_id == branch[2].id
    assert store.load(chat.id).messages == chat.messages
    assert [s.title for s in store.summaries()] == ["Trees", "Trees (2)"]


def test_a_fork_of_a_fork_counts_on(store: Store) -> None:
    chat = branched(store)
    first = store.fork(chat.id, "a1")
    second = store.fork(first.id, first.branch()[0].id)
    assert second.title == "Trees (3)"
    assert [m.content for m in second.branch()] == ["oak?"]


def test_a_fork_of_an_answer_that_is_written_does_not_grow(store: Store) -> None:
    chat = saved(store, "q")
    answer = ChatMessage("assistant", "ha", parent_id=chat.leaf_id, state="streaming")
    put(store, chat, answer)
    fork = store.fork(chat.id, answer.id)
    assert (fork.branch()[-1].state, fork.branch()[-1].content) == ("interrupted", "ha")
    assert store.load(chat.id).messages[answer.id].state == "streaming"


def test_a_ring_of_parents_is_cut_where_the_file_is_damaged(store: Store) -> None:
    chat = branched(store)
    with closing(sqlite3.connect(store.file)) as connection:
        connection.execute("UPDATE message SET parent_id = 'a2' WHERE id = 'q1'")
        connection.commit()
    loaded = store.load(chat.id)
    assert set(loaded.messages) == set(chat.messages)
    for message_id in loaded.messages:
        assert loaded.branch(message_id)[-1].id == message_id
