"""Out of the chat: to the clipboard of the terminal, or into a file."""

import asyncio
from pathlib import Path

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.errors import FileError
from qwen_tui.i18n import _
from qwen_tui.ui.clipboard import sent_note
from qwen_tui.ui.saved_file import file_named, save
from qwen_tui.ui.screens.chat_frame import ChatFrame
from qwen_tui.ui.widgets.line_text import long_size


class CopyActions(ChatFrame):
    """Copies and saves messages and their code, as they were written."""

    _code_copied = ("", 0)
    """Of which message a code block was copied last, and its number."""

    async def action_copy(self, argument: str = "") -> None:
        """Copy the last answer, or a code block of it by its number."""
        answer = self.turns.last_answer
        if answer is None or not answer.content:
            self.tell(_("There is no answer yet."))
        elif not argument:
            self.send_to_terminal(answer.content)
        elif (code := await self._code(answer, argument)) is not None:
            self.send_to_terminal(code)

    def action_copy_message(self) -> None:
        """Copy the message that is chosen, else the last answer."""
        message = self._chosen
        if message is None or not message.content:
            self.tell(_("There is no message yet."))
        else:
            self.send_to_terminal(message.content)

    async def action_copy_code(self) -> None:
        """Copy the next code block of the chosen message, after the last the first."""
        message = self._chosen
        blocks = await _code_blocks(message) if message is not None else []
        if message is None or not blocks:
            self.tell(_("There is no code block in this message."))
            return
        copied_from, number = self._code_copied
        number = number % len(blocks) + 1 if copied_from == message.id else 1
        self._code_copied = message.id, number
        self.send_to_terminal(blocks[number - 1])
        if len(blocks) > 1:
            told = _("Code block {n} of {total} sent to your terminal; c: the next")
            self.tell(told.format(n=number, total=len(blocks)))

    async def action_save(self, argument: str = "") -> None:
        """Save the last answer to a file, or a code block of it: `FILE [N]`."""
        answer = self.turns.last_answer
        name, number = _file_and_number(argument)
        if not name:
            self.tell(_("Write /save FILE, or /save FILE N for a code block."))
        elif answer is None or not answer.content:
            self.tell(_("There is no answer yet."))
        elif not number:
            await self.save_text(name, answer.content)
        elif (code := await self._code(answer, number)) is not None:
            await self.save_text(name, code)

    async def save_text(self, name: str, text: str) -> None:
        """Save a text to the file that is named; over another one after a yes only."""
        try:
            path = await asyncio.to_thread(file_named, name)
        except FileError as error:
            self.tell_error(error)
            return
        if not await self._write(path, text, overwrite=False):
            question = _("{file} is there already. Overwrite it?").format(file=path)
            self.ask(
                question,
                lambda: self.run_worker(self._write(path, text, overwrite=True)),
            )

    def send_to_terminal(self, text: str) -> None:
        """Send a text to the clipboard of the person's terminal, and tell so."""
        self.app.copy_to_clipboard(text)
        self.tell(*sent_note(text))

    @property
    def _chosen(self) -> ChatMessage | None:
        """The message that is selected, else the last answer."""
        session = self.turns.session
        chosen = self.transcript.selected_message_id
        if session is None or chosen not in session.conversation.messages:
            return self.turns.last_answer
        return session.conversation.messages[chosen]

    async def _code(self, answer: ChatMessage, number: str) -> str | None:
        """Return a code block by its number; None, and told, where it is not there."""
        blocks = await _code_blocks(answer)
        if number.isdecimal() and 0 < int(number) <= len(blocks):
            return blocks[int(number) - 1]
        if not blocks:
            self.tell(_("There is no code block in the last answer."))
        else:
            told = _("The last answer has the code blocks 1 to {total}.")
            self.tell(told.format(total=len(blocks)))
        return None

    async def _write(self, path: Path, text: str, *, overwrite: bool) -> bool:
        """Write the file and tell so; False where it is there already."""
        try:
            done = await asyncio.to_thread(save, path, text, overwrite=overwrite)
        except FileError as error:
            self.tell_error(error)
            return True
        if done:
            size = long_size(len(text.encode("utf-8", "replace")))
            self.tell(_("Saved to {file} ({size})").format(file=path, size=size))
        return done


def _file_and_number(argument: str) -> tuple[str, str]:
    """Return what stands behind /save: a file's name, and a number or nothing."""
    name, _blank, last = argument.rpartition(" ")
    if name.strip() and last.isdecimal():
        return name.strip(), last
    return argument.strip(), ""


async def _code_blocks(message: ChatMessage) -> list[str]:
    from qwen_tui.ui.markdown.code_blocks import code_blocks  # a parser: 20 ms

    return await asyncio.to_thread(code_blocks, message.content)
