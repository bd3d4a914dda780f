"""The tree of messages, and titles."""

from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_tui.chat.conversation import ChatMessage, Conversation, new_id, title_from


def chat(*texts: str) -> Conversation:
    conversation = Conversation()
    for text in texts:
        conversation.put(ChatMessage("user", text, parent_id=conversation.leaf_id))
    return conversation


def shown(conversation: Conversation, leaf_id: str | None = None) -> list[str]:
    return [m.content for m in conversation.branch(leaf_id)]


def test_an_empty_conversation_has_an_empty_branch() -> None:
    assert Conversation().branch() == []


def test_the_branch_leads_from_the_first_message_to_the_leaf() -> None:
    assert shown(chat("a", "b", "c")) == ["a", "b", "c"]


def test_a_sibling_opens_a_branch_and_keeps_the_other() -> None:
    conversation = chat("question", "first")
    question, first = conversation.branch()
    second = ChatMessage("assistant", "second", parent_id=question.id)
    conversation.put(second)
    assert shown(conversation) == ["question", "second"]
    assert shown(conversation, first.id) == ["question", "first"]
    assert conversation.siblings(second.id) == [first, second]
    assert conversation.siblings(question.id) == [question]


def test_first_messages_are_siblings_of_each_other() -> None:
    conversation = chat("a")
    conversation.put(ChatMessage("user", "b"))
    leaf = conversation.leaf_id
    assert leaf is not None
    assert [m.content for m in conversation.siblings(leaf)] == ["a", "b"]


def test_putting_a_message_again_replaces_it_in_its_place() -> None:
    conversation = chat("a", "b")
    first, second = conversation.branch()
    changed = ChatMessage("user", "A", id=first.id)
    conversation.put(changed)
    assert conversation.leaf_id == first.id
    assert list(conversation.messages) == [first.id, second.id]
    assert shown(conversation, second.id) == ["A", "b"]


def test_putting_a_message_makes_the_conversation_newer() -> None:
    conversation = Conversation(updated_at=0.0)
    conversation.put(ChatMessage("user", "a"))
    assert conversation.updated_at > 1_000_000_000


def test_ids_differ() -> None:
    assert len({new_id() for _number in range(1000)}) == 1000


def test_a_title_is_the_first_line_with_text() -> None:
    assert title_from("\n \n  What is Qwen?  \nmore") == "What is Qwen?"
    assert title_from("") == ""
    assert title_from(" \n\t") == ""


def test_a_long_title_is_cut_and_says_so() -> None:
    assert title_from("天" * 41) == "天" * 39 + "…"
    assert title_from("天" * 40) == "天" * 40
    assert title_from("abc def ghi", limit=9) == "abc def…"


@settings(max_examples=100, deadline=None)
@given(st.text(), st.integers(2, 20))
def test_a_title_is_short_stripped_and_never_half_a_character(
    text: str, limit: int
) -> None:
    title = title_from(text, limit)
    assert len(title) <= limit
    assert title == title.strip()
    assert len(title.splitlines()) <= 1
    title.encode("utf-8")
    assert title.removesuffix("…") in text or title in text
