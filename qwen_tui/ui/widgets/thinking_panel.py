"""What the model thought: one line that counts, and the thoughts when open."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from qwen_tui.i18n import _, ngettext
from qwen_tui.ui.widgets.message_view import MessageView


def count_tokens_text(tokens: int) -> str:
    """Return "512 tokens" in the active language."""
    return ngettext("{n} token", "{n} tokens", tokens).format(n=f"{tokens:,}")


class ThinkingPanel(Vertical):
    """Open while the model thinks; folds when the answer starts."""

    def __init__(self, text: str = "", *, is_open: bool = False) -> None:
        super().__init__()
        self.is_open = is_open
        self.touched = False
        """The person opened or folded it: it then stays as they left it."""
        self._seconds = 0.0
        self._tokens = 0
        self._live = False
        self._cut = False
        self._line = Static(classes="thinking-line", markup=False)
        self.view = MessageView(text, plain=True)
        self._ready = False

    @property
    def text(self) -> str:
        """The thoughts so far, raw."""
        return self.view.text

    def compose(self) -> ComposeResult:
        yield self._line
        yield self.view

    def on_mount(self) -> None:
        self._ready = True  # `is_mounted` holds only after this handler
        self._show()

    def append(self, text: str) -> None:
        """Add thoughts that are being streamed."""
        self._live = True
        self.view.append(text)

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
        self._show_line()

    def set_open(self, is_open: bool, *, by_person: bool = False) -> None:
        """Open or fold the panel."""
        self.touched = self.touched or by_person
        self.is_open = is_open
        if self._ready:
            self._show()

    def on_click(self) -> None:
        self.set_open(not self.is_open, by_person=True)

    def _show(self) -> None:
        self.view.display = self.is_open
        self._show_line()

    def _show_line(self) -> None:
        sign = "[-]" if self.is_open else "[+]"
        self._line.update(Content(f"{sign} {self._summary()} (F3)"))

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
