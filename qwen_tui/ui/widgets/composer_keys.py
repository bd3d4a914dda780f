"""Which keys do what in the composer."""

from textual.binding import Binding
from textual.widgets import TextArea

NEW_LINE_KEYS = frozenset({"ctrl+j", "shift+enter", "alt+enter"})
EDITING = {
    key.strip(): binding.action
    for binding in TextArea.BINDINGS
    if isinstance(binding, Binding)
    for key in binding.key.split(",")
    if key.strip() != "ctrl+f"  # kept free: elsewhere on the screen it searches
} | {"ctrl+up": "older_prompt"}
"""Key to what it does here.

No bindings: those are run by the app, after the letters that came behind them in one
piece, as they do over a slow line.
"""
