"""What waits between the messages and where one writes; mostly nothing."""

from textual.content import Content
from textual.widgets import Static

from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_SHOWN = 200  # characters of a prompt: more than a line holds


class PendingLine(Static):
    """The prompt that is sent next, and what Enter will do while one edits."""

    def __init__(self) -> None:
        super().__init__(id="pending", markup=False)
        self._queued = ""
        self._is_editing = False

    def on_mount(self) -> None:
        self._draw()

    def relabel(self) -> None:
        """Draw the lines in the active language."""
        self._draw()

    def show_queued(self, prompt: str) -> None:
        """Show which prompt is sent once the answer is complete; empty for none."""
        self._queued = prompt
        self._draw()

    def show_editing(self, is_editing: bool) -> None:
        """Show that an earlier message is being edited, or no more."""
        self._is_editing = is_editing
        self._draw()

    def _draw(self) -> None:
        lines: list[str] = []
        if self._queued:
            text = sanitize_line(self._queued[:_SHOWN])
            lines.append(_("Next (Esc takes it back): {text}").format(text=text))
        if self._is_editing:
            lines.append(_("Editing: Enter new branch, Esc leaves"))
        self.display = bool(lines)
        self.update(Content("\n".join(lines)))
