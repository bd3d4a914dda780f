"""The line above the table: what is searched for, and which models are shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Static

from qwen_tui.i18n import N_, _
from qwen_tui.ui.widgets.line_input import LineInput
from qwen_tui.ui.widgets.tones import Line, content_of

TABS = {
    "all": N_("All"),
    "local": N_("Local"),
    "fits": N_("Fits"),
    "found": N_("Found"),
}


class FilterBar(Horizontal):
    """Filters while one types; Enter keeps the filter, Esc clears it."""

    BINDINGS = [
        Binding("escape", "clear", show=False),
        Binding("down,tab", "leave", show=False),
    ]

    @dataclass
    class Changed(Message):
        """Other models are to be shown."""

        text: str

    class Left(Message):
        """The keyboard goes back to the table."""

    def __init__(self) -> None:
        super().__init__(id="filter")
        self._label = Static(id="filter-label", markup=False)
        self._input = LineInput(id="filter-input")
        self._tabs = Static(markup=False, id="filter-tabs")
        self._shown: Line = []

    def compose(self) -> ComposeResult:
        yield self._label
        yield self._input
        yield self._tabs

    def on_mount(self) -> None:
        self.relabel()

    def relabel(self) -> None:
        """Say what it is in the active language; the tabs are shown anew."""
        self._label.update(_("Filter:"))

    @property
    def text(self) -> str:
        """What is filtered by."""
        return self._input.value

    def focus_input(self) -> None:
        """Let the person type."""
        self._input.focus()

    def show_tabs(self, names: Sequence[str], current: str) -> None:
        """Show these tabs, the current one in brackets."""
        pieces: Line = [
            (f"[{_(TABS[name])}]", "strong")
            if name == current
            else (f" {_(TABS[name])} ", "dim")
            for name in names
        ]
        if pieces != self._shown:
            self._shown = pieces
            self._tabs.update(content_of([pieces]))

    def clear(self) -> bool:
        """Filter by nothing; False where nothing was filtered."""
        had, self._input.value = bool(self._input.value), ""
        return had

    def action_clear(self) -> None:
        self.clear()
        self.post_message(self.Left())

    def action_leave(self) -> None:
        self.post_message(self.Left())

    @on(LineInput.Changed)
    def pass_on(self, event: LineInput.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.value.strip()))

    @on(LineInput.Submitted)
    def leave(self, event: LineInput.Submitted) -> None:
        event.stop()
        self.post_message(self.Left())
