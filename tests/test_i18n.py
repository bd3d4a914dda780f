"""Every text a person reads is in the Chinese catalogue, once, and is used."""

import ast
import json
import string
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import qwen_tui
from qwen_tui.i18n import (
    LANGUAGES,
    N_,
    _,
    detect_language,
    language,
    load_catalogue,
    ngettext,
    set_language,
)
from qwen_tui.settings.known import read_known

PACKAGE = Path(qwen_tui.__file__).parent
CATALOGUES = sorted((PACKAGE / "locale" / "zh_CN").glob("*.json"))
_MARKERS = {"_": 1, "N_": 1, "ngettext": 2}
"""Function name to how many of its first arguments are texts."""


@dataclass(frozen=True)
class Text:
    """One literal in the source; of a plural the other form stands in `plural`."""

    place: str
    text: str
    plural: str = ""


@dataclass(frozen=True)
class Found:
    """What one walk over some source finds."""

    texts: list[Text]
    wrong: list[str]
    """Places where the argument can never be in a catalogue."""


def find_texts(source: str, name: str) -> Found:
    texts: list[Text] = []
    wrong: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        n_texts = _MARKERS.get(node.func.id)
        if n_texts is None:
            continue
        place = f"{name}:{node.lineno}"
        arguments = node.args[:n_texts]
        literals = [
            a.value
            for a in arguments
            if isinstance(a, ast.Constant) and isinstance(a.value, str)
        ]
        if len(literals) == n_texts:
            texts.append(Text(place, *literals))
        elif node.func.id != "_" or not is_marked_elsewhere(arguments):
            wrong.append(f"{place}: {ast.unparse(node)}")
    return Found(texts, wrong)


def is_marked_elsewhere(arguments: list[ast.expr]) -> bool:
    """Tell whether the argument is a plain variable, whose value `N_` marks."""
    return len(arguments) == 1 and isinstance(
        arguments[0], ast.Name | ast.Attribute | ast.Subscript
    )


def everything() -> Found:
    texts: list[Text] = []
    wrong: list[str] = []
    for file in sorted(PACKAGE.rglob("*.py")):
        name = str(file.relative_to(PACKAGE.parent))
        found = find_texts(file.read_text(encoding="utf-8"), name)
        texts += found.texts
        wrong += found.wrong
    # `config show` translates the comments of the built-in settings.
    texts += [
        Text("config/settings.toml", known.comment) for known in read_known().values()
    ]
    return Found(texts, wrong)


def placeholders(text: str) -> Counter[str]:
    """Return the fields of a format string, with their conversions and formats."""
    return Counter(
        f"{field}!{conversion}:{spec}"
        for _literal, field, spec, conversion in string.Formatter().parse(text)
        if field is not None
    )


def catalogue_entries() -> Iterator[tuple[str, str, str]]:
    """Yield file name, English and Chinese, doubles of one file included."""
    for file in CATALOGUES:

        def as_pairs(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
            return pairs

        text = file.read_text(encoding="utf-8")
        for english, chinese in json.loads(text, object_pairs_hook=as_pairs):
            yield file.name, english, chinese


def lines(problems: Iterable[str]) -> str:
    return "\n".join(["", *sorted(problems)])


def test_every_text_has_a_chinese_one() -> None:
    chinese = load_catalogue("zh")
    missing = [
        f"{t.place}: {t.text!r}" for t in everything().texts if t.text not in chinese
    ]
    assert not missing, lines(missing)


def test_every_catalogue_entry_is_used() -> None:
    used = {t.text for t in everything().texts}
    unused = [f"{f}: {en!r}" for f, en, _zh in catalogue_entries() if en not in used]
    assert not unused, lines(unused)


def test_no_entry_stands_twice() -> None:
    seen: dict[str, str] = {}
    twice: list[str] = []
    for file, english, _zh in catalogue_entries():
        if english in seen:
            twice.append(f"{seen[english]} and {file}: {english!r}")
        seen[english] = file
    assert not twice, lines(twice)


def test_placeholders_are_the_same_in_both_languages() -> None:
    differ = [
        f"{file}: {english!r} -> {chinese!r}"
        for file, english, chinese in catalogue_entries()
        if placeholders(english) != placeholders(chinese)
    ]
    differ += [
        f"{t.place}: {t.text!r} / {t.plural!r}"
        for t in everything().texts
        if t.plural and set(placeholders(t.text)) != set(placeholders(t.plural))
    ]
    assert not differ, lines(differ)


def test_no_translation_is_empty() -> None:
    left = [
        f"{file}: {english!r}"
        for file, english, chinese in catalogue_entries()
        if not chinese.strip()
    ]
    assert not left, lines(left)


def test_every_translated_argument_can_be_in_a_catalogue() -> None:
    wrong = everything().wrong
    assert not wrong, lines(wrong)


@pytest.mark.parametrize(
    ("source", "texts", "n_wrong"),
    [
        ('_("a {x}").format(x=1)', ["a {x}"], 0),
        ('_("a " "b")', ["a b"], 0),
        ('N_("a")', ["a"], 0),
        ('ngettext("{n} a", "{n} as", n)', ["{n} a"], 0),
        ("_(label)", [], 0),
        ("_(self.label)", [], 0),
        ("_(LABELS[kind])", [], 0),
        ('_(f"a {x}")', [], 1),
        ('_("a".format(x))', [], 1),
        ('_("a" + b)', [], 1),
        ("_()", [], 1),
        ("N_(label)", [], 1),
        ("ngettext(one, many, n)", [], 1),
        ('print("a")', [], 0),
    ],
)
def test_the_walk_finds_texts_and_what_cannot_be_translated(
    source: str, texts: list[str], n_wrong: int
) -> None:
    found = find_texts(source, "x.py")
    assert [t.text for t in found.texts] == texts
    assert len(found.wrong) == n_wrong


def test_placeholders_count_with_their_formats() -> None:
    assert placeholders("{a} {{b}} {c:.1f}") == Counter(["a!None:", "c!None:.1f"])
    assert placeholders("{a}") != placeholders("{b}")


@pytest.fixture
def in_chinese():
    before = language()
    set_language("zh")
    yield
    set_language(before)


def test_a_text_without_a_translation_stays_english(in_chinese: None) -> None:
    assert _("default") == "默认"
    unknown = N_("a text of nobody")
    assert _(unknown) == unknown


def test_plurals_follow_the_count_in_english() -> None:
    assert ngettext("{n} of one", "{n} of many", 1) == "{n} of one"
    assert ngettext("{n} of one", "{n} of many", 0) == "{n} of many"


def test_an_unknown_language_is_refused_and_changes_nothing() -> None:
    before = language()
    with pytest.raises(ValueError, match="fr"):
        set_language("fr")
    assert language() == before
    assert before in LANGUAGES


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US", "LC_ALL": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "zh_CN", "LC_MESSAGES": "en_GB"}, "en"),
        ({"QWEN_TUI_LANG": "zh", "LC_ALL": "C"}, "zh"),
        ({"QWEN_TUI_LANG": "", "LANG": "ZH"}, "zh"),
    ],
)
def test_the_language_follows_the_environment(
    environ: dict[str, str], wanted: str
) -> None:
    assert detect_language(environ) == wanted
