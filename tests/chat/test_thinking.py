"""One finished text in two: thinking and answer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_tui.chat.thinking import Parts, ThinkingMode, split_finished, thinking_mode


@pytest.mark.parametrize(
    ("text", "opened", "wanted"),
    [
        ("<think>\nhm\n</think>\n\nParis", False, Parts("hm", "Paris", cut=False)),
        ("hm\n</think>\n\nParis", True, Parts("hm", "Paris", cut=False)),
        ("hm</think>Paris", False, Parts("hm", "Paris", cut=False)),
        ("Paris\n", False, Parts("", "Paris", cut=False)),
        ("", False, Parts("", "", cut=False)),
        ("<think>\n\n</think>\n\nParis", False, Parts("", "Paris", cut=False)),
        # Cut short inside the thinking, with the tag in the text or the prompt.
        ("<think>\nhm and", False, Parts("hm and", "", cut=True)),
        ("hm and", True, Parts("hm and", "", cut=True)),
        ("<think>", False, Parts("", "", cut=True)),
        ("", True, Parts("", "", cut=True)),
        # Of several the last counts.
        (
            "<think>a</think>b</think>c",
            False,
            Parts("a</think>b", "c", cut=False),
        ),
        ("<think>a</think>", False, Parts("a", "", cut=False)),
        # A tag that is only spoken of, in the middle of an answer.
        ("Use <think> here", False, Parts("", "Use <think> here", cut=False)),
        # Only newlines are stripped: spaces may be code.
        ("<think>a</think>\n    x = 1\n", False, Parts("a", "    x = 1", cut=False)),
        ("<think>想</think>巴黎", False, Parts("想", "巴黎", cut=False)),
    ],
)
def test_a_finished_text_is_split_by_the_rule(
    text: str, opened: bool, wanted: Parts
) -> None:
    assert split_finished(text, opened=opened) == wanted


_PIECES = st.lists(st.sampled_from(["<think>", "</think>", "\n", " ", "a", "好"]))


@settings(max_examples=200, deadline=None)
@given(_PIECES, st.booleans())
def test_every_text_is_split_without_loss(pieces: list[str], opened: bool) -> None:
    text = "".join(pieces)
    parts = split_finished(text, opened=opened)
    assert "</think>" not in parts.answer
    assert parts.thinking in text
    assert parts.answer in text
    assert not (parts.cut and parts.answer)
    for part in (parts.thinking, parts.answer):
        assert part == part.strip("\n")
    assert _letters(parts.thinking + parts.answer) == _letters(text)


def _letters(text: str) -> str:
    for other in ("<think>", "</think>", "\n", " "):
        text = text.replace(other, "")
    return text


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], ThinkingMode(on=True)),
        (["How many r's in blueberries? /no_think"], ThinkingMode(False, "/no_think")),
        (["a /no_think", "Really? /think"], ThinkingMode(True, "/think")),
        (["a /no_think", "and now?"], ThinkingMode(False, "/no_think")),
        (["/no_think 你好"], ThinkingMode(False, "/no_think")),
        (["你好/no_think"], ThinkingMode(False, "/no_think")),
        (["/think or /no_think."], ThinkingMode(False, "/no_think")),
        (["(/no_think)"], ThinkingMode(False, "/no_think")),
        (["see /usr/think, ./think, a/no_think"], ThinkingMode(on=True)),
        (["/thinking /think/of /think.py /no_thinker"], ThinkingMode(on=True)),
    ],
)
def test_the_last_soft_switch_counts(texts: list[str], expected: ThinkingMode) -> None:
    assert thinking_mode(wanted=True, kind="switch", texts=texts) == expected


def test_a_soft_switch_means_nothing_while_thinking_is_off() -> None:
    off = ThinkingMode(on=False)
    assert thinking_mode(wanted=False, kind="switch", texts=["/think"]) == off


@pytest.mark.parametrize("wanted", [True, False])
def test_a_model_without_a_switch_thinks_always_or_never(wanted: bool) -> None:
    texts = ["/think", "/no_think"]
    always = thinking_mode(wanted=wanted, kind="always", texts=texts)
    never = thinking_mode(wanted=wanted, kind="never", texts=texts)
    assert (always, never) == (ThinkingMode(on=True), ThinkingMode(on=False))
