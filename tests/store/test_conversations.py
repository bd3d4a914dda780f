"""The store keeps what it was given, whole, and finds it again."""

import threading
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.errors import ChatNotFound
from qwen_tui.store.conversations import Store
from tests.store.chats import saved


def reopened(store: Store) -> Store:
    store.close()
    return Store(store.file)


def test_a_conversation_comes_back_with_every_field(store: Store) -> None:
    conversation = saved(
        store,
        "你好",
        "Hello",
        title="问候 👋🏽",
        model="demo",
        system_prompt="Be brief.",
        settings={"thinking": False, "sampling": {"top_k": 3}},
        pinned=True,
    )
    answer = ChatMessage(
        "assistant",
        "Hi",
        parent_id=conversation.siblings(conversation.leaf_id or "")[0].parent_id,
        thinking="hm\nhm",
        state="stopped",
        model="demo",
        revision="abc",
        sampling={"temperature": 0.6, "seed": 7},
        usage={"answer_tokens": 3, "finish_reason": "length"},
        pinned=True,
    )
    conversation.put(answer)
    store.save_message(conversation.id, answer)
    store.save_conversation(conversation)
    again = reopened(store)
    assert again.load(conversation.id) == conversation
    again.close()


def test_branches_keep_the_order_in_which_they_were_made(store: Store) -> None:
    conversation = saved(store, "question", "first")
    question = conversation.branch()[0]
    # A clock that goes back must not shuffle them.
    for text, when in (("second", 5.0), ("third", 1.0)):
        message = ChatMessage("assistant", text, parent_id=question.id, created_at=when)
        conversation.put(message)
        store.save_message(conversation.id, message)
    loaded = store.load(conversation.id)
    answers = [m for m in loaded.messages.values() if m.parent_id == question.id]
    assert [m.content for m in answers] == ["first", "second", "third"]


def test_saving_a_message_again_replaces_it(store: Store) -> None:
    conversation = saved(store, "question", "half")
    half = conversation.branch()[-1]
    store.save_message(conversation.id, replace(half, content="half and whole"))
    loaded = store.load(conversation.id)
    assert [m.content for m in loaded.branch()] == ["question", "half and whole"]


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"])),
    noise=st.text(alphabet="a\x00\ud800\udc00\udfff\U0001f600", max_size=6),
)
def test_any_text_is_kept(store: Store, text: str, noise: str) -> None:
    conversation = saved(store, text, noise, title=text)
    loaded = store.load(conversation.id)
    assert loaded.title == text
    assert loaded.branch()[0].content == text
    kept = loaded.branch()[1].content
    joined = noise.encode("utf-16-le", "surrogatepass")
    assert kept == joined.decode("utf-16-le", "replace")


def test_a_broken_emoji_is_joined_and_half_of_one_is_marked(store: Store) -> None:
    conversation = saved(store, "\ud83d\ude00 ok \ud83d")
    assert store.load(conversation.id).branch()[0].content == "\U0001f600 ok \ufffd"


def test_a_leaf_that_was_never_saved_falls_back_to_the_newest(store: Store) -> None:
    conversation = saved(store, "question", "answer")
    last = conversation.leaf_id
    conversation.put(ChatMessage("user", "lost in a crash", parent_id=last))
    store.save_conversation(conversation)
    assert store.load(conversation.id).leaf_id == last


def test_a_message_without_its_parent_is_kept(store: Store) -> None:
    conversation = saved(store)
    store.save_message(conversation.id, ChatMessage("user", "x", parent_id="gone"))
    (message,) = store.load(conversation.id).messages.values()
    assert (message.content, message.parent_id) == ("x", None)


def test_a_title_given_in_another_program_stays(store: Store) -> None:
    mine = saved(store, "q", title="old")
    other = Store(store.file)
    theirs = other.load(mine.id)
    theirs.title = "theirs"
    other.save_conversation(theirs)
    mine.pinned = True
    store.save_conversation(mine)
    loaded = other.load(mine.id)
    other.close()
    assert (loaded.title, loaded.pinned) == ("theirs", True)


def test_what_another_program_deleted_is_told_and_stays_deleted(store: Store) -> None:
    mine = saved(store, "q")
    other = Store(store.file)
    other.delete(mine.id)
    other.close()
    with pytest.raises(ChatNotFound):
        store.save_conversation(mine)
    with pytest.raises(ChatNotFound):
        store.save_message(mine.id, ChatMessage("user", "more"))
    assert store.summaries() == []


def test_summaries_are_pinned_first_then_newest_and_count_messages(
    store: Store,
) -> None:
    saved(store, title="pinned", model="m", pinned=True, tags=["work"])
    saved(store, title="old")
    saved(store, "q", "a", title="new")
    saved(store, title="away", archived=True)
    pinned, new, old = store.summaries()
    assert (pinned.title, pinned.pinned, pinned.tags) == ("pinned", True, ("work",))
    assert (new.title, new.n_messages, new.pinned) == ("new", 2, False)
    assert (old.title, old.n_messages, pinned.model) == ("old", 0, "m")
    assert [s.title for s in store.summaries(archived=True)] == ["away"]


def test_latest_is_the_last_used_that_holds_a_message(store: Store) -> None:
    assert store.latest() is None
    saved(store, title="empty")
    assert store.latest() is None
    first = saved(store, "one")
    saved(store, "two")
    saved(store, "hidden", archived=True)
    first.put(ChatMessage("user", "used again", parent_id=first.leaf_id))
    store.save_conversation(first)
    latest = store.latest()
    assert latest is not None
    assert latest.id == first.id


@pytest.mark.parametrize("ref", ["aabb00000001", "aabb00000001x", "aac", "天气"])
def test_find_takes_an_id_the_start_of_one_or_a_title(store: Store, ref: str) -> None:
    wanted = {"aabb00000001": 0, "aabb00000001x": 1, "aac": 2, "天气": 3}[ref]
    ids = ["aabb00000001", "aabb00000001x", "aac000000000", "bb0000000000"]
    titles = ["t", "t", "u", "天气"]
    for chat_id, title in zip(ids, titles, strict=True):
        saved(store, id=chat_id, title=title)
    assert store.find(ref).id == ids[wanted]


@pytest.mark.parametrize("ref", ["aa", "t"])
def test_find_names_the_candidates_where_several_fit(store: Store, ref: str) -> None:
    saved(store, id="aa01", title="t")
    saved(store, id="aa02", title="t")
    with pytest.raises(ChatNotFound) as told:
        store.find(ref)
    assert told.value.code == "chat_ambiguous"
    assert "aa01" in told.value.hint
    assert "aa02" in told.value.hint


@pytest.mark.parametrize("ref", ["", "%", "_", "nothing", "\x00", "\ud800"])
def test_find_tells_what_is_not_there(store: Store, ref: str) -> None:
    saved(store, "text", title="title")
    with pytest.raises(ChatNotFound) as told:
        store.find(ref)
    assert told.value.code == "chat_not_found"


def test_threads_may_save_at_once(store: Store) -> None:
    conversation = saved(store)

    def write(name: str) -> None:
        for number in range(20):
            store.save_message(conversation.id, ChatMessage("user", f"{name} {number}"))
            store.summaries()

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(store.load(conversation.id).messages) == 80


def test_closing_twice_is_fine(store: Store) -> None:
    store.close()
    store.close()
