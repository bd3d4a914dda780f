"""Paired measurements and the line that each number is printed as.

Nothing here is collected by pytest: how long something takes on a busy machine
is told, never asserted. A row compares with its goal in the same run, so that
the machine's speed cancels out.
"""

import platform
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One number and what it should be."""

    what: str
    value: float
    unit: str
    goal: float
    at_least: bool = True
    """Whether more is better."""
    detail: str = ""

    def __str__(self) -> str:
        met = self.value >= self.goal if self.at_least else self.value <= self.goal
        sign = ">=" if self.at_least else "<="
        text = f"{self.what}: {self.value:.4g} {self.unit} ({sign} {self.goal:.4g})"
        detail = f"  {self.detail}" if self.detail else ""
        return f"{'ok  ' if met else 'MISS'} {text}{detail}"


@dataclass(frozen=True, slots=True)
class Pair:
    """Medians of two things measured in turn."""

    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        """Ours over theirs."""
        return self.ours / self.theirs


def in_turn(
    ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int
) -> Pair:
    """Measure A B A B ..., after one round that is not counted."""
    ours()
    theirs()
    seen = [(ours(), theirs()) for _round in range(rounds)]
    return Pair(*(statistics.median(values) for values in zip(*seen, strict=True)))


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of them stay under or reach."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine() -> str:
    """What these numbers were measured on."""
    python = f"Python {platform.python_version()}"
    return f"# {_processor()}, {platform.system()} {platform.release()}, {python}"


def show(row: Row) -> None:
    """Print a row at once."""
    print(row, flush=True)


def show_machine() -> None:
    """Print the first line of a bench."""
    print(machine(), flush=True)


def mib(n_bytes: float) -> float:
    """Bytes in MiB."""
    return n_bytes / _MIB


def _processor() -> str:
    import os

    count = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{count} x {name}"
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return f"{count} x {names[0] if names else name}"
