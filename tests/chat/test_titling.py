"""What a title is asked of, and made of."""

from dataclasses import replace

import pytest

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.titling import (
    MOST_CHARACTERS,
    read_title,
    title_request,
    wants_title,
)
from tests.scripted import LOADED


def talk(title: str, *contents: str) -> Conversation:
    """Return a conversation whose messages alternate."""
    chat = Conversation(title=title)
    for number, content in enumerate(contents):
        role = "assistant" if number % 2 else "user"
        chat.put(ChatMessage(role, content, parent_id=chat.leaf_id))
    return chat


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Memory of a cat", "Memory of a cat"),
        ('\n"Cats and memory."\nand more', "Cats and memory"),
        ("Title: **Cats**", "Cats"),
        ("标题：《显存估算》。", "显存估算"),
        ("Node.js vs. Deno", "Node.js vs. Deno"),
        ("I/O in Python", "I/O in Python"),
        ("**Cats**\n\nThis title tells what it is about.", "Cats"),
        ("我的世界服务器", "我的世界服务器"),
    ],
)
def test_a_title_is_one_line_without_what_models_put_around_it(
    written: str, title: str
) -> None:
    assert read_title(written, "They purr.") == title


@pytest.mark.parametrize(
    "written",
    [
        "",
        " \n ",
        "...",
        "Nice to meet you, Ada!",
        "很高兴认识你，艾达",
        "What do you want to know?",
        "你想知道什么？",
        "Cats purr. They do it softly",
        "猫会打呼噜。它们很开心",
        "Cats purr when they are content.",
        '"Cats purr when they are content."',
        "Cats purr\nThey do it when they are content",
        "Yes, most of them",
        "Sorry, I do not know",
        "我是一个语言模型",
        "1. Cats",
        "User: cats",
        "<think>",
        "<think>\nhm\n</think>\nCats",
        "<|im_end|>",
        "```python\nprint(1)\n```",
        '{"title": "Cats"}',
        "word " * 40,
        "猫" * 31,
    ],
)
def test_what_reads_like_an_answer_is_no_title(written: str) -> None:
    assert read_title(written, "They purr.") == ""


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("Paris", "Paris."),
        ("The capital of France", "**The capital** of France is Paris."),
        ("Paris, of course", "Paris"),
        ("法国的首都", "法国的首都是巴黎。"),
    ],
)
def test_what_begins_like_the_answer_is_no_title(written: str, answer: str) -> None:
    assert read_title(written, answer) == ""
    assert read_title(written, "???") == written.strip()


def test_a_long_title_is_cut() -> None:
    title = read_title("The purring of cats and what it may mean to them", "Yes.")
    assert 30 < len(title) <= MOST_CHARACTERS
    assert title.endswith("\u2026")


def test_the_same_talk_is_asked_for_the_same_title() -> None:
    chat = talk("Do cats purr?", "Do cats purr?", "Yes.")
    request = title_request(chat)
    assert request == title_request(chat)
    assert request.sampling.temperature == 0


def test_only_a_young_talk_with_a_title_nobody_gave_wants_one() -> None:
    assert wants_title(talk("Do cats purr?", "Do cats purr?", "Yes."), LOADED)
    assert not wants_title(talk("Mine", "Do cats purr?", "Yes."), LOADED)
    assert not wants_title(talk("Do cats purr?", "Do cats purr?"), LOADED)
    assert not wants_title(talk("a", *"abababab"), LOADED)
    thinker = replace(LOADED, thinking="always")
    assert not wants_title(talk("Do cats purr?", "Do cats purr?", "Yes."), thinker)
