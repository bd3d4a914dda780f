"""What is to be downloaded, and where to: the name, then what it is, then the yes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.widgets.line_input import LineInput
from qwen_tui.ui.widgets.tones import Line, content_of

Step = Literal["closed", "name", "waiting", "confirm", "folder"]


class _Facts(Static, can_focus=True):
    """What the hub told; Enter takes it, f asks for a folder, q for other packing."""

    BINDINGS = [
        Binding("enter", "take", show=False),
        Binding("f", "folder", show=False),
        Binding("q", "other_gguf", show=False),
    ]

    class Taken(Message):
        """Download it into the cache."""

    class FolderAsked(Message):
        """Into a folder instead."""

    class OtherAsked(Message):
        """The next quantisation instead."""

    def action_take(self) -> None:
        self.post_message(self.Taken())

    def action_folder(self) -> None:
        self.post_message(self.FolderAsked())

    def action_other_gguf(self) -> None:
        self.post_message(self.OtherAsked())


class DownloadSheet(Vertical):
    """Asks step by step; nothing is fetched before the person has seen how much."""

    BINDINGS = [Binding("escape", "back", show=False)]

    @dataclass
    class Named(Message):
        """The person gave a repo id or an alias."""

        name: str

    @dataclass
    class Confirmed(Message):
        """The person wants it; `folder` is empty for the cache."""

        folder: str

    class FolderAsked(Message):
        """The person wants plain files in a folder: `ask_folder` follows."""

    class OtherAsked(Message):
        """The person wants another quantisation: `show_facts` follows."""

    class StepChanged(Message):
        """Another step is shown, or none any more."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.step: Step = "closed"
        self._say_question: Callable[[], str] = str
        self._list_facts: Callable[[], list[Line]] = list
        self._question = Static(markup=False, classes="ask-question")
        self._input = LineInput(id=f"{id}-input")
        self._facts = _Facts(markup=False, id=f"{id}-facts")

    def compose(self) -> ComposeResult:
        yield self._question
        yield self._input
        yield self._facts

    @property
    def is_open(self) -> bool:
        """Whether it is on the screen."""
        return self.step != "closed"

    @property
    def value(self) -> str:
        """What stands in the line."""
        return self._input.value.strip()

    def relabel(self) -> None:
        """Say everything in the active language."""
        self._question.update(Content(sanitize_line(self._say_question())))
        self._facts.update(content_of(self._list_facts()))

    def ask_name(self, question: Callable[[], str], value: str) -> None:
        """Ask for a repo id or an alias."""
        self._ask("name", question, value)

    def ask_folder(self, question: Callable[[], str], value: str) -> None:
        """Ask for the folder that shall hold plain files."""
        self._ask("folder", question, value)

    def wait(self, text: Callable[[], str]) -> None:
        """Tell that the hub is being asked."""
        self._say_question = text
        self.relabel()
        self._enter("waiting")

    def show_facts(
        self, question: Callable[[], str], lines: Callable[[], list[Line]]
    ) -> None:
        """Show what would be fetched, and wait for the yes."""
        self._say_question, self._list_facts = question, lines
        self.relabel()
        self._enter("confirm")
        self._facts.focus()

    def close(self) -> None:
        """Take it off the screen."""
        self._enter("closed")

    def action_back(self) -> None:
        if self.step == "folder":
            self._enter("confirm")
            self._facts.focus()
        else:
            self.close()

    @on(LineInput.Submitted)
    def take(self, event: LineInput.Submitted) -> None:
        event.stop()
        if not self.value:
            return
        if self.step == "name":
            self.post_message(self.Named(self.value))
        elif self.step == "folder":
            self.post_message(self.Confirmed(self.value))

    @on(_Facts.Taken)
    def confirm(self) -> None:
        self.post_message(self.Confirmed(""))

    @on(_Facts.FolderAsked)
    def pass_on(self) -> None:
        self.post_message(self.FolderAsked())

    @on(_Facts.OtherAsked)
    def pass_on_too(self) -> None:
        self.post_message(self.OtherAsked())

    def _ask(self, step: Step, question: Callable[[], str], value: str) -> None:
        self._say_question = question
        self.relabel()
        self._enter(step)
        self._input.value = value
        self._input.cursor_position = len(value)
        self._input.focus()

    def _enter(self, step: Step) -> None:
        self.step = step
        for name in ("name", "waiting", "confirm", "folder"):
            self.set_class(name == step, f"-{name}")
        self.set_class(step != "closed", "-open")
        self.post_message(self.StepChanged())
