"""What a report of `doctor` is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it should be; texts are translated."""

    code: str
    message: str
    hint: str
    is_broken: bool = False
    """Whether the program cannot do its work; else it is worth knowing only."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the report."""

    name: str
    """For programs."""
    title: str
    rows: list[tuple[str, str]]
    """Label and text, made harmless."""
    fields: Mapping[str, Any]
    """The same for programs."""
    problems: list[Problem] = field(default_factory=list[Problem])
