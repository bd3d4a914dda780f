"""Code in colours while it grows."""

import pytest

from qwen_tui.ui.markdown.highlight import Highlighter, Lexers, Line

LEXERS = Lexers()
PYTHON = 'def f(x):\n    """Say\n    it."""\n    return [1, "two"]  # three\n\n'


def coloured(language: str, code: str, size: int) -> list[Line]:
    """Return the lines as they come out when `size` lines come at a time."""
    highlighter = Highlighter(LEXERS, language)
    lines, settled, left = code.split("\n"), list[Line](), list[str]()
    for start in range(0, len(lines), size):
        left += lines[start : start + size]
        done = highlighter.settle(left)
        settled += done
        left = left[len(done) :]
    return settled + highlighter.show(left)


@pytest.mark.parametrize("language", ["python", "js", "html", "php", "console", ""])
def test_colours_do_not_depend_on_how_the_code_came(language: str) -> None:
    code = (PYTHON + "/* a\n b */\n<p class='x'>{}</p>\n$ ls -la\n") * 20
    whole = coloured(language, code, 10_000)
    assert ["".join(p.text for p in line) for line in whole] == code.split("\n")
    assert coloured(language, code, 1) == whole
    assert coloured(language, code, 7) == whole


def test_a_string_of_many_lines_stays_one() -> None:
    code = 'x = """\n' + "text if for 1\n" * 100 + '"""\ny = 1'
    looks = {piece.look for line in coloured("python", code, 3)[1:-2] for piece in line}
    assert looks == {"code code-string"}


def test_an_unknown_language_and_an_endless_line_are_plain() -> None:
    for language, code in (("nosuch", "if x"), ("python", "if x" * 2000)):
        assert coloured(language, code, 1) == [[(code, "code", None)]]


def test_a_language_can_be_loaded_later() -> None:
    lexers = Lexers(load_at_once=False)
    highlighter = Highlighter(lexers, "rust")
    assert highlighter.show(["fn main() {}"]) == [[("fn main() {}", "code", None)]]
    assert lexers.wanted == {"rust"}
    lexers.load("rust")
    assert not lexers.wanted
    assert highlighter.show(["fn main() {}"])[0][0] == ("fn", "code code-keyword", None)
