"""What a title is asked of, and made of."""

from dataclasses import replace

import pytest

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.titling import MOST_CHARACTERS, clean_title, wants_title
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
        ("", ""),
        (" \n ", ""),
    ],
)
def test_a_title_is_one_line_without_what_models_put_around_it(
    written: str, title: str
) -> None:
    assert clean_title(written) == title


def test_a_long_title_is_cut() -> None:
    assert len(clean_title("word " * 40)) <= MOST_CHARACTERS


def test_only_a_young_talk_with_a_title_nobody_gave_wants_one() -> None:
    assert wants_title(talk("Do cats purr?", "Do cats purr?", "Yes."), LOADED)
    assert not wants_title(talk("Mine", "Do cats purr?", "Yes."), LOADED)
    assert not wants_title(talk("Do cats purr?", "Do cats purr?"), LOADED)
    assert not wants_title(talk("a", *"abababab"), LOADED)
    thinker = replace(LOADED, thinking="always")
    assert not wants_title(talk("Do cats purr?", "Do cats purr?", "Yes."), thinker)
