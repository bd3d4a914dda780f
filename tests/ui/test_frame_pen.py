"""SGR sequences from one look to another: short, and never leaving anything behind."""

import random

import pyte
import pytest

from qwen_tui.ui.frame_pen import pen_change

FRONTS = ("", "39", "31", "97", "38;5;196", "38;2;224;224;224", "38;2;5;2;3")
BACKS = ("", "49", "44", "105", "48;5;18", "48;2;18;18;18")
ATTRIBUTES = ("1", "2", "3", "4", "7", "9")


def some_codes(random_: random.Random) -> str:
    parts = random_.sample(ATTRIBUTES, random_.choice([0, 0, 1, 2, 4]))
    parts += [random_.choice(FRONTS), random_.choice(BACKS)]
    return ";".join(part for part in parts if part)


def look_after(sequences: list[str]) -> object:
    screen = pyte.Screen(10, 1)
    pyte.Stream(screen).feed("".join(sequences) + "x")
    return screen.buffer[0][0]


@pytest.mark.parametrize("seed", range(20))
def test_any_chain_of_changes_ends_in_the_look_that_was_asked_for(seed: int) -> None:
    random_ = random.Random(seed)
    sent: list[str] = []
    before: str | None = None
    for _step in range(30):
        codes = some_codes(random_)
        sent.append(pen_change(before, codes))
        assert look_after(sent) == look_after([f"\x1b[0;{codes}m"]), (before, codes)
        before = codes


def test_only_what_changes_is_sent() -> None:
    plain = "38;2;224;224;224;48;2;18;18;18"
    number = "38;2;255;196;115;48;2;18;18;18"
    assert pen_change(plain, number) == "\x1b[38;2;255;196;115m"
    assert pen_change(f"3;{plain}", plain) == "\x1b[23m"
    assert pen_change(plain, f"1;{plain}") == "\x1b[1m"
    assert pen_change(plain, "") == "\x1b[0m"
    assert pen_change(None, plain) == f"\x1b[0;{plain}m"
    assert pen_change("1;31", "31;1") == ""
