"""Tags as they are written, changed and looked for."""

import pytest

from qwen_tui.chat.tags import (
    has_tags,
    is_tagged,
    named_tags,
    read_tags,
    split_query,
    toggled,
    write_tags,
)


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("work", ["work"]),
        ("#work ##工作 work", ["work", "工作"]),
        ('a "two  words" #"b c"', ["a", "two words", "b c"]),
        (" # ## ", []),
        ("", []),
    ],
)
def test_tags_are_words_or_what_stands_in_quotes(text: str, tags: list[str]) -> None:
    assert read_tags(text) == tags


def test_what_is_shown_can_be_written_again() -> None:
    tags = ["work", "two words", "工作"]
    assert write_tags(tags) == '#work #"two words" #工作'
    assert read_tags(write_tags(tags)) == tags
    assert read_tags(write_tags(['a"b c'])) == ["a'b c"]


def test_an_argument_is_one_tag() -> None:
    assert named_tags(["#work", "two words", "# ", "work"]) == ["work", "two words"]


def test_naming_a_tag_adds_it_and_naming_it_again_takes_it_away() -> None:
    assert toggled(["work", "maths"], ["WORK", "new"]) == ["maths", "new"]


def test_tags_are_the_same_in_any_case() -> None:
    assert has_tags(["Work", "x"], ["wORK"])
    assert has_tags([], [])
    assert not has_tags(["work"], ["work", "x"])
    assert is_tagged(["Work"], "wo")
    assert not is_tagged(["Work"], "ork")


def test_only_what_is_a_tag_is_taken_out_of_a_search() -> None:
    query = '#WORK #include "a #work" #"b c" x#work'
    assert split_query(query, ["Work", "b c"]) == (
        '#include "a #work" x#work',
        {"work", "b c"},
    )
