"""What the demo model is taught, read from `data/`: closed lists, phrases and names."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

Language = Literal["en", "zh"]


@dataclass(frozen=True, slots=True)
class Capital:
    """A country, with the article English needs, and its capital."""

    country: str
    capital: str
    country_zh: str
    capital_zh: str


@dataclass(frozen=True, slots=True)
class Colour:
    """A thing with one usual colour; `verb` agrees with the English thing."""

    thing: str
    verb: str
    colour: str
    thing_zh: str
    colour_zh: str


@dataclass(frozen=True, slots=True)
class Category:
    """Five things of one kind; a list of n things is the first n."""

    kind: str
    items: list[str]
    kind_zh: str
    items_zh: list[str]


@dataclass(frozen=True, slots=True)
class Program:
    """A task as it follows "Write" and "写", and the Python that does it."""

    task: str
    task_zh: str
    code: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The closed lists."""

    capitals: list[Capital]
    colours: list[Colour]
    categories: list[Category]
    programs: list[Program]


@cache
def facts() -> Facts:
    """Reads the closed lists."""
    rows = _read("facts.json")
    return Facts(
        [Capital(*row) for row in rows["capitals"]],
        [Colour(*row) for row in rows["colours"]],
        [Category(*row) for row in rows["categories"]],
        [Program(*row) for row in rows["programs"]],
    )


@cache
def phrases(language: Language) -> dict[str, list[str]]:
    """Reads how people put their questions, by skill; fields stand in braces."""
    return _read(f"phrases_{language}.json")


@cache
def name_parts() -> dict[str, list[str]]:
    """Reads English names, Chinese surnames and given names, and syllables."""
    return _read("names.json")


def _read(name: str) -> dict[str, Any]:
    path = Path(__file__).parent / "data" / name
    return json.loads(path.read_text("utf-8"))
