"""From the chat to what was said anywhere, and to the message that said it."""

from textual import work
from textual.binding import Binding

from qwen_tui.chat.shelf import SearchHit
from qwen_tui.errors import QwenTuiError
from qwen_tui.ui.screens.chat_messages import OpenChatAsked
from qwen_tui.ui.screens.chat_shelf import ShelfActions


class SearchActions(ShelfActions):
    """Opens the search, and shows what was chosen in it."""

    BINDINGS = [Binding("ctrl+f", "search", show=False, priority=True)]

    def action_search(self, query: str = "") -> None:
        """Search all conversations."""
        if self.shelf is not None:
            from qwen_tui.ui.screens.search import SearchScreen  # not before its key

            self.app.push_screen(SearchScreen(self.shelf, query), self._open_hit)

    def _open_hit(self, hit: SearchHit | None) -> None:
        if hit is None or (hit.chat_id != self.current_id and not self.may_leave()):
            return
        if hit.chat_id != self.current_id:
            self.post_message(OpenChatAsked(hit.chat_id, hit.message_id or ""))
        elif hit.message_id:
            self.show_message(hit.message_id)

    @work(exclusive=True, group="found")
    async def show_message(self, message_id: str) -> None:
        """Show a message of the open conversation, and the branch that holds it."""
        session = self.turns.session
        if session is None or message_id not in session.conversation.messages:
            return
        shown = {message.id for message in session.conversation.branch()}
        if message_id not in shown:
            if not self.may_leave():
                return
            try:
                await session.show_branch(message_id)
            except QwenTuiError as error:
                self.tell_error(error)
            await self.turns.open(session)
        await self.transcript.show_message(message_id)
