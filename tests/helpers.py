"""Waiting for a condition, never for a time, and looking at a folder at work."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from fnmatch import fnmatch
from pathlib import Path

PATIENCE_S = 60.0  # generous: the machine may be busy; a pass never waits this long


async def until(
    condition: Callable[[], bool],
    *,
    patience_s: float = PATIENCE_S,
    pause: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Poll until `condition()` holds; fails the test when it never does."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"never became true: {condition}")
        if pause is None:
            await asyncio.sleep(0.01)
        else:
            await pause()


def wait_until(
    condition: Callable[[], bool], *, patience_s: float = PATIENCE_S
) -> None:
    """Poll until `condition()` holds, outside an event loop."""
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"never became true: {condition}")
        time.sleep(0.02)


def files_named(pattern: str, folder: Path) -> list[Path]:
    """Return the files below `folder` of such names, while others write there.

    `Path.rglob` of Python 3.11 fails where a folder vanishes under it.
    """
    found: list[Path] = []
    for place, _folders, names in os.walk(folder):
        found += [Path(place, name) for name in names if fnmatch(name, pattern)]
    return sorted(found)


def bytes_in(file: Path) -> int:
    """Return the size of a file, 0 where it got another name meanwhile."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0
