"""Circles are noticed, and what merely looks alike is not."""

import random

import pytest

from qwen_tui.chat.loop_guard import LoopGuard

pytestmark = pytest.mark.torch


def noticed_after(tokens: list[int]) -> int | None:
    """Return the number of tokens after which the guard spoke, None for never."""
    guard = LoopGuard()
    return next((i for i, t in enumerate(tokens, 1) if guard.push(t)), None)


@pytest.mark.parametrize("period", [1, 2, 7, 60, 300, 500])
def test_a_circle_is_noticed_within_three_rounds_and_some_hundred_tokens(
    period: int,
) -> None:
    generator = random.Random(period)
    opening = [generator.randrange(1000) for _ in range(400)]
    circle = [generator.randrange(1000, 2000) for _ in range(period)]
    after = noticed_after(opening + circle * (3000 // period))
    assert after is not None
    assert 400 + 2 * period < after <= 400 + 2 * period + 256 + 8


def test_a_word_that_changes_now_and_then_hides_no_circle() -> None:
    line = list(range(100, 340))
    tokens = [t for i in range(12) for t in [*line, 5000 + i]]
    assert noticed_after(tokens) is not None


def test_an_answer_said_twice_is_no_circle() -> None:
    words = random.Random(3)
    half = [words.randrange(50_000) for _ in range(900)]
    assert noticed_after(half + half) is None


def test_a_numbered_list_of_like_lines_is_no_circle() -> None:
    line = list(range(10))
    assert noticed_after([t for i in range(200) for t in [*line, 1000 + i]]) is None


def test_a_separator_line_is_no_circle() -> None:
    words = random.Random(9)
    tokens = [words.randrange(9000) for _ in range(300)] + [7] * 120
    assert (
        noticed_after([*tokens, *(words.randrange(9000) for _ in range(500))]) is None
    )
