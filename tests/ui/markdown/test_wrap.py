"""Where rows end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from qwen_tui.ui.markdown.rows import Piece
from qwen_tui.ui.markdown.wrap import fold, wrap


def wrapped(text: str, width: int) -> list[str]:
    return [row.text for row in wrap([Piece(text)], width)]


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("显存占用主要由权重", 8, ["显存占用", "主要由权", "重"]),
        ("显存占用。主要", 8, ["显存占", "用。主要"]),
        ("显存占“用”", 8, ["显存占", "“用”"]),
        ("使用Python（3.11）编写", 10, ["使用Python", "（3.11）编", "写"]),
        ("don’t stop", 6, ["don’t", "stop"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("x 显存", 3, ["x", "显", "存"]),
        ("😀😀👍🏽", 4, ["😀😀", "👍🏽"]),
        ("e\u0301e\u0301e\u0301", 2, ["e\u0301e\u0301", "e\u0301"]),
        ("    indented text", 12, ["    indented", "text"]),
        ("a\n\nb  ", 5, ["a", "", "b"]),
        ("", 5, [""]),
    ],
)
def test_rows_end_where_they_should(text: str, width: int, rows: list[str]) -> None:
    assert wrapped(text, width) == rows


TEXTS = st.text(alphabet="ab，。（）“”显存占用 \n😀\u0301e-/.,!", max_size=120)


@given(TEXTS, st.integers(4, 30))
def test_copying_gives_the_text_back(text: str, width: int) -> None:
    rows = wrap([Piece(text)], width)
    copied = "".join(row.copied(0, None) + row.join for row in rows)
    assert copied.split() == text.split()
    assert "".join(copied.split()) == "".join(text.split())
    assert all(cell_len(row.text) <= width for row in rows)


@given(TEXTS, TEXTS, st.integers(4, 30))
def test_more_text_changes_the_last_row_only(text: str, more: str, width: int) -> None:
    before = wrapped(text, width)
    assert wrapped(text + more, width)[: len(before) - 1] == before[:-1]


def test_code_is_folded_to_the_cell() -> None:
    rows = fold([Piece("显存占用abc", "code")], 5)
    assert [row.text for row in rows] == ["显存", "占用a", "bc"]
    assert [row.join for row in rows] == ["", "", "\n"]
