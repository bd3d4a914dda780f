"""The list of conversations."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_WIDTH = 24
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


@dataclass(frozen=True, slots=True)
class ChatItem:
    """One row."""

    id: str
    title: str
    updated_at: float
    """Seconds since the epoch."""


class ChatList(OptionList):
    """The rows; Enter opens one, d asks to delete it."""

    BINDINGS = [
        Binding("d,delete", "ask_delete", show=False),
    ]

    def action_ask_delete(self) -> None:
        option = self.highlighted_option
        if option is not None and option.id is not None:
            self.post_message(Sidebar.DeleteAsked(option.id))


class Sidebar(Vertical):
    """Conversations, newest first."""

    @dataclass
    class Selected(Message):
        """The person wants to read this conversation."""

        chat_id: str

    @dataclass
    class DeleteAsked(Message):
        """The person pressed the delete key on this conversation."""

        chat_id: str

    def __init__(self) -> None:
        super().__init__(id="sidebar")
        self.items: Sequence[ChatItem] = ()
        self._list = ChatList(markup=False)

    def compose(self) -> ComposeResult:
        yield Static(_("Chats") + " (F2)", classes="sidebar-title", markup=False)
        yield self._list

    def show_items(self, items: Sequence[ChatItem], current_id: str) -> None:
        """Show these rows, the open conversation marked; the highlight stays."""
        kept = self._list.highlighted_option
        kept_id = kept.id if kept is not None else current_id
        self.items = items
        now = time.time()
        self._list.set_options(
            Option(Content(row_text(item, current_id, now)), id=item.id)
            for item in items
        )
        places = [index for index, item in enumerate(items) if item.id == kept_id]
        if items:
            self._list.highlighted = places[0] if places else 0

    def title_of(self, chat_id: str) -> str:
        """Return the shown title of a conversation."""
        return next((shown_title(i) for i in self.items if i.id == chat_id), chat_id)

    @property
    def rows(self) -> ChatList:
        """The part that takes the keyboard."""
        return self._list

    def toggle(self, *, beside: bool) -> bool:
        """Show or hide it: beside the messages, or over them on narrow terminals.

        Returns:
            Whether it now lies over the messages and needs the keyboard.
        """
        name = "-hidden" if beside else "-shown"
        return self.toggle_class(name).has_class("-shown")

    def close_overlay(self) -> bool:
        """Close it where it lies over the messages; say whether it did."""
        shown = self.has_class("-shown")
        self.remove_class("-shown")
        return shown

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id is not None:
            self.post_message(self.Selected(event.option_id))


def shown_title(item: ChatItem) -> str:
    """Return a title of one clean line."""
    return sanitize_line(item.title).strip() or _("(untitled)")


def row_text(item: ChatItem, current_id: str, now: float) -> str:
    """Return "> title      2m", filled or cut to the width of the sidebar."""
    mark = ">" if item.id == current_id else " "
    age = age_text(now - item.updated_at)
    room = _WIDTH - 2 - cell_len(mark) - cell_len(age) - 2
    title = shown_title(item)
    if cell_len(title) > room:
        title = set_cell_size(title, room - 1) + "~"
    return f"{mark} {set_cell_size(title, room)} {age}"


def age_text(seconds: float) -> str:
    """Return "now", "2m", "3h" or "5d"."""
    if seconds < _MINUTE_S:
        return _("now")
    if seconds < _HOUR_S:
        return _("{n}m").format(n=int(seconds // _MINUTE_S))
    if seconds < _DAY_S:
        return _("{n}h").format(n=int(seconds // _HOUR_S))
    return _("{n}d").format(n=int(seconds // _DAY_S))
