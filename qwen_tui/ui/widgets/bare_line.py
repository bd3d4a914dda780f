"""The one line below a screen that is stripped bare."""

from textual.widgets import Static

from qwen_tui.i18n import _


class BareLine(Static):
    """Tells the way back; the app's class `-bare` shows it."""

    DEFAULT_CSS = "BareLine { display: none; }"  # also where bare.tcss is not loaded

    def __init__(self) -> None:
        super().__init__(markup=False)

    def on_mount(self) -> None:
        self.relabel()

    def relabel(self) -> None:
        """Tell it in the active language."""
        self.update(_("The mouse is the terminal's; F9: back"))
