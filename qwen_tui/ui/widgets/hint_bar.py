"""The bottom line: the keys that matter most, as many as fit."""

from collections.abc import Mapping

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from qwen_tui.i18n import N_, _

_HINTS = (
    ("Enter", N_("send")),
    ("^J", N_("new line")),
    ("F1", N_("help")),
    ("^O", N_("models")),
    ("^N", N_("new chat")),
    ("^T", N_("thinking")),
    ("F2", N_("chats")),
    ("F3", N_("fold")),
    ("^R", N_("retry")),
    ("^Q", N_("quit")),
)
_BUSY_HINTS = (
    ("Esc", N_("stop")),
    ("F5", N_("answer now")),
    ("F1", N_("help")),
    ("F3", N_("fold")),
    ("PgUp PgDn", N_("scroll")),
    ("End", N_("follow")),
)
_NARROW = 60
_NARROW_HINTS = 3


class HintBar(Static):
    """Fewer hints on narrow terminals, others while the model answers."""

    def __init__(self) -> None:
        super().__init__(id="hints", markup=False)
        self._busy = False
        self.keys: Mapping[str, str] = {}
        """What to show in the place of a key that was mapped away."""

    def set_busy(self, busy: bool) -> None:
        """Show the keys of a running answer, or those of an idle chat."""
        if busy != self._busy:
            self._busy = busy
            self._draw()

    def relabel(self) -> None:
        """Draw the line in the active language."""
        self._draw()

    def on_mount(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        self.update(
            Content(hints_text(self.size.width, busy=self._busy, keys=self.keys))
        )


def hints_text(width: int, *, busy: bool, keys: Mapping[str, str] | None = None) -> str:
    """Return as many whole hints as `width` cells hold, the first ones first.

    Args:
        width: Cells.
        busy: Whether the model answers.
        keys: What to show in the place of keys that were mapped away.
    """
    hints = _BUSY_HINTS if busy else _HINTS
    if width < _NARROW:
        hints = hints[:_NARROW_HINTS]
    line = ""
    for name, label in hints:
        key = (keys or {}).get(name, name)
        longer = f"{line}  {key} {_(label)}" if line else f"{key} {_(label)}"
        if cell_len(longer) > width:
            break
        line = longer
    return line
