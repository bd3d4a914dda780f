"""Removing things from the HF cache, in a process: `python -m qwen_tui.hub.prune`.

A process of its own, because importing huggingface_hub would hold up a screen. It reads
one order as JSON.
"""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Order:
    """What is to go, by kinds; checked by `delete` to lie in one repo's folder."""

    cache_dir: Path
    repos: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()
    """Single entries of snapshots."""
    snapshots: tuple[Path, ...] = ()
    refs: tuple[Path, ...] = ()
    blobs: tuple[Path, ...] = ()


def remove_in_process(order: Order) -> str:
    """Carry an order out and return the last line that was said about it."""
    ended = subprocess.run(
        [sys.executable, "-m", "qwen_tui.hub.prune"],
        input=json.dumps(asdict(order), default=str),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    return (ended.stderr.strip().splitlines() or [""])[-1]


def remove(order: Order) -> str:
    """Remove what is ordered, in huggingface_hub 2.4's sequence and way.

    The strategy is filled by us and not by the library's scan (see `delete` for why);
    `execute` also gives back what lies in the store for all repos when its last link
    went.
    """
    from huggingface_hub import DeleteCacheStrategy

    DeleteCacheStrategy(
        expected_freed_size=0,
        blobs=frozenset(order.blobs),
        refs=frozenset(order.refs),
        repos=frozenset(order.repos),
        snapshots=frozenset(order.snapshots),
        files=frozenset(order.files),
        cache_dir=order.cache_dir,
    ).execute()
    return ""


def main() -> None:
    """Carry out the order of standard input."""
    text = json.load(sys.stdin)
    paths = {
        field.name: tuple(map(Path, text[field.name]))
        for field in fields(Order)
        if field.name != "cache_dir"
    }
    remove(Order(Path(text["cache_dir"]), **paths))


if __name__ == "__main__":
    main()
