"""Raw text with thinking in it, split the same way however it is cut into deltas."""

from hypothesis import given
from hypothesis import strategies as st

from qwen_tui.backends.remote_split import ThinkingSplit
from qwen_tui.chat.thinking import split_finished

WORDS = st.lists(
    st.sampled_from(["Hm", "<", "/", "<think", ">", "\n", " ", "ok", "</thin", "é"]),
    max_size=8,
).map("".join)


def parts(pieces: list[str], *, opened: bool) -> tuple[str, str, bool]:
    """Return thinking, answer, and whether thinking stayed open."""
    split = ThinkingSplit(opened=opened)
    found = [part for piece in pieces for part in split.answer(piece)]
    found += split.end()
    thinking = "".join(part.text for part in found if part.is_thinking)
    answer = "".join(part.text for part in found if not part.is_thinking)
    return thinking, answer, split.is_open


def cut(text: str, places: list[int]) -> list[str]:
    ends = sorted({min(place, len(text)) for place in places} | {len(text)})
    return [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]


@given(WORDS, WORDS, st.lists(st.integers(0, 60)), st.booleans())
def test_deltas_split_as_the_finished_text_does(
    thought: str, answer: str, places: list[int], opened: bool
):
    if "<think>" in thought + answer or "</think>" in thought + answer:
        return  # several tags: the finished text knows the last, a stream the first
    whole = thought + "</think>" + answer
    text = whole if opened else f"<think>{whole}"
    thinking, told, is_open = parts(cut(text, places), opened=opened)
    expected = split_finished(text, opened=opened)
    assert thinking.strip("\n") == expected.thinking
    assert told.strip("\n") == expected.answer
    assert not is_open


@given(WORDS, st.lists(st.integers(0, 60)))
def test_text_without_thinking_is_all_answer(text: str, places: list[int]):
    if "think>" in text or text.lstrip().startswith("<think"):
        return
    thinking, told, is_open = parts(cut(text, places), opened=False)
    assert (thinking, told, is_open) == ("", text.lstrip("\n"), False)


@given(WORDS, st.lists(st.integers(0, 60)))
def test_thinking_that_never_ends_is_open(text: str, places: list[int]):
    if "think>" in text:
        return
    thinking, told, is_open = parts(cut(f"<think>{text}", places), opened=False)
    assert thinking == text.lstrip("\n")
    assert (told, is_open) == ("", True)


def test_a_tag_in_what_the_server_calls_the_answer_is_text():
    split = ThinkingSplit()
    thoughts = split.thinking("Hm.")
    answer = split.answer("<think> is a tag, </think> too")
    assert [p.is_thinking for p in [*thoughts, *answer]] == [True, False]
