"""Search everything that was ever said, while one types."""

import asyncio
import time
from collections.abc import Callable

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static

from qwen_tui.chat.shelf import SearchHit
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.shelf_desk import Shelf
from qwen_tui.ui.widgets.bare_line import BareLine
from qwen_tui.ui.widgets.hit_list import HitList
from qwen_tui.ui.widgets.line_input import LineInput

_PAUSE_S = 0.05
"""A key that comes sooner takes the place of the one before."""
_LIMIT = 50


class SearchScreen(Screen[SearchHit | None]):
    """Enter opens what is highlighted, Esc goes back."""

    CSS_PATH = "search.tcss"
    AUTO_FOCUS = "#search-input"
    BINDINGS = [
        Binding("escape,ctrl+f,ctrl+c", "dismiss", show=False),
        Binding("down", "move('down')", show=False),
        Binding("up", "move('up')", show=False),
        Binding("pagedown", "move('page_down')", show=False),
        Binding("pageup", "move('page_up')", show=False),
    ]

    def __init__(self, shelf: Shelf, query: str = "") -> None:
        super().__init__()
        self._shelf = shelf
        self._first_query = query
        self._input = LineInput(id="search-input")
        self._hits = HitList()
        self._found = Static(id="search-found", markup=False)
        self._say_found: Callable[[], str] = lambda: _(
            'Any words; "some together"; #tag.'
        )

    def compose(self) -> ComposeResult:
        with Horizontal(id="search-line"):
            yield Static(id="search-label", markup=False)
            yield self._input
        yield self._hits
        yield self._found
        yield Static(id="search-hints", markup=False)
        yield BareLine()

    def on_mount(self) -> None:
        self._hits.can_focus = False  # one goes on typing, the arrows choose
        self.relabel()
        if self._first_query:
            self._input.value = self._first_query
            self._input.cursor_position = len(self._first_query)

    def relabel(self) -> None:
        """Say everything in the active language."""
        self.query_one("#search-label", Static).update(_("Search:"))
        hints = _("Enter open  Up Down choose  Esc back")
        self.query_one("#search-hints", Static).update(hints)
        self._tell(self._say_found)
        self._hits.show(self._hits.hits, time.time())

    def on_resize(self) -> None:
        self._hits.show(self._hits.hits, time.time())

    @on(LineInput.Changed)
    def begin_search(self, event: LineInput.Changed) -> None:
        event.stop()
        self._search(event.value)

    @on(LineInput.Submitted)
    def open_chosen(self, event: LineInput.Submitted) -> None:
        event.stop()
        self.dismiss(self._hits.chosen)

    @on(OptionList.OptionSelected)
    def open_clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._hits.hits[event.option_index])

    def action_move(self, way: str) -> None:
        """Choose another hit."""
        match way:
            case "down":
                self._hits.action_cursor_down()
            case "up":
                self._hits.action_cursor_up()
            case "page_down":
                self._hits.action_page_down()
            case _:
                self._hits.action_page_up()

    @work(exclusive=True, group="search")
    async def _search(self, query: str) -> None:
        await asyncio.sleep(_PAUSE_S)
        try:
            hits = await self._shelf.search(query, limit=_LIMIT)
        except QwenTuiError as error:
            told = f"{error.message} {error.hint}".strip()
            self._tell(lambda: told)
            return
        self._hits.show(hits, time.time())
        n = len(hits)
        self._tell(lambda: _found_text(n) if query.strip() else "")

    def _tell(self, say: Callable[[], str]) -> None:
        self._say_found = say
        self._found.update(Content(sanitize_line(say())))


def _found_text(n: int) -> str:
    if n < _LIMIT:
        return ngettext("{n} found", "{n} found", n).format(n=n)
    return _("the first {n}; more words find less").format(n=n)
