"""The prompt that waits for the answer before it."""

from textual import on

from qwen_tui.ui.screens.chat_frame import ChatFrame
from qwen_tui.ui.screens.chat_messages import TurnSettled


class QueueActions(ChatFrame):
    """Keeps a prompt until the answer is complete, then sends it."""

    def queue_prompt(self, text: str) -> None:
        """Send `text` after the answer that is being written, with what waits there."""
        before = self.turns.queued
        self._queue(f"{before}\n\n{text}" if before else text)

    def take_back_queued(self) -> bool:
        """Put what waits back to be changed; False where nothing does."""
        text = self.turns.queued
        self._queue("")
        if text:
            self.composer.put_back(text)
            self.composer.focus()
        return bool(text)

    @on(TurnSettled)
    def send_next(self) -> None:
        """Send what waits where the answer is complete; else it is put back."""
        text = self.turns.queued
        if text and self.turns.is_complete and self.has_model:
            self._queue("")
            self.ask_model(text)
        else:
            self.take_back_queued()

    def _queue(self, text: str) -> None:
        self.turns.queued = text
        self.pending.show_queued(text)
