"""Thinking and answer are told apart by token id, as the rule for finished text."""

from functools import cache
from itertools import product
from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from qwen_tui.chat.thinking import split_finished
from qwen_tui.engine.thinking import (
    Channel,
    ThinkingSplitter,
    find_think_tags,
    opened_by,
)

pytestmark = pytest.mark.torch

OPEN, CLOSE = "<think>", "</think>"


@cache
def _load(folder: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


@pytest.fixture
def tokenizer(tiny: Path) -> PreTrainedTokenizerBase:
    return _load(tiny)


def _stream(
    tokenizer: PreTrainedTokenizerBase, text: str, *, opened: bool = False
) -> tuple[str, str, bool, int]:
    tags = find_think_tags(tokenizer)
    splitter = ThinkingSplitter(tokenizer, tags, opened=opened)
    pieces = [p for i in tokenizer.encode(text) for p in splitter.push(i)]
    pieces += splitter.finish()
    assert all(piece.text for piece in pieces)
    thinking = "".join(p.text for p in pieces if p.channel is Channel.THINKING)
    answer = "".join(p.text for p in pieces if p.channel is Channel.ANSWER)
    return thinking, answer, splitter.is_thinking, splitter.thinking_tokens


def _closes_after_the_answer_began(parts: tuple[str, ...], *, opened: bool) -> bool:
    """Tell whether a `</think>` comes when answer text has been shown already."""
    thinking, closed, answered = opened, False, False
    for part in parts:
        if part == CLOSE:
            if answered:
                return True
            thinking, closed = False, True
        elif part == OPEN and not thinking and not closed and not answered:
            thinking = True
        elif part.strip() and not thinking:
            answered = True
    return False


@pytest.mark.parametrize("opened", [False, True], ids=["plain", "opened by the prompt"])
@pytest.mark.parametrize(
    "tags",
    [
        (),
        (OPEN,),
        (CLOSE,),
        (OPEN, CLOSE),
        (CLOSE, CLOSE),
        (OPEN, OPEN),
        (OPEN, CLOSE, CLOSE),
        (CLOSE, OPEN),
    ],
    ids=lambda tags: " ".join(tags) or "no tag",
)
def test_streaming_equals_the_rule_for_finished_text(
    tokenizer: PreTrainedTokenizerBase, tags: tuple[str, ...], opened: bool
) -> None:
    texts = ("", "\n", " \n", "a", "\n\né 你\n")
    n_compared = 0
    for between in product(texts, repeat=len(tags) + 1):
        parts = [between[0]]
        for tag, text in zip(tags, between[1:], strict=True):
            parts += [tag, text]
        if _closes_after_the_answer_began(tuple(parts), opened=opened):
            continue
        n_compared += 1
        text = "".join(parts)
        expected = split_finished(text, opened=opened)
        got = _stream(tokenizer, text, opened=opened)
        assert got[:3] == tuple(expected), text
    assert n_compared > 0


def test_a_closing_tag_after_the_answer_began_stays_in_the_answer(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    text = f"{OPEN}\nhm\n{CLOSE}\n\nQwen writes {CLOSE} then answers."
    thinking, answer, cut, n_thinking = _stream(tokenizer, text)
    assert (thinking, answer) == ("hm", f"Qwen writes {CLOSE} then answers.")
    assert not cut
    assert n_thinking == len(tokenizer.encode(f"{OPEN}\nhm\n{CLOSE}"))


def test_thinking_cut_by_the_limit_is_all_thinking(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    text = f"{OPEN}\nhm, so"
    n_tokens = len(tokenizer.encode(text))
    assert _stream(tokenizer, text) == ("hm, so", "", True, n_tokens)


def test_a_tokenizer_without_tags_splits_nothing(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    splitter = ThinkingSplitter(tokenizer, None, opened=False)
    ids = tokenizer.encode("\na</think>b")
    text = "".join(p.text for i in ids for p in splitter.push(i))
    assert text == "a</think>b"
    assert splitter.thinking_tokens == 0


def test_an_answer_that_goes_on_keeps_its_line_ends(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    tags = find_think_tags(tokenizer)
    splitter = ThinkingSplitter(tokenizer, tags, opened=False, resumed=True)
    pieces = [p for i in tokenizer.encode("\n2. b") for p in splitter.push(i)]
    assert "".join(piece.text for piece in pieces) == "\n2. b"


def test_half_a_character_is_never_shown(tokenizer: PreTrainedTokenizerBase) -> None:
    splitter = ThinkingSplitter(tokenizer, None, opened=False)
    ids = tokenizer.encode("你👩‍👧好")
    shown = [[p.text for p in splitter.push(i)] for i in ids]
    assert "\ufffd" not in str(shown)
    assert "".join(text for texts in shown for text in texts) == "你👩‍👧好"
    splitter.push(ids[0])  # the first of three bytes, then the limit falls
    assert splitter.finish() == []


def test_the_prompt_is_scanned_backwards_for_an_open_tag(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    tags = find_think_tags(tokenizer)
    assert opened_by(tokenizer.encode(f"{OPEN}a{CLOSE}b{OPEN}\n"), tags)
    assert not opened_by(tokenizer.encode(f"{OPEN}\n\n{CLOSE}\n\n"), tags)
    assert not opened_by(tokenizer.encode("ab"), tags)
    assert not opened_by(tokenizer.encode(OPEN), None)
