"""The one place that always tells what is happening."""

import time
from typing import Literal

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from qwen_tui.sanitize import sanitize
from qwen_tui.ui.widgets.line_text import GAP

_NOTE_S = 3.0

Tone = Literal["plain", "busy", "warning", "error"]


class StatusLine(Static):
    """Steady text; whoever calls it keeps to twice a second."""

    def __init__(self) -> None:
        super().__init__(id="status", markup=False)
        self._shown: tuple[str, Tone] = ("", "plain")
        self._is_note = False
        self._held_until = 0.0

    @property
    def text(self) -> str:
        """What is to be shown; a narrow line has less of it."""
        return self._shown[0]

    def on_resize(self) -> None:
        self._fit()

    def show(self, text: str, tone: Tone = "plain") -> None:
        """Show what happened; unchanged text sends nothing."""
        self._held_until = 0.0
        self._draw(text, tone)

    def show_note(self, text: str, tone: Tone = "plain") -> None:
        """Show an answer to a key press, all of it, long enough to be read."""
        self._held_until = time.monotonic() + _NOTE_S
        self._draw(text, tone, is_note=True)

    def show_progress(self, text: str) -> None:
        """Show how far things are, unless a note is being read."""
        if time.monotonic() >= self._held_until:
            self._draw(text, "busy")

    def _draw(self, text: str, tone: Tone, *, is_note: bool = False) -> None:
        text = sanitize(text)
        self._is_note = is_note
        if (text, tone) == self._shown:
            return
        self._shown = (text, tone)
        for name in ("busy", "warning", "error"):
            self.set_class(name == tone, f"-{name}")
        self._fit()

    def _fit(self) -> None:
        """Draw it, without the last of its parts where they would be cut."""
        text, tone = self._shown
        # known as an error where there are no colours, too
        text = f"! {text}" if tone == "error" else text
        width = self.content_size.width
        if width and not self._is_note and tone in ("plain", "busy"):
            text = whole_parts(text, width)
        self.set_class(tone == "plain" and cell_len(text) > width > 0, "-long")
        self.set_class(not text, "-empty")
        self.update(Content(text))


def whole_parts(text: str, width: int) -> str:
    """Return the parts of a line that fit, whole; the first one in any case."""
    while cell_len(text) > width and GAP in text.strip():
        text = text.rpartition(GAP)[0].rstrip()
    return text
