"""The bare view: no borders, and the mouse is the terminal's own.

What the terminal's mouse then selects is text and nothing else.
"""

from typing import Protocol, runtime_checkable

from textual.app import App
from textual.binding import Binding


@runtime_checkable
class MouseDriver(Protocol):
    """A driver that can leave the mouse to the terminal."""

    def take_mouse(self, taken: bool) -> None:
        """Have the mouse told to the program, or leave it to the terminal."""
        ...


class BareApp(App[int]):
    """An app whose screens are stripped by a key; `BareLine` tells the way back."""

    BINDINGS = [Binding("f9", "bare", show=False)]

    def action_bare(self) -> None:
        """Strip the screens and leave the mouse alone, or take both back."""
        bare = not self.has_class("-bare")
        self.set_class(bare, "-bare")
        if isinstance(self._driver, MouseDriver):
            self._driver.take_mouse(not bare)
