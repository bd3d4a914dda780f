"""Where prompts are written: several lines, Enter sends."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message

from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize
from qwen_tui.ui.widgets.completion_menu import CompletionMenu, Word
from qwen_tui.ui.widgets.composer_keys import EDITING, NEW_LINE_KEYS
from qwen_tui.ui.widgets.composer_wrap import LongLineArea
from qwen_tui.ui.widgets.pasted import (
    AttachedFile,
    PastedTexts,
    is_long,
    is_too_long,
)
from qwen_tui.ui.widgets.prompt_walk import PromptWalk

_PATH_CHARS = 400
# An address such as a@b.org names no file; Chinese may stand right before "@".
_PATH = re.compile(r"(?<![A-Za-z0-9_.+-])@(\S*)\Z")


class Composer(LongLineArea, inherit_bindings=False):
    """A prompt being written; long pastes show as one line each."""

    @dataclass
    class Submitted(Message):
        """The person sends `text`, which is out of the composer from now on.

        What is typed on in the same instant is the next prompt. Answer with `keep_sent`
        or `give_back`.
        """

        text: str
        shown: str
        """As it stood in the composer: long pastes and files by their lines."""

    class Begun(Message):
        """The person begins to write: the composer was empty before."""

    @dataclass
    class PageAsked(Message):
        """The person pages the transcript without leaving the composer."""

        down: bool

    @dataclass
    class Sent(Message):
        """What was submitted was taken over."""

        text: str

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
        self.menu: CompletionMenu | None = None
        """Gets some of the keys while it is open."""
        self.update_menu: Callable[[], None] = lambda: None
        """Brings the menu up to date with what stands at the cursor."""
        self._pasted = PastedTexts()
        self._walk = PromptWalk()
        self._was_empty = True
        self._attaching: Word | None = None
        self._sends_after = False

    def on_mount(self) -> None:
        self.relabel()

    def relabel(self) -> None:
        """Show title, lines and placeholder in the active language."""
        is_editing = self.has_class("-editing")
        self.border_title = _("Editing a message") if is_editing else _("Message")
        self.placeholder = _("Write a message")
        self._show_size()

    @property
    def prompt(self) -> str:
        """What would be sent: long pastes in full, no blank ends."""
        return self._pasted.expand(self.text).strip()

    @property
    def word(self) -> Word | None:
        """What could be completed: a line that begins with "/", or "@" and a path."""
        row, column = self.cursor_location
        if not self.selection.is_empty or self._walk.is_at(self.text):
            return None
        before = self.document[row][:column]
        if row == 0 and before.startswith("/"):
            return Word(before, row, 0)
        tail = before[-_PATH_CHARS:]
        path = _PATH.search(tail)
        if path is None:
            return None
        return Word(path.group(), row, len(before) - len(tail) + path.start())

    def show_editing(self, is_editing: bool) -> None:
        """Tell that an earlier message is being changed, or no more."""
        self.set_class(is_editing, "-editing")
        self.relabel()

    def set_history(self, prompts: Sequence[str]) -> None:
        """Take the prompts that Up walks through, oldest first."""
        self._walk.replace(prompts)

    def keep_sent(self, prompt: str) -> None:
        """Count `prompt` among the earlier ones: it was taken over."""
        self._walk.add(prompt)
        if not self.text:
            self._pasted.clear()
        self.post_message(self.Sent(prompt))

    def give_back(self, submitted: Submitted) -> None:
        """Show again what could not be sent, above whatever was typed meanwhile."""
        if self._pasted.expand(submitted.shown).strip() != submitted.text:
            self.put_back(submitted.text)  # its lines stand for nothing any more
            return
        typed = self.text
        self._show(submitted.shown + ("\n" + typed if typed.strip() else ""))

    def drop_text(self) -> None:
        """Empty the composer of what is not sent."""
        self._pasted.clear()
        self.text = ""
        self._walk.end()

    def complete(self, word: Word, text: str) -> None:
        """Write `text` in the place of a word; nothing where that is gone."""
        if self._has(word):
            text = sanitize(text)
            start, end = (word.row, word.start), (word.row, word.end)
            self.replace(text, start, end, maintain_selection_offset=True)
            if self.cursor_location == start:
                self.move_cursor((word.row, word.start + len(text)))

    def begin_attaching(self, word: Word | None) -> None:
        """Wait for a file that is read; Enter waits with it."""
        self._attaching = word or Word("", *self.cursor_location)
        self._sends_after = False

    def end_attaching(self, file: AttachedFile | None) -> None:
        """Show the file in the place of its word, or at the cursor; None for none."""
        word, self._attaching = self._attaching, None
        sends, self._sends_after = self._sends_after, False
        if file is None or word is None:
            return
        if is_too_long(self.prompt + file.block):
            refusal = _("With {name} the message is longer than 1 MB; it was not taken")
            self.post_message(self.Refused(refusal.format(name=file.name)))
            return
        chip = self._pasted.attach(file)
        if word.text and self._has(word):
            self.complete(word, f"{chip} ")
        else:
            self.insert(f"{chip} ")
        if sends:
            self.submit()

    def submit(self) -> None:
        """Send what is written, if it is anything."""
        if self._attaching is not None:
            self._sends_after = True
        elif self.prompt:
            self.post_message(self.Submitted(self.prompt, self.text))
            self.text = ""
            self._walk.end()

    def text_for_editor(self) -> str:
        """Return what an editor shows: pasted texts in full, files by their chips."""
        return self._pasted.unfold(self.text)

    def take_edited(self, text: str) -> None:
        """Show what came back from an editor."""
        if is_long(text):  # one chip for all: what it stands for has no chips inside
            text = self._pasted.expand(text)
        self._show(text, fold=text)

    def put_back(self, text: str) -> None:
        """Show a prompt again, above whatever was typed meanwhile."""
        typed = self.text
        self._show(text + ("\n" + typed if typed.strip() else ""), fold=text)

    def write(self, text: str) -> None:
        """Show a text in full, to be changed, in the place of what was typed."""
        self._show(text)
        self.focus()

    async def on_key(self, event: events.Key) -> None:
        if self.menu is not None:
            self.update_menu()
            if self.menu.takes(event.key):
                self._take(event)
                self.menu.press(event.key)
                return
        if event.key in NEW_LINE_KEYS:
            self._take(event)
            self.insert("\n")
        elif event.key == "enter":
            self._take(event)
            if self._ends_with_backslash():
                row, column = self.cursor_location
                self.replace("\n", (row, column - 1), (row, column))
            else:
                self.submit()
        elif event.key in EDITING:
            self._take(event)
            await self.run_action(EDITING[event.key])

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
        self._show_size()

    def _show_size(self) -> None:
        self.border_subtitle = self._pasted.told_size(self.text)

    def action_cursor_up(self, select: bool = False) -> None:
        at_top = self.navigator.is_first_wrapped_line(self.cursor_location)
        if select or not at_top or not self._step(-1):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        at_end = self.navigator.is_last_wrapped_line(self.cursor_location)
        if select or not at_end or not self._step(1):
            super().action_cursor_down(select)

    def action_older_prompt(self) -> None:
        """Show the prompt before this one, wherever the cursor is."""
        self._step(-1)

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

    def _has(self, word: Word) -> bool:
        """Tell whether a word still stands where it stood."""
        if word.row >= self.document.line_count:
            return False
        return self.document[word.row][word.start : word.end] == word.text

    def _step(self, step: int) -> bool:
        """Show the prompt `step` places away; False when there is none."""
        prompt = self._walk.step(step, self.text)
        if prompt is None:
            return False
        self._show(prompt, fold=prompt)
        self._walk.showing(self.text)
        return True

    def _show(self, text: str, *, fold: str = "") -> None:
        """Replace everything by `text`, its part `fold` in one line when long."""
        if fold and is_long(fold):
            text = text.replace(fold, self._pasted.fold(fold), 1)
        self.text = sanitize(text)
        self.move_cursor(self.document.end)
