"""The list of conversations, and what its keys ask for."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from qwen_tui.chat.tags import is_tagged, write_tags
from qwen_tui.i18n import N_, _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.widgets.chat_rows import ROW_CELLS, ChatItem, Mark, row_text
from qwen_tui.ui.widgets.line_input import LineInput

_KEYS = (
    ("r", N_("rename")),
    ("p", N_("pin")),
    ("t", N_("tags")),
    ("a", N_("archive")),
    ("d", N_("delete")),
    ("u", N_("undo")),
    ("/", N_("find")),
    ("v", N_("the archive")),
)
_ARCHIVE_KEYS = (
    ("a", N_("put back")),
    ("t", N_("tags")),
    ("d", N_("delete")),
    ("u", N_("undo")),
    ("/", N_("find")),
    ("v", N_("the chats")),
)
Wish = Literal["rename", "pin", "archive", "delete"]


class ChatList(OptionList):
    """The rows; Enter opens one, letters ask for the rest."""

    BINDINGS = [
        Binding("r", "ask('rename')", show=False),
        Binding("p", "ask('pin')", show=False),
        Binding("t", "ask_tags", show=False),
        Binding("a", "ask('archive')", show=False),
        Binding("d,delete", "ask('delete')", show=False),
        Binding("u", "screen.undo", show=False),
        Binding("v", "screen.switch_archive", show=False),
    ]

    def action_ask(self, wish: Wish) -> None:
        option = self.highlighted_option
        if option is not None and option.id is not None:
            self.post_message(Sidebar.Asked(wish, option.id))

    def action_ask_tags(self) -> None:
        option = self.highlighted_option
        if option is not None and option.id is not None:
            self.post_message(Sidebar.TagsAsked(option.id))


class Sidebar(Vertical):
    """Conversations: the pinned first, then those that were used last."""

    BINDINGS = [
        Binding("slash", "filter", show=False),
        Binding("escape", "end_filter", show=False),
    ]

    @dataclass
    class Selected(Message):
        """The person wants to read this conversation."""

        chat_id: str

    @dataclass
    class Asked(Message):
        """The person pressed a key on this conversation."""

        wish: Wish
        chat_id: str

    @dataclass
    class TagsAsked(Message):
        """The person wants to give this conversation other tags."""

        chat_id: str

    def __init__(self) -> None:
        super().__init__(id="sidebar")
        self.items: Sequence[ChatItem] = ()
        self.archive = False
        """What is shown is the archive."""
        self._current_id = ""
        self._is_answering = False
        self._is_unsaved = False
        self._title = Static(classes="sidebar-title", markup=False)
        self._filter = LineInput(id="sidebar-filter")
        self._list = ChatList(markup=False)
        self._tags = Static(classes="sidebar-tags", markup=False)
        self._keys = Static(classes="sidebar-keys", markup=False)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._filter
        yield self._list
        yield self._tags
        yield self._keys

    def on_mount(self) -> None:
        self._filter.display = False
        self.relabel()

    def relabel(self) -> None:
        """Draw everything in the active language."""
        self._title.update(Content(_("Archive") if self.archive else _chats()))
        self._filter.placeholder = _("title words, #tag")
        keys = _ARCHIVE_KEYS if self.archive else _KEYS
        self._keys.update(Content("\n".join(keys_lines(keys, ROW_CELLS))))
        self._draw()

    def show_items(self, items: Sequence[ChatItem], current_id: str) -> None:
        """Show these rows, the open conversation marked.

        The highlight stays, or goes to a conversation that was opened meanwhile.
        """
        is_another = current_id != self._current_id
        self.items, self._current_id = items, current_id
        self._draw(current_id if is_another else "")

    def show_archive(self, archive: bool, items: Sequence[ChatItem]) -> None:
        """Show the archive, or the other conversations again."""
        self.archive, self.items = archive, items
        self.relabel()

    def mark_answering(self, is_answering: bool) -> None:
        """Mark that the open conversation is being answered, or no more."""
        if is_answering != self._is_answering:
            self._is_answering = is_answering
            self._draw()

    def mark_unsaved(self, is_unsaved: bool) -> None:
        """Mark that the open conversation is not all on disk, or no more."""
        if is_unsaved != self._is_unsaved:
            self._is_unsaved = is_unsaved
            self._draw()

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

    def on_descendant_focus(self) -> None:
        self.add_class("-used")

    def on_descendant_blur(self) -> None:
        self.set_class(self.has_focus_within, "-used")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave Esc to the screen where all titles are shown."""
        if action == "end_filter":
            return bool(self._filter.display)
        return super().check_action(action, parameters)

    def action_filter(self) -> None:
        """Let the person type what the titles have to hold."""
        self._filter.display = True
        self.screen.set_focus(self._filter)  # at once: the next key is its own

    def action_end_filter(self) -> None:
        """Show all titles again."""
        self._filter.display = False
        self._filter.value = ""
        self._list.focus()

    @on(LineInput.Changed)
    def filter(self, event: LineInput.Changed) -> None:
        event.stop()
        self._draw()

    @on(LineInput.Submitted)
    def leave_filter(self, event: LineInput.Submitted) -> None:
        event.stop()
        self._list.focus()

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_id is not None:
            self.post_message(self.Selected(event.option_id))

    def _draw(self, chosen_id: str = "") -> None:
        kept = self._list.highlighted_option
        kept_id = chosen_id or (kept.id if kept is not None else self._current_id)
        place = self._list.highlighted or 0
        now = time.time()
        words = self._filter.value.casefold().split()
        shown = [item for item in self.items if all(_fits(item, w) for w in words)]
        self._list.set_options(
            Option(Content(row_text(item, self._mark(item), now)), id=item.id)
            for item in shown
        )
        places = [index for index, item in enumerate(shown) if item.id == kept_id]
        if shown:  # what was under a deleted row comes under the highlight
            below = min(place, len(shown) - 1)
            self._list.highlighted = places[0] if places else below
        self.show_tags()

    @on(OptionList.OptionHighlighted)
    def show_tags(self) -> None:
        """Show the tags of the highlighted conversation below the list."""
        option = self._list.highlighted_option
        chosen = option.id if option is not None else None
        tags = next((item.tags for item in self.items if item.id == chosen), ())
        self._tags.display = bool(tags)
        self._tags.update(Content(sanitize_line(write_tags(tags))))

    def _mark(self, item: ChatItem) -> Mark:
        if item.id != self._current_id:
            return ""
        if self._is_unsaved:
            return "unsaved"
        return "answering" if self._is_answering else "open"


def _fits(item: ChatItem, word: str) -> bool:
    """Whether a title holds a word of the filter, or a tag begins like it."""
    if word.startswith("#") and is_tagged(item.tags, word[1:]):
        return True
    return word in item.title.casefold()


def keys_lines(keys: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Return keys and what they do, as many on a line as fit."""
    lines: list[str] = []
    for key, meaning in keys:
        told = f"{key} {_(meaning)}"
        if lines and cell_len(f"{lines[-1]}  {told}") <= width:
            lines[-1] += f"  {told}"
        else:
            lines.append(told)
    return lines


def _chats() -> str:
    return _("Chats") + " (F2)"
