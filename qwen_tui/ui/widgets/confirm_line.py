"""A question on the bottom line; nothing pops up over the text."""

from collections.abc import Callable

from textual import events
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line


class ConfirmLine(Static, can_focus=True):
    """Asks, takes one key, and gives the focus back: y does it, all else leaves it."""

    def __init__(self) -> None:
        super().__init__(id="confirm", markup=False)
        self._on_yes: Callable[[], object] | None = None
        self._focus_after: Widget | None = None

    def on_mount(self) -> None:
        self.display = False

    def ask(self, question: str, on_yes: Callable[[], object]) -> None:
        """Show `question`, which names what will be lost, and wait for a key."""
        self._on_yes = on_yes
        if not self.display:
            self._focus_after = self.screen.focused
        answers = _("y yes   any other key no")
        self.update(Content(f"{sanitize_line(question)}   {answers}"))
        self.display = True
        self.focus()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        on_yes = self._on_yes
        self.close()
        if event.key in ("y", "Y", "upper_y") and on_yes is not None:
            on_yes()

    def on_blur(self) -> None:
        self._on_yes = None
        self.display = False

    def close(self) -> bool:
        """Take the question back; False where none was asked."""
        asked, self._on_yes = self._on_yes is not None, None
        self.display = False
        if asked and self._focus_after is not None and self._focus_after.is_attached:
            self._focus_after.focus()
        return asked
