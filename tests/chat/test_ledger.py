"""Where a prompt has to begin so that it fits, and what must be left to its answer."""

import pytest

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.history import prompt_history
from qwen_tui.chat.ledger import (
    MessageTokens,
    Movable,
    PromptTokens,
    answer_room,
    first_kept,
)
from qwen_tui.chat.window import Window

SYSTEM = Movable(10, is_user=False, is_fixed=True)
QUESTION = Movable(5, is_user=True)
ANSWER = Movable(20, is_user=False)


@pytest.mark.parametrize(
    ("excess", "place"), [(1, 3), (25, 3), (26, 5), (50, 5), (51, None)]
)
def test_whole_turns_go_the_oldest_first_and_the_last_one_stays(
    excess: int, place: int | None
) -> None:
    messages = [SYSTEM, QUESTION, ANSWER, QUESTION, ANSWER, QUESTION]
    assert first_kept(messages, excess) == place


def test_what_is_fixed_is_not_counted_as_gone() -> None:
    pinned = Movable(20, is_user=False, is_fixed=True)
    messages = [SYSTEM, QUESTION, pinned, QUESTION, ANSWER, QUESTION]
    assert first_kept(messages, 6) == 5


def test_a_pinned_question_may_be_where_the_prompt_begins() -> None:
    pinned = Movable(5, is_user=True, is_fixed=True)
    assert first_kept([QUESTION, ANSWER, pinned, ANSWER], 25) == 2


def test_the_parts_of_a_prompt_add_up() -> None:
    tokens = PromptTokens((MessageTokens(3), MessageTokens(4, 9)), 2, 1)
    assert tokens.total == 10


@pytest.mark.parametrize(
    ("length", "limit", "room"),
    [(4096, 32768, 512), (131072, 32768, 2048), (4096, 100, 100), (4, 50, 1)],
)
def test_an_answer_finds_an_eighth_of_the_context(
    length: int, limit: int, room: int
) -> None:
    assert answer_room(length, limit) == room


def _chat(*pinned: int) -> Conversation:
    chat = Conversation(system_prompt="Be brief.")
    for n in range(6):
        role = "assistant" if n % 2 else "user"
        chat.put(
            ChatMessage(
                role, f"m{n}", id=f"m{n}", parent_id=chat.leaf_id, pinned=n in pinned
            )
        )
    return chat


def test_a_window_leaves_out_what_is_before_it_but_the_pinned_and_the_system() -> None:
    chat = _chat(1)
    Window("m4", 100, "They met.").keep_in(chat)
    history = prompt_history(chat, "m5")
    assert [m.content for m in history.prompt] == [
        "Be brief.\n\nSummary of the earlier part of this conversation:\nThey met.",
        *("m1", "m4", "m5"),
    ]
    assert [m.id if m else None for m in history.sources] == [None, "m1", "m4", "m5"]
    branch = chat.branch()
    assert Window.of(chat, branch).outside(branch) == {"m0", "m2", "m3"}


def test_a_window_does_not_hold_on_a_branch_that_lacks_its_first_message() -> None:
    chat = _chat()
    Window("m4", 100).keep_in(chat)
    chat.put(ChatMessage("user", "other", id="x", parent_id="m1"))
    assert len(prompt_history(chat, "x").prompt) == 4
    Window().keep_in(chat)
    assert "window" not in chat.settings


@pytest.mark.parametrize("stored", [None, "x", {"first_id": 3}, {"summary": "s"}])
def test_a_strange_window_in_the_file_is_none(stored: object) -> None:
    chat = _chat()
    chat.settings["window"] = stored
    assert len(prompt_history(chat, "m5").prompt) == 7
