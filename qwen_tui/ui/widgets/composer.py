"""Where prompts are written: several lines, Enter sends."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import TextArea

from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize
from qwen_tui.ui.widgets.pasted import PastedTexts, is_long, is_too_long

_NEW_LINE_KEYS = frozenset({"ctrl+j", "shift+enter", "alt+enter"})


class Composer(TextArea):
    """A prompt being written; long pastes show as one line each."""

    # Ctrl+F is kept free: elsewhere on the screen it searches
    BINDINGS = [Binding("ctrl+up", "older_prompt", show=False)]

    @dataclass
    class Submitted(Message):
        """The person sends `text`; it stays in the composer until `clear_sent`."""

        text: str

    class Begun(Message):
        """The person begins to write: the composer was empty before."""

    @dataclass
    class PageAsked(Message):
        """The person pages the transcript without leaving the composer."""

        down: bool

    @dataclass
    class Refused(Message):
        """Something was not taken over; `reason` is translated."""

        reason: str

    def __init__(self) -> None:
        super().__init__(
            id="composer",
            soft_wrap=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
        )
        self.cursor_blink = False  # a blinking cursor costs bytes over SSH all day
        self._pasted = PastedTexts()
        self._prompts: list[str] = []
        self._place = 0
        self._draft = ""
        self._was_empty = True

    def on_mount(self) -> None:
        self.relabel()

    def relabel(self) -> None:
        """Show title, lines and placeholder in the active language."""
        self.border_title = _("Message")
        self.placeholder = _("Write a message")
        self._show_lines()

    @property
    def prompt(self) -> str:
        """What would be sent: long pastes in full, no blank ends."""
        return self._pasted.expand(self.text).strip()

    def set_history(self, prompts: Sequence[str]) -> None:
        """Take the prompts that Up walks through, oldest first."""
        self._prompts = list(prompts)
        self._place = len(self._prompts)

    def clear_sent(self) -> None:
        """Empty the composer after its text was taken over."""
        self._pasted.clear()
        self.text = ""
        self._draft = ""
        self._place = len(self._prompts)

    def put_back(self, text: str) -> None:
        """Show a prompt again, above whatever was typed meanwhile."""
        typed = self.text
        self._show(text + ("\n" + typed if typed.strip() else ""), fold=text)

    def write(self, text: str) -> None:
        """Show a text in full, to be changed, in the place of what was typed."""
        self._show(text)
        self.focus()

    def on_key(self, event: events.Key) -> None:
        if event.key in _NEW_LINE_KEYS:
            self._take(event)
            self.insert("\n")
        elif event.key == "enter":
            self._take(event)
            if self._ends_with_backslash():
                row, column = self.cursor_location
                self.replace("\n", (row, column - 1), (row, column))
            elif self.prompt:
                self.post_message(self.Submitted(self.prompt))

    def on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        if is_too_long(self.prompt + text):
            self.post_message(
                self.Refused(_("The pasted text is longer than 1 MB; it was not taken"))
            )
            return
        shown = self._pasted.fold(text) if is_long(text) else sanitize(text)
        self.replace(shown, *self.selection)

    def on_text_area_changed(self) -> None:
        if self._was_empty and self.text:
            self.post_message(self.Begun())
        self._was_empty = not self.text
        self._show_lines()

    def _show_lines(self) -> None:
        n_lines = self.document.line_count
        self.border_subtitle = (
            ngettext("{n} line", "{n} lines", n_lines).format(n=n_lines)
            if n_lines > 1
            else ""
        )

    def action_cursor_up(self, select: bool = False) -> None:
        at_top = self.navigator.is_first_wrapped_line(self.cursor_location)
        if select or not at_top or not self._walk(-1):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        at_end = self.navigator.is_last_wrapped_line(self.cursor_location)
        if select or not at_end or not self._walk(1):
            super().action_cursor_down(select)

    def action_older_prompt(self) -> None:
        """Show the prompt before this one, wherever the cursor is."""
        self._walk(-1)

    def action_cursor_page_up(self) -> None:
        self.post_message(self.PageAsked(down=False))

    def action_cursor_page_down(self) -> None:
        self.post_message(self.PageAsked(down=True))

    def action_delete_left(self) -> None:
        row, column = self.cursor_location
        chip = self._pasted.ending_at(self.document[row], column)
        if chip and self.selection.is_empty:
            self.delete((row, column - len(chip)), (row, column))
        else:
            super().action_delete_left()

    def action_delete_right(self) -> None:
        row, column = self.cursor_location
        chip = self._pasted.starting_at(self.document[row], column)
        if chip and self.selection.is_empty:
            self.delete((row, column), (row, column + len(chip)))
        else:
            super().action_delete_right()

    def _take(self, event: events.Key) -> None:
        event.prevent_default()
        event.stop()

    def _ends_with_backslash(self) -> bool:
        row, column = self.cursor_location
        return self.selection.is_empty and self.document[row][:column].endswith("\\")

    def _walk(self, step: int) -> bool:
        """Show the prompt `step` places away; False when there is none."""
        place = self._place + step
        if not 0 <= place <= len(self._prompts):
            return False
        if self._place == len(self._prompts):
            self._draft = self.text
        self._place = place
        if place == len(self._prompts):
            self._show(self._draft)
        else:
            self._show(self._prompts[place], fold=self._prompts[place])
        return True

    def _show(self, text: str, *, fold: str = "") -> None:
        """Replace everything by `text`, its part `fold` in one line when long."""
        if fold and is_long(fold):
            text = text.replace(fold, self._pasted.fold(fold), 1)
        self.text = sanitize(text)
        self.move_cursor(self.document.end)
