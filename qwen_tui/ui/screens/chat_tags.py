"""Tags of conversations, by which the list and the search find them again."""

from collections.abc import Sequence

from textual import on

from qwen_tui.chat.shelf import ConversationSummary
from qwen_tui.chat.tags import read_tags, toggled, write_tags
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import _
from qwen_tui.ui.screens.chat_shelf import ShelfActions
from qwen_tui.ui.widgets.ask_line import AskLine
from qwen_tui.ui.widgets.chat_rows import shown_title
from qwen_tui.ui.widgets.sidebar import Sidebar

_TAGS = "tags "


class TagActions(ShelfActions):
    """Gives conversations tags, in the list and by a command."""

    async def action_tag(self, argument: str = "") -> None:
        """Give the open chat tags, take away those it has; or let them be edited."""
        chat = await self._saved_chat(self.current_id)
        if chat is None:
            return
        if argument.strip():
            await self._tag(chat, toggled(chat.tags, read_tags(argument)))
        else:
            self._ask_tags(chat)

    @on(Sidebar.TagsAsked)
    async def ask_tags_in_list(self, event: Sidebar.TagsAsked) -> None:
        chat = await self._saved_chat(event.chat_id)
        if chat is not None:
            self._ask_tags(chat)

    @on(AskLine.Given)
    async def take_tags(self, event: AskLine.Given) -> None:
        if not event.purpose.startswith(_TAGS):
            return
        self.query_one("#chat-ask", AskLine).close()
        chat = await self._saved_chat(event.purpose.removeprefix(_TAGS))
        if chat is not None:
            await self._tag(chat, read_tags(event.value))

    def _ask_tags(self, chat: ConversationSummary) -> None:
        self._asked_in_list = self.sidebar.rows.has_focus
        ask_line = self.query_one("#chat-ask", AskLine)
        written = write_tags(chat.tags)
        ask_line.ask(_TAGS + chat.id, lambda: _("Tags:"), written, may_be_empty=True)

    async def _saved_chat(self, chat_id: str) -> ConversationSummary | None:
        return None if self.shelf is None else await self._saved(self.shelf, chat_id)

    async def _tag(self, chat: ConversationSummary, tags: Sequence[str]) -> None:
        if self.shelf is None:
            return
        try:
            await self.shelf.tag(chat.id, tags)
        except QwenTuiError as error:
            self.tell_error(error)
            return
        await self.show_shelf()
        title = shown_title(chat.title)
        if tags:
            text = _('"{title}" has the tags {tags}.')
            self.tell(text.format(title=title, tags=write_tags(tags)))
        else:
            self.tell(_('"{title}" has no tags.').format(title=title))
