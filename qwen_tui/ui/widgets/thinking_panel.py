"""What the model thought: one line that counts, and the thoughts when open."""

from qwen_tui.i18n import _, ngettext
from qwen_tui.ui.widgets.message_view import MessageView


def count_tokens_text(tokens: int) -> str:
    """Return "512 tokens" in the active language."""
    return ngettext("{n} token", "{n} tokens", tokens).format(n=f"{tokens:,}")


class ThinkingPanel:
    """Two texts of a turn. Open while the model thinks; folds when it answers."""

    def __init__(self, text: str = "", *, is_open: bool = False) -> None:
        """Begin with thoughts.

        Args:
            text: What was thought; raw. Empty: nothing shows before `append`.
            is_open: Whether the thoughts are to be seen, and not only the line.
        """
        self.is_open = is_open
        self.touched = False
        """The person opened or folded it: it then stays as they left it."""
        self.line = MessageView(plain=True, look="thinking", indent=2)
        self.view = MessageView(text, plain=True, look="thinking", indent=4)
        self.gap = MessageView(" ", plain=True)
        self._seconds = 0.0
        self._tokens = 0
        self._live = False
        self._cut = False
        self._show()

    @property
    def text(self) -> str:
        """The thoughts so far, raw."""
        return self.view.text

    def append(self, text: str) -> None:
        """Add thoughts that are being streamed."""
        self._live = True
        is_first = not self.view.text
        self.view.append(text)
        if is_first:
            self._show()

    def tick(self, seconds: float, tokens: int) -> None:
        """Tell how long the model has been thinking."""
        self._live = True
        self._seconds, self._tokens = seconds, tokens
        self._show_line()

    def settle(self, seconds: float, tokens: int, *, cut: bool = False) -> None:
        """Tell how long it took; `cut` when the token limit fell inside."""
        self._live = False
        self._cut = cut
        self._seconds, self._tokens = seconds, tokens
        self.view.finish()
        self._show_line()

    def set_open(self, is_open: bool, *, by_person: bool = False) -> None:
        """Open or fold the panel."""
        self.touched = self.touched or by_person
        self.is_open = is_open
        self._show()

    def relabel(self) -> None:
        """Draw the line in the active language."""
        self._show_line()

    def _show(self) -> None:
        self._show_line()
        self.line.show(bool(self.text))
        self.view.show(self.is_open and bool(self.text))
        self.gap.show(self.view.shown)

    def _show_line(self) -> None:
        sign = "[-]" if self.is_open else "[+]"
        self.line.replace(f"{sign} {self._summary()} (F3)")

    def _summary(self) -> str:
        seconds = f"{self._seconds:.1f}"
        tokens = count_tokens_text(self._tokens)
        if self._live:
            text = _("Thinking... {seconds} s, {tokens}")
        elif self._cut:
            text = _("Thinking was cut short by the token limit: {seconds} s, {tokens}")
        elif not self._tokens:
            return _("Thoughts")
        else:
            text = _("Thought for {seconds} s, {tokens}")
        return text.format(seconds=seconds, tokens=tokens)
