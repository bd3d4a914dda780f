"""A question on the bottom line; nothing pops up over the text."""

from collections.abc import Callable, Mapping

from textual import events
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line


class ConfirmLine(Static, can_focus=True):
    """Asks, takes one key, and gives the focus back; any other key leaves it."""

    def __init__(self) -> None:
        super().__init__(id="confirm", markup=False)
        self._answers: Mapping[str, Callable[[], object]] = {}
        """Key to what it does; empty while nothing is asked."""
        self._otherwise: Callable[[str], object] | None = None
        self._focus_after: Widget | None = None

    def on_mount(self) -> None:
        self.display = False

    def ask(self, question: str, on_yes: Callable[[], object]) -> None:
        """Show `question`, which names what will be lost, and wait for a key."""
        text = f"{question}   " + _("y yes   any other key no")
        self.ask_key(text, {"y": on_yes})

    def ask_key(
        self,
        question: str,
        answers: Mapping[str, Callable[[], object]],
        *,
        otherwise: Callable[[str], object] | None = None,
    ) -> None:
        """Show a question and wait for a key.

        Args:
            question: Names the keys.
            answers: What each key does.
            otherwise: Takes a character that answers nothing: for questions that come
                up by themselves, while a person may begin to write.
        """
        self._answers = answers
        self._otherwise = otherwise
        if not self.display:
            self._focus_after = self.screen.focused
        self.update(Content(sanitize_line(question)))
        self.display = True
        self.focus()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        answer = self._answers.get((event.character or "").lower())
        self.close()
        if answer is not None:
            answer()
        elif self._otherwise is not None and event.is_printable:
            self._otherwise(event.character or "")

    def relabel(self) -> None:
        """Take the question back: it was asked in another language."""
        self.close()

    def on_blur(self) -> None:
        self._answers = {}
        self.display = False

    def close(self) -> bool:
        """Take the question back; False where none was asked."""
        asked, self._answers = bool(self._answers), {}
        self.display = False
        if asked and self._focus_after is not None and self._focus_after.is_attached:
            self._focus_after.focus()
        return asked
