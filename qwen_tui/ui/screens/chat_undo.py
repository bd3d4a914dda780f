"""The last thing that can be undone."""

from collections.abc import Awaitable, Callable

from qwen_tui.i18n import _
from qwen_tui.ui.screens.chat_frame import ChatFrame


class UndoActions(ChatFrame):
    """Keeps how the last deletion is undone; the next one takes its place."""

    _undo: Callable[[], Awaitable[None]] | None = None

    def offer_undo(self, told: str, undo: Callable[[], Awaitable[None]]) -> None:
        """Tell what was done, and that /undo takes it back."""
        self._undo = undo
        self.tell(f"{told} {_('u or /undo takes it back.')}")

    async def action_undo(self) -> None:
        """Take the last deletion back."""
        undo, self._undo = self._undo, None
        if undo is None:
            self.tell(_("There is nothing to undo."))
        else:
            await undo()
