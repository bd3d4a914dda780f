"""A list that opens above the bottom line: revisions, partials, sources."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.widgets.tones import Line, content_of, cut


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One entry."""

    id: str
    line: Line


Listing = Callable[[], tuple[str, Sequence[SheetRow]]]
"""Returns title and rows, in the active language."""


class Sheet(Vertical):
    """Opened for one purpose, which its messages name."""

    BINDINGS = [
        Binding("escape", "close", show=False),
        Binding("x,delete", "remove", show=False),
        Binding("u", "other", show=False),
    ]

    @dataclass
    class Chosen(Message):
        """Enter on a row."""

        purpose: str
        row_id: str

    @dataclass
    class RemoveAsked(Message):
        """x on a row; empty `row_id` where there is none."""

        purpose: str
        row_id: str

    @dataclass
    class OtherAsked(Message):
        """u: something that is not in the list."""

        purpose: str

    @dataclass
    class Closed(Message):
        """The person is done with it."""

        purpose: str

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.purpose = ""
        self._title = Static(markup=False, classes="sheet-title")
        self._list = OptionList(markup=False, classes="sheet-list")
        self._rows: Sequence[SheetRow] = ()
        self._list_now: Listing = lambda: ("", ())

    def compose(self) -> ComposeResult:
        yield self._title
        yield self._list

    @property
    def is_open(self) -> bool:
        """Whether it is on the screen."""
        return self.has_class("-open")

    def open(self, purpose: str, listing: Listing) -> None:
        """Show what `listing` returns and take the keyboard."""
        self.purpose, self._list_now = purpose, listing
        self.add_class("-open")
        self.renew()
        self.focus_list()

    def focus_list(self) -> None:
        """Give its rows the keyboard."""
        self._list.focus()

    def relabel(self) -> None:
        """Say everything in the active language."""
        self.renew()

    def renew(self) -> None:
        """Show the rows as they are now; the highlight stays on its row."""
        title, rows = self._list_now()
        kept = self._list.highlighted_option
        self._rows = rows
        self._title.update(Content(sanitize_line(title)))
        self._list.set_options(
            Option(content_of([cut(row.line, self._cells)]), id=row.id) for row in rows
        )
        ids = [row.id for row in rows]
        if ids:
            kept_id = kept.id if kept is not None else None
            self._list.highlighted = ids.index(kept_id) if kept_id in ids else 0

    def highlight(self, row_id: str) -> None:
        """Go to a row, where it is one."""
        ids = [row.id for row in self._rows]
        if row_id in ids:
            self._list.highlighted = ids.index(row_id)

    @property
    def _cells(self) -> int:
        """Of a row: the screen's, without padding and scroll bar."""
        return max(self.screen.size.width - 3, 1)

    def close(self) -> None:
        """Take it off the screen."""
        self.remove_class("-open")
        self.post_message(self.Closed(self.purpose))

    def action_close(self) -> None:
        self.close()

    def action_remove(self) -> None:
        option = self._list.highlighted_option
        row_id = option.id if option is not None else None
        self.post_message(self.RemoveAsked(self.purpose, row_id or ""))

    def action_other(self) -> None:
        self.post_message(self.OtherAsked(self.purpose))

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.post_message(self.Chosen(self.purpose, event.option_id or ""))
