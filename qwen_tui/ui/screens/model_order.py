"""Which entries a tab shows, and in which order."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from qwen_tui.hub.fit import Fit
from qwen_tui.ui.screens.model_entries import ModelEntry
from qwen_tui.ui.widgets.model_row import State

Tab = Literal["all", "local", "fits", "found"]
Sort = Literal["state", "name", "size", "fit", "downloads", "date"]

_STATES: tuple[State, ...] = (
    "in_use",
    "ready",
    "downloading",
    "waiting",
    "queued",
    "paused",
    "failed",
    "incomplete",
    "corrupt",
    "remote",
)
_FITS: tuple[Fit, ...] = ("fits", "tight", "unknown", "too_big")


def shown_entries(
    entries: Iterable[ModelEntry],
    *,
    tab: Tab,
    words: str,
    fits: Mapping[str, Fit],
) -> list[ModelEntry]:
    """Return the entries of a tab that hold every one of the words."""
    wanted = words.lower().split()
    chosen: list[ModelEntry] = []
    for entry in entries:
        in_tab = {
            "all": True,
            "local": entry.is_local,
            "fits": fits[entry.key] in ("fits", "tight"),
            "found": entry.remote is not None,
        }[tab]
        text = f"{entry.key} {entry.name}".lower()
        if in_tab and all(word in text for word in wanted):
            chosen.append(entry)
    return chosen


def sort_entries(
    entries: Iterable[ModelEntry], by: Sort, fits: Mapping[str, Fit]
) -> list[ModelEntry]:
    """Return them in an order; equal ones stay as they were."""

    def by_fit(entry: ModelEntry) -> tuple[int, int]:
        return _FITS.index(fits[entry.key]), -entry.size_bytes

    orders: dict[Sort, Callable[[ModelEntry], tuple[Any, ...]]] = {
        "state": lambda entry: (_STATES.index(entry.state),),
        "name": lambda entry: (entry.name.lower(),),
        "size": lambda entry: (entry.size_bytes == 0, entry.size_bytes),
        "fit": by_fit,
        "downloads": lambda entry: (-entry.remote.downloads if entry.remote else 1,),
        "date": _newest_first,
    }
    return sorted(entries, key=orders[by])


def _newest_first(entry: ModelEntry) -> tuple[int, ...]:
    date = entry.remote.updated_at if entry.remote is not None else ""
    return (not date, *(-ord(char) for char in date))
