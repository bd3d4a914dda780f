"""The servers and their models in one list, to choose what answers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line


@dataclass(frozen=True, slots=True)
class ServerEntry:
    """A model of a server, or a server that could not be asked."""

    where: str
    """The saved name, else the URL; empty for this machine."""
    model: str
    """Empty for the only one, or where it is not known."""
    label: str
    detail: str
    tone: Literal["plain", "error"] = "plain"


Listing = Callable[[], Sequence[ServerEntry]]
"""Returns rows, in the active language."""

Check = Callable[[], Awaitable[Sequence[ServerEntry]]]
"""Asks one server and returns the rows that take the place of its first one."""


class ServersScreen(ModalScreen[ServerEntry | None]):
    """Enter chooses, Esc closes."""

    BINDINGS = [Binding("escape,q,ctrl+c", "close", show=False)]

    def __init__(
        self,
        first: Listing,
        groups: Sequence[Listing],
        checks: Sequence[Check],
    ) -> None:
        """Show rows.

        Args:
            first: Rows that need no asking.
            groups: The rows of each server before it was asked.
            checks: Asks each of them, in the same order.
        """
        super().__init__()
        self._listings = (first, *groups)
        self._checks = checks
        self._groups: list[Sequence[ServerEntry]] = []
        self._list = OptionList(markup=False, id="servers-list")

    def compose(self) -> ComposeResult:
        with Vertical(id="servers"):
            yield Static(id="servers-title", markup=False)
            yield self._list
            yield Static(id="servers-hint", markup=False)

    def on_mount(self) -> None:
        self.relabel()
        self._list.focus()

    def relabel(self) -> None:
        """Say everything in the active language: the servers are asked again."""
        self.query_one("#servers-title", Static).update(_("Who answers"))
        hint = _("Enter chooses, Esc closes. /server URL takes another one.")
        self.query_one("#servers-hint", Static).update(Content(hint))
        self._groups = [listing() for listing in self._listings]
        self._draw()
        self.workers.cancel_group(self, "ask")
        for place, check in enumerate(self._checks, start=1):
            self._ask(place, check)

    @work(group="ask")
    async def _ask(self, place: int, check: Check) -> None:
        self._groups[place] = await check()
        self._draw()

    @property
    def _entries(self) -> list[ServerEntry]:
        return [entry for group in self._groups for entry in group]

    def _draw(self) -> None:
        """Show what is known; the highlight stays on its row."""
        entries, kept = self._entries, self._list.highlighted
        chosen = entries[kept] if kept is not None and kept < len(entries) else None
        width = max((cell_len(sanitize_line(e.label)) for e in entries), default=0)
        self._list.set_options(Option(_line(entry, width)) for entry in entries)
        if entries:
            place = entries.index(chosen) if chosen in entries else 0
            self._list.highlighted = place

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._entries[event.option_index])

    def action_close(self) -> None:
        self.dismiss(None)


def _line(entry: ServerEntry, width: int) -> Content:
    label = sanitize_line(entry.label)
    pad = " " * (width - cell_len(label) + 2)
    detail = sanitize_line(entry.detail)
    style = "$text-error" if entry.tone == "error" else "$text-muted"
    return Content.assemble(label + pad, (detail, style))
