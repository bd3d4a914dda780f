"""Nothing in outside text moves the cursor, hides, or reorders what is read."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_tui.sanitize import sanitize, sanitize_line

HOSTILE = (
    [chr(c) for c in range(32) if chr(c) not in "\t\n"]
    + [chr(c) for c in range(0x7F, 0xA0)]
    + list("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    + list("\u2028\u2029\u200b\u200c\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u180e")
    + list("\ufff9\ufffa\ufffb\ud800\udbff\udc00\udfff")
    + [chr(c) for c in range(0xE0000, 0xE0080)]
)


@pytest.mark.parametrize("char", HOSTILE, ids=lambda c: f"U+{ord(c):04X}")
def test_no_hostile_character_comes_through(char: str) -> None:
    out = sanitize(f"a{char}b")
    assert char not in out
    assert out[0] == "a"
    assert out[-1] == "b"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("\x1b[2J\x1b[H", "␛[2J␛[H"),
        ("\x1b]52;c;cm0gLXJm\x07", "␛]52;c;cm0gLXJm␇"),
        ("\x1b]8;;http://x\x1b\\link", "␛]8;;http://x␛\\link"),
        ("\x9b31mred", "\ufffd31mred"),
        ("\x9d52;c;x\x9c", "\ufffd52;c;x\ufffd"),
        ("\x1bPq#0\x1b\\", "␛Pq#0␛\\"),
        ("\x00\x08\x0b\x0c\x0e\x1f\x7f", "␀␈␋␌␎␟␡"),
        ("abc\u202etxt.exe", "abc\ufffdtxt.exe"),
        ("pass\u200bword\ufeff", "password"),
        ("hi\U000e0068\U000e0069", "hi"),
        ("half \ud83d of one", "half \ufffd of one"),
        ("a\u2028b", "a\ufffdb"),
    ],
)
def test_what_a_terminal_would_act_on_becomes_visible_or_vanishes(
    text: str, wanted: str
) -> None:
    assert sanitize(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "tab\tand\nline feed",
        "中文，标点。「」",
        "e\u0301 combining",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family, joined by ZWJ
        "❤\ufe0f and ☂\ufe0e",
        "\U0001f44b\U0001f3fd",  # skin tone
        "日本語 العربية עברית हिन्दी",
        "no\u00a0break",
    ],
)
def test_what_people_write_stays(text: str) -> None:
    assert sanitize(text) == text


def test_every_line_end_becomes_a_line_feed() -> None:
    assert sanitize("a\r\nb\rc\n\rd") == "a\nb\nc\n\nd"


def test_a_line_has_neither_line_ends_nor_tabs() -> None:
    assert sanitize_line("a\r\nb\tc\nd\x1be") == "a b c d␛e"


_TEXT = st.text(
    alphabet=st.one_of(
        st.characters(), st.sampled_from(HOSTILE), st.sampled_from("\r\n\t a好")
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(_TEXT)
def test_whatever_comes_in_nothing_that_acts_comes_out(text: str) -> None:
    out = sanitize(text)
    out.encode("utf-8")
    for char in out:
        assert char in "\t\n" or unicodedata.category(char) not in ("Cc", "Cs")
        assert char not in HOSTILE
        assert unicodedata.bidirectional(char) not in {
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        }
    assert sanitize(out) == out


@settings(max_examples=100, deadline=None)
@given(_TEXT)
def test_a_line_is_one_line_and_stays_as_it_is(text: str) -> None:
    out = sanitize_line(text)
    assert len(out.splitlines()) <= 1
    assert sanitize_line(out) == out
