"""What is done to the messages of a conversation between two turns."""

import asyncio
from dataclasses import dataclass, replace

from qwen_tui.chat.conversation import Conversation
from qwen_tui.chat.tree import Removal, newest_leaf, put_back, take_out
from qwen_tui.session.loop import TurnLoop, row_of
from qwen_tui.store.deletion import DeletedMessage


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was deleted, for `undo_delete`."""

    removal: Removal
    saved: tuple[DeletedMessage, ...]
    """What of it was on disk."""


class Branching(TurnLoop):
    """Switches, forks, pins and deletes; each is saved when it returns.

    Every method raises `StoreError` or `ChatNotFound` where it could not be saved.
    """

    async def pin(self, message_id: str, *, is_pinned: bool) -> None:
        """Keep a message in every prompt, or no more; it holds unsaved too."""
        messages = self.conversation.messages
        messages[message_id] = replace(messages[message_id], pinned=is_pinned)
        self._saver.put(messages[message_id])
        await self._flush()

    async def show_branch(self, message_id: str) -> None:
        """Show the newest branch that leads through a message; it holds unsaved too."""
        self._stay_idle()
        chat = self.conversation
        chat.leaf_id = newest_leaf(chat, message_id)
        self._saver.put_row(row_of(chat))
        await self._flush()

    async def delete(self, message_id: str) -> Deletion:
        """Delete a message and what goes with it; nothing goes where it fails."""
        self._stay_idle()
        chat = self.conversation
        whole = dict(chat.messages)
        removal = take_out(chat, message_id)
        try:
            saved = await self._saver.delete(removal.ids)
        except BaseException:
            chat.messages, chat.leaf_id = whole, removal.leaf_id
            raise
        self._saver.put_row(row_of(chat))
        await self._flush()
        return Deletion(removal, tuple(saved))

    async def undo_delete(self, deletion: Deletion) -> None:
        """Put back what was deleted and show the branch that was shown."""
        self._stay_idle()
        chat = self.conversation
        await self._saver.restore(deletion.saved)
        put_back(chat, deletion.removal)
        self._saver.put_row(row_of(chat))
        await self._flush()

    async def fork(self, message_id: str) -> Conversation:
        """Copy the branch that ends with a message into a conversation of its own."""
        await self._flush()
        chat_id = self.conversation.id
        return await asyncio.to_thread(self._store.fork, chat_id, message_id)

    async def _flush(self) -> None:
        failure = await self._saver.flush()
        if failure is not None:
            raise failure

    def _stay_idle(self) -> None:
        if self.busy:
            raise RuntimeError("not while a turn runs")
