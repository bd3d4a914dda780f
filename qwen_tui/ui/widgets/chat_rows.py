"""The rows of the list of conversations."""

from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len, set_cell_size

from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

ROW_CELLS = 22
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400

Mark = Literal["", "open", "answering", "unsaved"]


@dataclass(frozen=True, slots=True)
class ChatItem:
    """One row."""

    id: str
    title: str
    updated_at: float
    """Seconds since the epoch."""
    pinned: bool = False
    tags: tuple[str, ...] = ()


def shown_title(title: str) -> str:
    """Return a title as one clean line."""
    return sanitize_line(title).strip() or _("(untitled)")


def row_text(item: ChatItem, mark: Mark, now: float) -> str:
    """Return "> title      2m", as wide as the sidebar.

    The second cell tells that a conversation is pinned.
    """
    marks = {"": " ", "open": ">", "answering": "*", "unsaved": "!"}[mark]
    marks += "+" if item.pinned else " "
    age = age_text(now - item.updated_at)
    room = ROW_CELLS - cell_len(marks) - 1 - cell_len(age)
    title = shown_title(item.title)
    if cell_len(title) > room:
        title = set_cell_size(title, room - 1).rstrip() + "~"
    return f"{marks}{set_cell_size(title, room)} {age}"


def age_text(seconds: float) -> str:
    """Return "now", "2m", "3h" or "5d"."""
    if seconds < _MINUTE_S:
        return _("now")
    if seconds < _HOUR_S:
        return _("{n}m").format(n=int(seconds // _MINUTE_S))
    if seconds < _DAY_S:
        return _("{n}h").format(n=int(seconds // _HOUR_S))
    return _("{n}d").format(n=int(seconds // _DAY_S))
