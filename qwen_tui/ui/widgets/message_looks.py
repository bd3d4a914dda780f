"""What the parts of a message look like, as the theme has it."""

from rich.style import Style
from textual.widget import Widget

_LOOKS = [
    "strong", "em", "strike", "inline-code", "link", "math", "heading", "heading-1",
    "heading-2", "heading-3", "heading-4", "heading-5", "heading-6", "marker", "quote",
    "quote-bar", "rule", "muted", "code", "code-label", "code-keyword", "code-type",
    "code-builtin", "code-function", "code-string", "code-number", "code-comment",
    "code-deleted", "head-user", "head-model", "thinking", "foot", "cut", "failed",
    "selected",
]  # fmt: skip
COMPONENT_CLASSES = {f"message--{look}" for look in _LOOKS}
"""To be taken over by the widget that a palette reads."""


class Palette:
    """Styles by the names of looks.

    One widget has the component classes for all messages: giving each message its own
    would cost 5 ms a message when it is mounted.
    """

    def __init__(self, widget: Widget | None = None) -> None:
        self._widget = widget
        self._styles: dict[str, Style] = {}

    def clear(self) -> None:
        """Read the theme again."""
        self._styles.clear()

    def style(self, look: str) -> Style:
        """Return what the names in `look` change, the later ones above the earlier."""
        found = self._styles.get(look)
        if found is None:
            found = Style()
            for name in look.split():
                found += self._of(f"message--{name}")
            self._styles[look] = found
        return found

    def _of(self, name: str) -> Style:
        if self._widget is None:
            return Style()
        own = self._widget.get_component_rich_style(name, partial=True)
        whole = self._widget.get_component_rich_style(name)  # colours mixed
        return own + Style(
            color=whole.color if own.color else None,
            bgcolor=whole.bgcolor if own.bgcolor else None,
        )
