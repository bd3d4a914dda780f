"""A screen of named values that are changed in place: settings, a chat's options."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from qwen_tui.i18n import N_, _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.widgets.ask_line import AskLine
from qwen_tui.ui.widgets.line_text import hints_line, spread
from qwen_tui.ui.widgets.status_line import StatusLine, Tone
from qwen_tui.ui.widgets.tones import Line, content_of, cut, line, wrap

HINTS = (
    ("Enter", N_("change")),
    ("Del", N_("take back")),
    ("Esc", N_("back")),
)
_NARROW = 60
_NAME_CELLS = 28
_ABOUT_LINES = 3


@dataclass(frozen=True, slots=True)
class EditRow:
    """One row; texts are translated and not yet sanitized."""

    key: str
    """Empty for a heading."""
    name: str
    value: str = ""
    origin: str = ""
    """Who says so, in a word."""
    is_chosen: bool = False
    """A person set it."""
    about: str = ""
    """What it means; shown below while the row is highlighted."""
    choices: tuple[str, ...] = ()
    """What Enter walks through; empty: it is written on a line."""
    written: str = ""
    """What that line begins with."""


class EditRowsScreen(Screen[None]):
    """Rows, what the highlighted one means, and a line to write on.

    A kind of it says which rows there are and what a change does.
    """

    CSS_PATH = "edit_rows.tcss"
    AUTO_FOCUS = "#edit-rows"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-tall")]
    BINDINGS = [
        Binding("escape", "leave", show=False, id="rows.back"),
        Binding("delete,backspace,x", "take_back", show=False, id="rows.take_back"),
        Binding("ctrl+c", "leave", show=False, id="rows.leave"),
        Binding("left", "step(-1)", show=False, id="rows.previous"),
        Binding("right", "step(1)", show=False, id="rows.next"),
    ]

    rows_list = getters.query_one("#edit-rows", OptionList)

    def __init__(self) -> None:
        super().__init__()
        self.status = StatusLine()
        self._title = Static(id="edit-title", markup=False)
        self._about = Static(id="edit-about", markup=False)
        self._hints = Static(id="edit-hints", markup=False)
        self._ask = AskLine(id="edit-ask")
        self.rows: Sequence[EditRow] = ()

    # What a kind of it says

    def title_parts(self) -> tuple[str, str]:
        """Return what stands left and right on the first line."""
        raise NotImplementedError

    async def read_rows(self) -> Sequence[EditRow]:
        """Return the rows as they are now."""
        raise NotImplementedError

    async def change(self, row: EditRow, text: str) -> None:
        """Give a row the value that was written or chosen, and tell how that went."""
        raise NotImplementedError

    async def take_back(self, row: EditRow) -> None:
        """Give a row the value that it has without a person's wish."""
        raise NotImplementedError

    # The screen

    def compose(self) -> ComposeResult:
        yield self._title
        yield OptionList(id="edit-rows", markup=False)
        yield self._about
        yield self._ask
        yield self.status
        yield self._hints

    async def on_mount(self) -> None:
        await self.renew()

    def on_resize(self) -> None:
        self._draw()

    def relabel(self) -> None:
        """Say everything again in the active language."""
        self.status.show("")  # what was told is told in the other language
        self.run_worker(self._say_again(), group="renew", exclusive=True)

    async def _say_again(self) -> None:
        await self.renew()
        self._ask.relabel()

    def tell(self, text: str, tone: Tone = "plain") -> None:
        """Show one line above the hints."""
        self.status.show(text, tone)

    async def renew(self) -> None:
        """Show the rows as they are now; the highlight stays on its row."""
        self.rows = await self.read_rows()
        self._draw()

    def _draw(self) -> None:
        width = self.size.width
        self._title.update(spread(*self.title_parts(), max(width - 2, 1)))
        self._hints.update(hints_line([(k, _(label)) for k, label in HINTS], width - 2))
        kept = self.rows_list.highlighted_option
        kept_id = kept.id if kept is not None else None
        lines = row_lines(self.rows, max(width - 3, 1))
        self.rows_list.set_options(
            Option(content_of([text]), id=row.key or f"-{n}", disabled=not row.key)
            for n, (row, text) in enumerate(zip(self.rows, lines, strict=True))
        )
        keys = [row.key for row in self.rows]
        if any(keys):
            place = keys.index(kept_id) if kept_id in keys else _first(keys)
            self.rows_list.highlighted = place
        self._draw_about()

    @on(OptionList.OptionHighlighted)
    def _draw_about(self) -> None:
        row = self.current
        width = max(self.size.width - 2, 1)
        lines = wrap(row.about, width, "dim") if row is not None else []
        self._about.update(content_of(lines[:_ABOUT_LINES]))

    @property
    def current(self) -> EditRow | None:
        """The highlighted row."""
        place = self.rows_list.highlighted
        if place is None or place >= len(self.rows):
            return None
        return self.rows[place]

    # Changing

    @on(OptionList.OptionSelected)
    async def edit(self) -> None:
        row = self.current
        if row is not None and row.choices:
            await self.action_step(1)
        elif row is not None:
            self.begin_writing(row)

    def begin_writing(self, row: EditRow) -> None:
        """Open the line to write the row's value on."""
        self._ask.ask(row.key, lambda: self._name_of(row), row.written)

    def _name_of(self, row: EditRow) -> str:
        return next((r.name for r in self.rows if r.key == row.key), row.name)

    async def action_step(self, step: int) -> None:
        row = self.current
        if row is None or not row.choices:
            return
        here = row.choices.index(row.written) if row.written in row.choices else -step
        await self.change(row, row.choices[(here + step) % len(row.choices)])
        await self.renew()

    @on(AskLine.Given)
    async def take_written(self, event: AskLine.Given) -> None:
        await self._write(event.purpose, event.value)

    async def _write(self, key: str, text: str) -> None:
        row = next((row for row in self.rows if row.key == key), None)
        if row is None:
            return
        await self.change(row, text)
        await self.renew()
        if not self.status.has_class("-error"):
            self._ask.close()

    @on(AskLine.Closed)
    def go_on(self) -> None:
        self.rows_list.focus()

    async def action_take_back(self) -> None:
        row = self.current
        if row is not None and row.key:
            await self.take_back(row)
            await self.renew()

    def action_leave(self) -> None:
        if self._ask.is_open:
            self._ask.close()
        else:
            self.dismiss()


def row_lines(rows: Sequence[EditRow], width: int) -> list[Line]:
    """Return each row as a line: name, value, and where there is room its origin."""
    names = [cell_len(row.name) for row in rows if row.key]
    column = min(max(names, default=0), _NAME_CELLS if width >= _NARROW else width // 2)
    origins = [cell_len(row.origin) for row in rows] if width >= _NARROW else [0]
    last = min(max(origins, default=0), width // 3)
    lines: list[Line] = []
    for row in rows:
        if not row.key:
            lines.append(cut(line(row.name, "strong"), width))
            continue
        mark = "*" if row.is_chosen else " "
        name = set_cell_size(sanitize_line(row.name), column)
        room = max(width - column - last - 5, 1)
        value = sanitize_line(row.value)
        if cell_len(value) > room:
            value = set_cell_size(value, room - 1) + "~"
        pieces: Line = [(f"{mark} {name}  ", "plain")]
        pieces.append(
            (set_cell_size(value, room), "busy" if row.is_chosen else "plain")
        )
        if last:
            pieces.append((f" {set_cell_size(sanitize_line(row.origin), last)}", "dim"))
        lines.append(cut(pieces, width))
    return lines


def _first(keys: Sequence[str]) -> int:
    return next(n for n, key in enumerate(keys) if key)
