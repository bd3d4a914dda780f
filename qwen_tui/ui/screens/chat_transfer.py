"""Conversations to and from files."""

from dataclasses import replace
from pathlib import Path

from qwen_tui.chat.conversation import Conversation
from qwen_tui.chat.shelf import Format
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import _
from qwen_tui.ui.screens.chat_search import SearchActions
from qwen_tui.ui.widgets.chat_rows import shown_title

_TOLD = 3
"""Titles of imported conversations that are told."""


class TransferActions(SearchActions):
    """Exports the open conversation, and imports what a file holds."""

    async def action_export(self, argument: str = "") -> None:
        """Write the open conversation to a file: `[md|json|openai] [FILE]`."""
        session = self.turns.session
        if self.shelf is None or session is None or not session.conversation.messages:
            self.tell(_("This chat is empty: there is nothing to keep or delete."))
            return
        form, name = form_and_name(argument)
        whole = session.conversation
        chat = replace(whole, messages=dict(whole.messages))  # as it is now
        try:
            path = await self.shelf.export_path(chat, form, name)
        except QwenTuiError as error:
            self.tell_error(error)
            return
        await self._export(chat, form, path, overwrite=False)

    async def action_import(self, argument: str = "") -> None:
        """Bring in the conversations of a file, and tell which they are."""
        if self.shelf is None:
            return
        if not argument:
            self.tell(_("Write /import FILE."))
            return
        try:
            told, titles = await self.shelf.import_file(argument)
        except QwenTuiError as error:
            self.tell_error(error)
            return
        await self.show_shelf()
        more = ["..."] if len(titles) > _TOLD else []
        names = [f'"{shown_title(title)}"' for title in titles[:_TOLD]]
        self.tell("  ".join([told, *names, *more]))

    async def _export(
        self, chat: Conversation, form: Format, path: Path, *, overwrite: bool
    ) -> None:
        if self.shelf is None:
            return
        try:
            await self.shelf.export(chat, form, path, overwrite=overwrite)
        except QwenTuiError as error:
            if error.code != "export_exists":
                self.tell_error(error)
                return
            question = _("{file} is there already. Overwrite it?").format(file=path)
            self.ask(
                question,
                lambda: self.run_worker(self._export(chat, form, path, overwrite=True)),
            )
        else:
            self.tell(_("Exported to {path}.").format(path=path))


def form_and_name(argument: str) -> tuple[Format, str]:
    """Return the format and the file that stand behind /export.

    Without a format the file's ending decides, else it is Markdown for people.
    """
    first, _blank, rest = argument.strip().partition(" ")
    match first.lower():
        case "md" | "json" | "openai" as form:
            return form, rest.strip()
        case _:
            pass
    is_json = argument.strip().strip("'\"").lower().endswith(".json")
    return ("json" if is_json else "md"), argument.strip()
