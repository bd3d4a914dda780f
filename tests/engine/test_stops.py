"""Texts that end an answer are found across pieces, and never shown."""

import pytest

from qwen_tui.engine.stops import StopTexts

pytestmark = pytest.mark.torch


def shown(pieces: list[str], *texts: str) -> tuple[str, bool]:
    stops = StopTexts(texts)
    text = "".join(stops.push(piece) for piece in pieces) + stops.finish()
    return text, stops.found


@pytest.mark.parametrize(
    ("pieces", "texts", "expected"),
    [
        (["one END two"], ["END"], ("one ", True)),
        (["one E", "N", "D two"], ["END"], ("one ", True)),
        (["EN", "EN", "D"], ["END"], ("EN", True)),
        (["one E", "N", "ough"], ["END"], ("one ENough", False)),
        (["one E", "N"], ["END"], ("one EN", False)),
        (["a,b;c"], [";", ","], ("a", True)),
        (["aab"], ["ab", "aab"], ("", True)),
        (["一、苹", "果。二、梨"], ["。"], ("一、苹果", True)),
        (["one\n\n", "two"], ["\n\n"], ("one", True)),
        (["one"], [], ("one", False)),
        (["one"], [""], ("one", False)),
    ],
)
def test_an_answer_ends_before_the_first_stop_text(
    pieces: list[str], texts: list[str], expected: tuple[str, bool]
) -> None:
    assert shown(pieces, *texts) == expected


def test_nothing_of_a_possible_stop_text_is_shown_too_early() -> None:
    stops = StopTexts(["END"])
    assert [stops.push(piece) for piece in ("one", " E", "N", "D")] == [
        *("one", " ", "", "")
    ]
    assert stops.found
    assert stops.push("more") == ""
