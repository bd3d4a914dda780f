"""What is done with conversations in the list: names, places, deletion, undo."""

from collections.abc import Awaitable

from textual import on
from textual.app import ComposeResult

from qwen_tui.chat.shelf import ConversationSummary
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import _
from qwen_tui.ui.screens.chat_messages import (
    NewChatAsked,
    OpenChatAsked,
    TurnSettled,
)
from qwen_tui.ui.screens.chat_undo import UndoActions
from qwen_tui.ui.shelf_desk import Shelf
from qwen_tui.ui.widgets.ask_line import AskLine
from qwen_tui.ui.widgets.chat_rows import ChatItem, shown_title
from qwen_tui.ui.widgets.sidebar import Sidebar, Wish

_RENAME = "rename "


class ShelfActions(UndoActions):
    """Keys of the sidebar, and the commands that do the same to the open chat."""

    shelf: Shelf | None = None
    """None until the conversations file is open."""
    _asked_in_list = False
    """The keyboard goes back to the list of conversations."""

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield AskLine(id="chat-ask")

    # What the app asks of it

    @on(TurnSettled)
    async def show_shelf(self) -> None:
        """Show the saved conversations as they are now."""
        if self.shelf is None:
            return
        try:
            rows = await self.shelf.chats(archived=self.sidebar.archive)
        except QwenTuiError as error:
            self.tell_error(error)
            return
        self.show_chats(
            [ChatItem(r.id, r.title, r.updated_at, r.pinned, r.tags) for r in rows]
        )

    async def run_turn(self, turn: Awaitable[None], *, may_ask: bool = False) -> None:
        """Do a turn, the open conversation marked as the one that is answered."""
        await self.transcript.show_end()
        self.sidebar.mark_answering(True)
        try:
            await super().run_turn(turn, may_ask=may_ask)
        finally:
            self.sidebar.mark_answering(False)

    # Keys and commands

    @on(Sidebar.Asked)
    async def do_wish(self, event: Sidebar.Asked) -> None:
        await self._do(event.wish, event.chat_id)

    async def action_chat(self, argument: str = "") -> None:
        """Pin, archive or delete the open chat; the first two also take it back."""
        match argument.strip().lower():
            case "pin" | "archive" | "delete" | "rename" as wish:
                await self._do(wish, self.current_id)
            case _:
                self.tell(_("Write /chat pin, /chat archive or /chat delete."))

    async def action_rename(self, title: str = "") -> None:
        """Give the open conversation a title, or ask for one."""
        if title:
            await self._rename(self.current_id, title)
        else:
            await self._do("rename", self.current_id)

    async def action_switch_archive(self) -> None:
        """Show the archive in the list, or the other conversations again."""
        self.sidebar.show_archive(not self.sidebar.archive, ())
        await self.show_shelf()

    @on(AskLine.Given)
    async def take_title(self, event: AskLine.Given) -> None:
        if event.purpose.startswith(_RENAME):
            self.query_one("#chat-ask", AskLine).close()
            await self._rename(event.purpose.removeprefix(_RENAME), event.value)

    @on(AskLine.Closed)
    def give_keyboard_back(self) -> None:
        in_list = self._asked_in_list and self.sidebar.display
        (self.sidebar.rows if in_list else self.composer).focus()

    # How they are done

    async def _do(self, wish: Wish, chat_id: str) -> None:
        shelf = self.shelf
        if shelf is None or (chat := await self._saved(shelf, chat_id)) is None:
            return
        title = shown_title(chat.title)
        match wish:
            case "rename":
                ask_line = self.query_one("#chat-ask", AskLine)
                self._asked_in_list = self.sidebar.rows.has_focus
                ask_line.ask(_RENAME + chat_id, lambda: _("Title:"), title)
            case "pin":
                off, on_ = (
                    _('"{title}" is no longer pinned.'),
                    _('"{title}" is pinned.'),
                )
                text = off if chat.pinned else on_
                await self._change(shelf.pin(chat_id, not chat.pinned), text, title)
            case "archive":
                off = _('"{title}" is out of the archive.')
                on_ = _('"{title}" is in the archive; v shows it.')
                text = off if chat.archived else on_
                doing = shelf.archive(chat_id, not chat.archived)
                await self._change(doing, text, title)
            case "delete":
                await self._delete(shelf, chat_id, title)

    async def _delete(self, shelf: Shelf, chat_id: str, title: str) -> None:
        was_open = chat_id == self.current_id
        if was_open and not self.may_leave():
            return
        text = _('"{title}" is deleted.')
        if not await self._change(shelf.delete(chat_id), text, title):
            return
        if was_open:
            self.post_message(NewChatAsked())

        async def undo() -> None:
            await self._bring_back(shelf, reopen=was_open)

        self.offer_undo(text.format(title=title), undo)

    async def _bring_back(self, shelf: Shelf, *, reopen: bool) -> None:
        try:
            chat_id = await shelf.bring_back()
        except QwenTuiError as error:
            self.tell_error(error)
            return
        await self.show_shelf()
        self.tell(_("What was deleted is back."))
        if reopen and self.may_leave():
            self.post_message(OpenChatAsked(chat_id))

    async def _rename(self, chat_id: str, title: str) -> None:
        if self.shelf is not None:
            text = _('The title is now "{title}".')
            await self._change(self.shelf.rename(chat_id, title), text, title)

    async def _change(self, doing: Awaitable[None], text: str, title: str) -> bool:
        """Do something to a conversation, and show and tell it; False if it failed."""
        try:
            await doing
        except QwenTuiError as error:
            self.tell_error(error)
            return False
        await self.show_shelf()
        self.tell(text.format(title=title))
        return True

    async def _saved(self, shelf: Shelf, chat_id: str) -> ConversationSummary | None:
        """Return what is saved of a conversation; None, and told, where nothing is."""
        try:
            found = await shelf.find(chat_id)
        except QwenTuiError as error:
            self.tell_error(error)
            return None
        if found is None:
            self.tell(_("This chat is empty: there is nothing to keep or delete."))
        return found
