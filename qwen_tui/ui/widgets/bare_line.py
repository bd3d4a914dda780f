"""The one line below a screen that is stripped bare."""

from textual.widgets import Static

from qwen_tui.i18n import _


class BareLine(Static):
    """Tells the way back; the app's class `-bare` shows it."""

    DEFAULT_CSS = "BareLine { display: none; }"  # also where bare.tcss is not loaded

    def __init__(self) -> None:
        text = _("The mouse is the terminal's; F9: back")
        super().__init__(text, markup=False)
