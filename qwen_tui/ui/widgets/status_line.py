"""The one place that always tells what is happening."""

import time
from typing import Literal

from textual.content import Content
from textual.widgets import Static

from qwen_tui.sanitize import sanitize

_NOTE_S = 3.0

Tone = Literal["plain", "busy", "warning", "error"]


class StatusLine(Static):
    """Steady text; whoever calls it keeps to twice a second."""

    def __init__(self) -> None:
        super().__init__(id="status", markup=False)
        self._shown: tuple[str, Tone] = ("", "plain")
        self._held_until = 0.0

    @property
    def text(self) -> str:
        """What is shown."""
        return self._shown[0]

    def show(self, text: str, tone: Tone = "plain") -> None:
        """Show what happened; unchanged text sends nothing."""
        self._held_until = 0.0
        self._draw(text, tone)

    def show_note(self, text: str, tone: Tone = "plain") -> None:
        """Show an answer to a key press, long enough to be read."""
        self._held_until = time.monotonic() + _NOTE_S
        self._draw(text, tone)

    def show_progress(self, text: str) -> None:
        """Show how far things are, unless a note is being read."""
        if time.monotonic() >= self._held_until:
            self._draw(text, "busy")

    def _draw(self, text: str, tone: Tone) -> None:
        text = sanitize(text)
        if (text, tone) == self._shown:
            return
        self._shown = (text, tone)
        for name in ("busy", "warning", "error"):
            self.set_class(name == tone, f"-{name}")
        # known as an error where there are no colours, too
        self.update(Content(f"! {text}" if tone == "error" else text))
