"""A search within the conversations that have a tag."""

from qwen_tui.store.conversations import Store
from tests.store.chats import saved


def found(store: Store, query: str, **options: bool) -> list[tuple[str, str]]:
    """Return title and role of every hit."""
    return [(hit.title, hit.role) for hit in store.search(query, **options)]


def tagged(store: Store, title: str, tags: list[str], *contents: str) -> str:
    chat = saved(store, *contents)
    store.rename(chat.id, title)
    store.set_tags(chat.id, tags)
    return chat.id


def test_a_tag_leaves_only_what_was_said_in_its_conversations(store: Store) -> None:
    tagged(store, "one", ["Work"], "the needle", "no")
    tagged(store, "two", [], "the needle")
    tagged(store, "three", ["work", "b c"], "a needle \0 behind", "and hay")
    assert found(store, "needle #work") == [("three", "user"), ("one", "user")]
    assert found(store, '#"b c" needle #WORK') == [("three", "user")]
    assert found(store, "hay #work") == [("three", "assistant")]
    assert found(store, "nothing #work") == []


def test_a_tag_alone_lists_its_conversations(store: Store) -> None:
    tagged(store, "one", ["work"], "x")
    tagged(store, "two", [], "x")
    archived = tagged(store, "three", ["work"], "x")
    store.set_archived(archived, True)
    assert found(store, "#work") == [("three", ""), ("one", "")]
    assert found(store, "#work on", only_titles=True) == [("one", "")]


def test_more_than_a_third_is_listed_where_no_word_is_asked_for(store: Store) -> None:
    for number in range(5):
        tagged(store, str(number), ["work"], "x")
    assert len(store.search("#work", limit=5)) == 5


def test_a_sign_before_what_is_no_tag_is_text(store: Store) -> None:
    tagged(store, "one", ["work"], "#include <stdio.h>", "#working")
    assert found(store, "#include") == [("one", "user")]
    assert found(store, "#worki") == [("one", "assistant")]
    assert found(store, '"#work"') == [("one", "assistant")]


def test_a_deleted_tag_is_a_word_again(store: Store) -> None:
    chat_id = tagged(store, "one", ["work"], "x", "#work")
    assert found(store, "#work") == [("one", "")]
    store.set_tags(chat_id, [])
    assert found(store, "#work") == [("one", "assistant")]
