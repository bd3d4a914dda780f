"""What helps to write a prompt: completion, files, earlier prompts, an editor."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from textual import on, work
from textual.app import ComposeResult, SuspendNotSupported
from textual.binding import Binding
from textual.widgets import TextArea

from qwen_tui.chat.attachment import attach
from qwen_tui.chat.counting import count_tokens, estimate_tokens
from qwen_tui.errors import UsageError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.editor import (
    EditorFailed,
    edit_text,
    editor_command,
    keys_for_the_editor,
)
from qwen_tui.ui.file_offers import FoundPath, find_paths
from qwen_tui.ui.pace import USUAL, Pace
from qwen_tui.ui.prompt_history import PromptHistory
from qwen_tui.ui.screens.chat_frame import ChatFrame
from qwen_tui.ui.screens.chat_offers import command_offers
from qwen_tui.ui.widgets.completion_menu import CompletionMenu, Offer, Word
from qwen_tui.ui.widgets.composer import Composer
from qwen_tui.ui.widgets.line_text import size_text
from qwen_tui.ui.widgets.pasted import AttachedFile

_ATTACH = "/attach "


class ComposerActions(ChatFrame):
    """The layer around the composer."""

    BINDINGS = [Binding("ctrl+g", "edit_outside", show=False)]

    def __init__(self, *, thinking_open: bool = False, pace: Pace = USUAL) -> None:
        super().__init__(thinking_open=thinking_open, pace=pace)
        self.completions = CompletionMenu(self._take_offer, self.composer.submit)
        self.composer.menu = self.completions
        self.composer.update_menu = self.update_menu
        self.prompts: PromptHistory | None = None
        """Where prompts are kept; None keeps them as long as the program runs."""
        self._writing = asyncio.Lock()

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self.completions

    def on_mount(self) -> None:
        self._load_prompts()

    # Completion

    @on(TextArea.Changed, "#composer")
    @on(TextArea.SelectionChanged, "#composer")
    def update_menu(self) -> None:
        """Offer what may be meant by the word at the cursor."""
        word, menu = self.composer.word, self.completions
        if word is None:
            menu.forget()
        elif menu.is_dismissed(word):
            menu.close()
        elif word != menu.word:
            typed = _typed_path(word)
            if typed is None and self.offer_names(word):
                pass
            elif typed is None:
                offers, selected = command_offers(word.text)
                menu.show(word, offers, selected=selected, rows=self.place_menu())
            else:
                menu.look_for(word)
                self._offer_paths(word, typed)

    @work(exclusive=True, group="completion")
    async def _offer_paths(self, word: Word, typed: str) -> None:
        found = await asyncio.to_thread(find_paths, typed, Path.cwd())
        if self.completions.word == word:
            lead = word.text.removesuffix(typed)
            offers = [_path_offer(path, lead) for path in found]
            selected = 0 if typed and not typed.endswith("/") else -1
            rows = self.place_menu()
            self.completions.show(word, offers, selected=selected, rows=rows)

    def offer_names(self, word: Word) -> bool:
        """Look for what only the running program knows; False where that is nothing."""
        return False

    def place_menu(self) -> int:
        """Put the menu above the status line; return how many rows are free there."""
        top = self.status.region.y
        self.completions.styles.offset = (0, top - self.size.height)
        return top - 1

    def _take_offer(self, word: Word, offer: Offer, by_enter: bool) -> None:
        if offer.path:
            self._begin_file(Path(offer.path), word)
            return
        self.composer.complete(word, offer.text)
        if by_enter and offer.is_whole:
            self.composer.submit()

    # Files

    def action_attach_file(self, argument: str = "") -> None:
        path = Path(argument.strip()).expanduser() if argument.strip() else None
        if path is None:
            self.tell(_("Write /attach and a path, or @ and the beginning of one."))
        else:
            self._begin_file(path, None)

    def _begin_file(self, path: Path, word: Word | None) -> None:
        self.composer.begin_attaching(word)
        self._read_file(path)

    @work(group="attach")
    async def _read_file(self, path: Path) -> None:
        file: AttachedFile | None = None
        try:
            block = await asyncio.to_thread(_block_of, path)
            n = await self._count(block)
            tokens = estimate_tokens(block) if n is None else n
            name = sanitize_line(path.name)
            file = AttachedFile(name, block, tokens, is_estimate=n is None)
        except UsageError as error:
            self.tell(f"{error.message} {error.hint}".strip(), "warning")
        finally:
            self.composer.end_attaching(file)
        await self.read_ahead()  # counting interrupts it

    async def _count(self, text: str) -> int | None:
        """Count tokens by the model where it has nothing else to do."""
        session = self.turns.session
        if session is None or session.backend is None or self.turns.active:
            return None
        return await count_tokens(session.backend, session.options, text)

    # Earlier prompts

    @work(group="prompts")
    async def _load_prompts(self) -> None:
        if self.prompts is not None:
            try:
                self.composer.set_history(await asyncio.to_thread(self.prompts.load))
            except OSError as error:
                text = _("The earlier prompts cannot be read: {reason}.")
                self.tell(text.format(reason=error.strerror), "warning")

    @on(Composer.Sent)
    def keep_prompt(self, event: Composer.Sent) -> None:
        self._write_prompt(event.text)

    @work(group="prompts")
    async def _write_prompt(self, text: str) -> None:
        if self.prompts is None:
            return
        async with self._writing:  # in the order in which they were sent
            try:
                await asyncio.to_thread(self.prompts.add, text)
            except OSError as error:
                told = _("The prompt was not kept for later sessions: {reason}.")
                self.tell(told.format(reason=error.strerror), "warning")

    # An editor

    @work(exclusive=True, group="editor")
    async def action_edit_outside(self) -> None:
        """Write on in the person's editor; the program goes on without the terminal."""
        try:
            command = editor_command(os.environ)
            edited = await self._edit(self.composer.text_for_editor(), command)
        except SuspendNotSupported:
            self.tell(_("This terminal cannot be given to an editor."), "warning")
        except EditorFailed as error:
            self.tell(f"{error.message} {error.hint}".strip(), "warning")
        else:
            self.composer.take_edited(edited)

    async def _edit(self, text: str, command: Sequence[str]) -> str:
        """Give the terminal to an editor until it ends.

        Raises:
            EditorFailed: it brought nothing back.
        """
        failure: EditorFailed | None = None
        with self.app.batch_update(), self.app.suspend(), keys_for_the_editor():
            try:
                text = await asyncio.to_thread(edit_text, text, command)
            except EditorFailed as error:  # what leaves `suspend` stays suspended
                failure = error
        await self.run_action("app.redraw")  # nothing of the editor may be left
        if failure is not None:
            raise failure
        return text


def _typed_path(word: Word) -> str | None:
    """Return the path that a word begins; None for a command."""
    if word.text.startswith("@"):
        return word.text[1:]
    if word.text.startswith(_ATTACH):
        return word.text.removeprefix(_ATTACH)
    return None


def _path_offer(path: FoundPath, lead: str) -> Offer:
    return Offer(
        label=path.typed,
        detail="" if path.is_folder else size_text(path.size_bytes),
        text=lead + path.typed,
        path="" if path.is_folder else path.path,
    )


def _block_of(path: Path) -> str:
    """Read a file to be attached.

    Raises:
        UsageError: it is no text file, or cannot be read.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UsageError(
            _("{path} is no file that can be read to its end.").format(
                path=sanitize_line(str(path))
            )
        )
    return attach(path)
