"""Markdown that grows: the rows are the same however it came."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_tui.sanitize import sanitize
from qwen_tui.ui.markdown.document import Document
from qwen_tui.ui.markdown.highlight import Lexers
from qwen_tui.ui.markdown.layout import Layout
from qwen_tui.ui.markdown.nodes import build_nodes
from qwen_tui.ui.markdown.parser import build_parser, read_blocks
from qwen_tui.ui.markdown.plain_text import PlainText, Rows
from qwen_tui.ui.markdown.rows import EMPTY_ROW, Row, width_of
from tests.ui.markdown.corpus import ENGLISH, LONG, PARTS, TEXTS

PARSER = build_parser()
LEXERS = Lexers()
INLINE_PARTS = [part for part in PARTS if "\n" not in part and "\r" not in part]


def document(width: int) -> Document:
    return Document(width, parser=PARSER, lexers=LEXERS)


def whole(text: str, width: int) -> list[Row]:
    """Return the rows of a message that is there at once."""
    return set_rows(document(width), text)


def set_rows(rows: Rows, text: str) -> list[Row]:
    rows.append(text)
    rows.finish()
    while rows.behind:
        rows.step()
    return [rows[number] for number in range(len(rows))]


def streamed(text: str, size: int, width: int) -> list[Row]:
    """Return the rows of a message that came in pieces, each of them drawn."""
    rows = document(width)
    for start in range(0, len(text), size):
        rows.append(text[start : start + size])
        rows.step()
    rows.finish()
    rows.step()
    return [rows[number] for number in range(len(rows))]


def read_at_once(text: str, width: int) -> list[Row]:
    """Return what one reading of the whole text gives, nothing of it settled."""
    source = sanitize(text)
    layout = Layout(PARSER, LEXERS, source.split("\n"))
    rows: list[Row] = []
    before = None
    for node in build_nodes(read_blocks(PARSER, source)):
        rows += [EMPTY_ROW] * layout.gap(before, node) + layout.rows(node, width)
        before = node
    return rows


@pytest.mark.parametrize("width", [80, 36, 10])
@pytest.mark.parametrize("name", TEXTS)
def test_pieces_of_any_size_give_the_rows_of_the_whole(name: str, width: int) -> None:
    text = TEXTS[name]
    rows = whole(text, width)
    assert rows == read_at_once(text, width)
    for size in (1, 3, 7) if text is not LONG else (61,):
        assert streamed(text, size, width) == rows


MIXTURES = st.lists(st.sampled_from(PARTS), max_size=60).map("".join)
LINES = st.lists(st.sampled_from(INLINE_PARTS), min_size=1, max_size=6).map("".join)


@given(MIXTURES, st.sampled_from([1, 3, 7]), st.sampled_from([70, 30, 12]))
@settings(max_examples=150, deadline=None)
def test_random_mixtures_give_the_rows_of_the_whole(
    text: str, size: int, width: int
) -> None:
    rows = whole(text, width)
    assert streamed(text, size, width) == rows
    assert read_at_once(text, width) == rows


@st.composite
def long_blocks(draw: st.DrawFn) -> str:
    """Return a block that grows beyond what is drawn again with each piece."""
    lines = draw(st.lists(LINES, min_size=3, max_size=6))
    many = lines * draw(st.sampled_from([5, 12, 25]))
    kind = draw(st.sampled_from(["list", "fence", "table", "paragraph", "lines"]))
    match kind:
        case "list":
            marks = draw(st.sampled_from([["- "], ["1. "], ["- ", "  - ", "  "]]))
            return "".join(
                f"{marks[n % len(marks)]}{line}\n" for n, line in enumerate(many)
            )
        case "fence":
            language = draw(st.sampled_from(["", "python", "js", "html"]))
            end = draw(st.sampled_from(["```\n", ""]))
            return f"```{language}\n" + "".join(f"{line}\n" for line in many) + end
        case "table":
            return "|a|b|\n|-|-|\n" + "".join(f"|{line}|x|\n" for line in many)
        case "paragraph":
            return (
                "显存占用主要由" + "".join(many * 3) + draw(st.sampled_from(["", "\n"]))
            )
        case _:
            return "".join(f"{line}\n" for line in many) + "\n"


@given(st.lists(long_blocks(), min_size=1, max_size=2).map("".join))
@settings(max_examples=25, deadline=None)
def test_long_blocks_give_the_rows_of_the_whole(text: str) -> None:
    rows = whole(text, 40)
    assert streamed(text, 61, 40) == rows
    assert read_at_once(text, 40) == rows


@given(MIXTURES, st.sampled_from([40, 17]))
@settings(max_examples=100, deadline=None)
def test_no_row_is_wider_than_the_screen(text: str, width: int) -> None:
    for row in whole(text, width):
        assert width_of(row.pieces) <= width, row


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_nothing_a_terminal_would_act_on_is_in_a_row(text: str) -> None:
    for row in [*whole(text, 30), *set_rows(PlainText(30), text)]:
        assert sanitize(row.text) == row.text
        assert "\n" not in row.text
        assert "\t" not in row.text


def test_a_flush_draws_a_bounded_part_of_any_block() -> None:
    openings = {
        "list": "".join(f"{n}. item **{n}**\n" for n in range(500)),
        "fence": "```python\n" + "x = [1, 2]  # 三\n" * 500,
        "table": "|a|b|\n|-|-|\n" + "| some | cells |\n" * 500,
        "paragraph": "显存占用主要由**权重**与缓存两部分组成。" * 500,
    }
    for name, text in openings.items():
        rows = document(60)
        rows.append(text)
        while rows.behind:
            rows.step()
        rows.append("x")
        assert len(rows) - rows.step() < 100, name


def test_only_changed_rows_are_told() -> None:
    rows = document(60)
    rows.append("# Title\n\nfirst\nsecond")
    assert rows.step() == 0
    rows.append(" part")
    assert rows.step() == len(rows) - 1
    rows.append("\n\nthird")
    assert rows.step() == len(rows) - 2


def test_a_cr_waits_for_its_lf() -> None:
    rows = document(60)
    rows.append("one\r")
    rows.step()
    rows.append("\ntwo")
    rows.step()
    assert [rows[n].text for n in range(len(rows))] == ["one", "two"]


def test_code_gets_its_colours_when_its_language_is_loaded() -> None:
    lexers = Lexers(load_at_once=False)
    rows = Document(60, parser=PARSER, lexers=lexers)
    rows.append("```python\nif True: pass\n```\n\nafter\n\nthat\n" + "\nmore" * 1000)
    rows.step()
    assert not rows.behind
    assert not rows.complete
    assert rows[1].pieces[1].look == "code"
    lexers.load("python")
    assert rows.behind
    while rows.behind:
        rows.step()
    assert rows.complete
    assert rows[1].pieces[1].look == "code code-keyword"
    assert rows[len(rows) - 1].text == "more"


def shown(text: str, width: int = 60) -> list[str]:
    return [row.text.rstrip() for row in whole(text, width)]


def test_html_stays_text() -> None:
    text = "<think>\nUse `List<int>` &amp; <b>x</b>\n\n<details>\n</details>"
    expected = ["<think>", "Use List<int> & <b>x</b>", "", "<details>", "</details>"]
    assert shown(text) == expected


def test_nested_lists_keep_their_order_and_indent() -> None:
    text = "3. a\n4. b\n   - c\n     continued\n   - d\n\n5. e"
    expected = ["3. a", "4. b", "   * c", "     continued", "   * d", "", "5. e"]
    assert shown(text) == expected


def test_a_half_open_fence_is_code_already() -> None:
    assert shown("text\n```py\nx = **1**") == ["text", "", " py", " x = **1**"]


def test_a_table_fits_its_width() -> None:
    text = "|名称|说明|\n|-|-:|\n|甲|短|\n|乙|" + "很长的说明" * 12 + "|\n"
    assert shown(text) == [
        "名称" + " " * 52 + "说明",
        "----   " + "-" * 53,
        "甲" + " " * 56 + "短",
        "",
        *(line for line in shown(text)[4:]),
    ]
    assert all(width_of(row.pieces) <= 60 for row in whole(text, 60))


def test_a_table_that_does_not_fit_a_narrow_screen_is_a_list() -> None:
    head = "|Model|Weights in bf16|KV per 1k tokens|\n|-|-|-|\n"
    text = head + "|8B|15 GiB|144 MiB|\n|14B||x|"
    assert shown(text, 30) == [
        "- 8B",
        "  Weights in bf16: 15 GiB",
        "  KV per 1k tokens: 144 MiB",
        "- 14B",
        "  KV per 1k tokens: x",
    ]
    pairs = "|Name of it|Value|\n|-|-|\n|one|" + "word " * 9 + "|\n"
    assert shown(pairs, 20)[0] == "- one: word word"


def test_a_rule_after_a_long_line_makes_no_heading_of_it() -> None:
    looks = {
        text: whole(text + "\n---\n", 60)[0].pieces[0].look
        for text in ("A title", "one line\nand another", "word " * 60)
    }
    assert looks["A title"] == "heading heading-2"
    assert [look for text, look in looks.items() if text != "A title"] == ["", ""]


def test_math_blocks_are_readable_and_copied_as_their_source() -> None:
    text = "so\n\\[\n\\frac{a}{b} \\le c^2\n\\]\nthen"
    rows = whole(text, 60)
    assert [row.text for row in rows] == ["so", "", "    a/b ≤ c²", "", "then"]
    assert rows[2].copied(0, None) == "\\[\n\\frac{a}{b} \\le c^2\n\\]"
    assert shown("$$\nx^2") == ["$$", "x^2"]


def test_the_corpus_has_every_construct() -> None:
    kinds = {token.type for token in read_blocks(PARSER, ENGLISH)}
    assert kinds >= {
        "heading_open", "paragraph_open", "bullet_list_open", "ordered_list_open",
        "blockquote_open", "table_open", "fence", "code_block", "hr", "math_block",
    }  # fmt: skip
