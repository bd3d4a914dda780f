"""A question with a line to answer it in, opened for one purpose at a time."""

from collections.abc import Callable
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.widgets.line_input import LineInput


class AskLine(Vertical):
    """Hidden until it is opened; Enter answers, Esc closes."""

    BINDINGS = [Binding("escape", "close", show=False)]

    @dataclass
    class Given(Message):
        """The person answered; `value` has no blanks around it.

        It is empty only where `ask` allowed that.
        """

        purpose: str
        value: str

    @dataclass
    class Closed(Message):
        """The line is gone again."""

        purpose: str

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.purpose = ""
        self._may_be_empty = False
        self._say_question: Callable[[], str] = str
        self._question = Static(markup=False, classes="ask-question")
        self._input = LineInput(id=f"{id}-input")

    def compose(self) -> ComposeResult:
        yield self._question
        yield self._input

    @property
    def is_open(self) -> bool:
        """Whether it is on the screen."""
        return self.has_class("-open")

    def ask(
        self,
        purpose: str,
        question: Callable[[], str],
        value: str = "",
        *,
        may_be_empty: bool = False,
    ) -> None:
        """Open the line and take the keyboard.

        Args:
            purpose: What its messages name.
            question: Says it in the active language.
            value: Stands in the line at first.
            may_be_empty: An empty line is an answer, too.
        """
        self.purpose = purpose
        self._may_be_empty = may_be_empty
        self._say_question = question
        self.relabel()
        self.add_class("-open")
        self._input.value = value
        self._input.cursor_position = len(value)
        self._input.focus()

    def relabel(self) -> None:
        """Ask in the active language."""
        self._question.update(Content(sanitize_line(self._say_question())))

    def close(self) -> None:
        """Take it off the screen."""
        if self.is_open:
            self.remove_class("-open")
            self.post_message(self.Closed(self.purpose))

    def action_close(self) -> None:
        self.close()

    @on(LineInput.Submitted)
    def give(self, event: LineInput.Submitted) -> None:
        event.stop()
        value = event.value.strip()
        if value or self._may_be_empty:
            self.post_message(self.Given(self.purpose, value))
