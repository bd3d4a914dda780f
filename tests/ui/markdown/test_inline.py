"""Emphasis, links and math inside a paragraph."""

import pytest

from qwen_tui.ui.markdown.inline import read_segments, read_text
from qwen_tui.ui.markdown.parser import build_parser

PARSER = build_parser()


def marked(text: str) -> str:
    """Return the pieces of a text, the look of each before it."""
    pieces = read_text(PARSER, text)
    return "".join(f"<{p.look}>{p.text}</>" if p.look else p.text for p in pieces)


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("**注意：**请", "<strong>注意：</>请"),
        ("这是**“引号”**里", "这是<strong>“引号”</>里"),
        ("**（重要）**的", "<strong>（重要）</>的"),
        ("~~删除：~~后", "<strike>删除：</>后"),
        ("*斜体*文字**粗体**文字", "<em>斜体</>文字<strong>粗体</>文字"),
        ("**bold:** text", "<strong>bold:</> text"),
        ("2 * 3 * 4 and a_b_c", "2 * 3 * 4 and a_b_c"),
        ("**a *b* c**", "<strong>a </><strong em>b</><strong> c</>"),
        ("`**x**`", "<inline-code>**x**</>"),
        ("half **open", "half **open"),
    ],
)
def test_emphasis(source: str, seen: str) -> None:
    assert marked(source) == seen


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("[t](http://a.b)", "<link>t</><link> (http://a.b)</>"),
        ("<https://c.d>", "<link>https://c.d</>"),
        ("![alt](pic.png)", "<link>[alt] (pic.png)</>"),
        ("see main.py or www.x.y", "see main.py or www.x.y"),
        ("[a][ref]", "[a][ref]"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
    ],
)
def test_links_are_text_with_their_address(source: str, seen: str) -> None:
    assert marked(source) == seen


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        (r"so $x^2$ is", "so <math>x²</> is"),
        (r"\(a \le b\)", "<math>a ≤ b</>"),
        (r"\[ x_1 \] and $$y^2$$", "<math>x₁</> and <math>y²</>"),
        ("costs $5 and $6", "costs $5 and $6"),
        ("$HOME and $PATH_X", "$HOME and $PATH_X"),
        (r"open \( x", r"open \( x"),
        ("`$x^2$`", "<inline-code>$x^2$</>"),
        (r"**$x^2$**", "<strong math>x²</>"),
    ],
)
def test_math(source: str, seen: str) -> None:
    assert marked(source) == seen


def test_math_is_copied_as_its_source() -> None:
    assert [p.source for p in read_text(PARSER, r"a $x^2$")] == [None, "$x^2$"]


def test_entities_are_sanitized_after_they_are_read() -> None:
    assert marked("a&#x202e;b &#155;[2J &lt;") == "a\ufffdb \ufffd[2J <"


def test_long_text_is_read_in_segments_that_do_not_depend_on_what_follows() -> None:
    text = "显存占用主要由**权重**与缓存两部分组成，其中后者随上下文线性增长。" * 200
    ends = [segment.end for segment in read_segments(PARSER, text)]
    assert len(ends) > 3
    for known in (1500, 3000, 4500):
        some = [segment.end for segment in read_segments(PARSER, text[:known])][:-1]
        assert some == ends[: len(some)]
        assert known - some[-1] < 2500


def test_no_emphasis_is_torn_by_a_segment() -> None:
    text = "word **bold and bold** `code with * in it` [link](http://x.y) " * 300
    looks = {piece.look for piece in read_text(PARSER, text)}
    assert looks == {"", "strong", "inline-code", "link"}
