"""Waiting for a condition, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

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
