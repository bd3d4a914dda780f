"""What a terminal sends, in every way it may be cut."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.ui.input_filter import (
    PASTE_END,
    PASTE_START,
    SILENCE_S,
    InputFilter,
    Pasted,
    Typed,
)


def feed_in_parts(data: bytes, cuts: list[int]) -> list[Typed | Pasted]:
    input_filter = InputFilter()
    ends = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [part for a, b in pairwise(ends) for part in input_filter.feed(data[a:b])]


def pastes(found: list[Typed | Pasted]) -> list[str]:
    return [part.text for part in found if isinstance(part, Pasted)]


def typed(found: list[Typed | Pasted]) -> str:
    """What the key parser gets, without the empty frames of pastes."""
    text = "".join(part.text for part in found if isinstance(part, Typed))
    return text.replace(PASTE_START + PASTE_END, "")


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"])),
    st.lists(st.integers(0, 10_000), max_size=30),
)
def test_a_paste_arrives_whole_however_its_bytes_are_cut(text: str, cuts: list[int]):
    data = f"a{PASTE_START}{text}{PASTE_END}z".encode()
    found = feed_in_parts(data, cuts)
    assert pastes(found) == [text]
    assert typed(found) == "az"


@given(st.text(), st.lists(st.integers(0, 10_000), max_size=10))
def test_nothing_inside_a_paste_becomes_typed(text: str, cuts: list[int]):
    inside = text.replace(PASTE_END, "").encode("utf-8", "ignore")
    data = PASTE_START.encode() + inside + PASTE_END.encode()
    found = feed_in_parts(data, cuts)
    assert typed(found) == ""
    kept = "".join(pastes(found))
    assert not any(c < " " and c not in "\t\n" for c in kept)


def test_escape_sequences_and_line_ends_of_a_paste_are_made_harmless():
    found = InputFilter().feed(
        b"\x1b[200~one\x1b[31m\r\ntwo\rthree\x07\xc2\x9b\x1b[201~"
    )
    assert pastes(found) == ["one[31m\ntwo\nthree"]


def test_an_end_marker_hidden_in_a_paste_does_not_end_it():
    found = InputFilter().feed(b"\x1b[200~safe\x1b[201~\rrm -rf\r\x1b[201~")
    assert pastes(found) == ["safe[201~\nrm -rf\n"]
    assert typed(found) == ""


def test_two_pastes_in_one_read_stay_two():
    found = InputFilter().feed(b"\x1b[200~one\x1b[201~x\x1b[200~two\x1b[201~")
    assert pastes(found) == ["one", "two"]
    assert typed(found) == "x"


def test_a_byte_that_is_no_utf8_becomes_the_replacement_character():
    found = InputFilter().feed(b"a\xffb")
    assert typed(found) == "a\ufffdb"


def test_a_character_cut_between_two_reads_is_whole():
    input_filter = InputFilter()
    found = [*input_filter.feed(b"\xe4\xbd"), *input_filter.feed(b"\xa0")]
    assert typed(found) == "\u4f60"


def test_the_parser_gets_a_lone_escape_at_once():
    assert InputFilter().feed(b"\x1b") == [Typed("\x1b")]


def test_a_paste_whose_end_is_lost_is_closed_after_a_long_silence():
    now = [0.0]
    input_filter = InputFilter(clock=lambda: now[0])
    input_filter.feed(b"\x1b[200~half\x1b[20")
    now[0] = SILENCE_S / 2
    assert input_filter.tick() == []
    now[0] = SILENCE_S
    assert input_filter.tick() == [Pasted("half[20")]
    assert input_filter.feed(b"q") == [Typed("q")]
