"""Brings a conversation that changes to the store, about once a second."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.errors import ChatNotFound, StoreError
from qwen_tui.store.conversations import Store
from qwen_tui.store.deletion import DeletedMessage

CHECKPOINT_S = 0.8
"""Pause between two saves of what changes."""

_T = TypeVar("_T")
_FAILURES = (StoreError, ChatNotFound)  # the chat may be deleted by another program


class Autosave:
    """Saves the newest state of one conversation, never an older one after it.

    `put` and `put_row` never wait; `write` is for any thread. What could not be
    saved stays, and is tried again at the next write.

    Attributes:
        failure: Why the last `flush` could not save all; None where it could.
        on_change: Called in the event loop when `failure` begins or ends.
    """

    def __init__(self, store: Store, chat_id: str) -> None:
        self._store = store
        self._chat_id = chat_id
        self._lock = threading.RLock()
        # What shall be saved and what was: `put` is free of locks because a writing
        # thread changes the second of each pair only.
        self._row: Conversation | None = None
        self._saved_row: Conversation | None = None
        self._messages: dict[str, ChatMessage] = {}
        self._saved: dict[str, ChatMessage] = {}
        self.failure: StoreError | ChatNotFound | None = None
        self.on_change: Callable[[], None] = lambda: None

    def put(self, message: ChatMessage) -> None:
        """Have a message saved with the next write."""
        self._messages[message.id] = message

    def put_row(self, row: Conversation) -> None:
        """Have a conversation's own fields saved; `row` must not change any more."""
        self._row = row

    async def checkpoints(self) -> None:
        """Save what changed, again and again, until cancelled."""
        while True:
            await asyncio.sleep(CHECKPOINT_S)
            await self.flush()  # what fails is tried again at the next round

    async def flush(self) -> StoreError | ChatNotFound | None:
        """Save all that changed; return why it failed.

        A caller that is cancelled meanwhile does not keep the write from ending.
        """
        before = self.failure
        self.failure = await _in_thread(self.write)
        if (self.failure is None) != (before is None):
            self.on_change()
        return self.failure

    def write(self, patience_s: float = -1) -> StoreError | ChatNotFound | None:
        """Save all that changed, now; return why it failed.

        Args:
            patience_s: Wait so long for a write in another thread, then write all
                the same: that thread may itself wait for the caller. -1: no limit.
        """
        is_ours = self._lock.acquire(timeout=patience_s)
        try:
            row = self._row
            if row is not None and row is not self._saved_row:
                self._store.save_conversation(row)
                self._saved_row = row
            for message in list(self._messages.values()):  # parents came first
                if self._saved.get(message.id) is not message:
                    self._store.save_message(self._chat_id, message)
                    self._saved[message.id] = message
        except _FAILURES as error:
            return error
        finally:
            if is_ours:
                self._lock.release()
        return None

    async def is_stored(self) -> bool:
        """Tell whether the store knows the conversation.

        Raises:
            StoreError: it cannot tell.
        """
        return await _in_thread(self._is_stored)

    def _is_stored(self) -> bool:
        try:
            self._store.load(self._chat_id)
        except ChatNotFound:
            return False
        return True

    async def delete(self, ids: Sequence[str]) -> list[DeletedMessage]:
        """Delete messages in this order, all or none; return what `restore` takes.

        Raises:
            StoreError: it could not be done.
        """
        return await _in_thread(lambda: self._delete(ids))

    def _delete(self, ids: Sequence[str]) -> list[DeletedMessage]:
        deleted: list[DeletedMessage] = []
        with self._lock:
            try:
                for message_id in ids:
                    found = self._store.delete_message(self._chat_id, message_id)
                    deleted += [found] if found is not None else []
            except StoreError:
                with contextlib.suppress(*_FAILURES):
                    self._restore(deleted)
                raise
            for message_id in ids:
                self._messages.pop(message_id, None)
                self._saved.pop(message_id, None)
        return deleted

    async def restore(self, deleted: Sequence[DeletedMessage]) -> None:
        """Put back what `delete` returned.

        Raises:
            StoreError, ChatNotFound: it could not be done.
        """
        await _in_thread(lambda: self._restore(deleted))

    def _restore(self, deleted: Sequence[DeletedMessage]) -> None:
        with self._lock:
            for message in reversed(deleted):
                self._store.restore(message)

    async def forget(self, ids: Sequence[str], *, is_chat_too: bool) -> None:
        """Delete messages, the last one first, and with them the conversation."""
        await _in_thread(lambda: self._forget(ids, is_chat_too=is_chat_too))

    def _forget(self, ids: Sequence[str], *, is_chat_too: bool) -> None:
        with self._lock:
            for message_id in ids:
                self._messages.pop(message_id, None)
                self._saved.pop(message_id, None)
            if is_chat_too:
                self._row = self._saved_row = None
            # what cannot be deleted shows up as an empty answer that was stopped
            with contextlib.suppress(*_FAILURES):
                for message_id in ids:
                    self._store.delete_message(self._chat_id, message_id)
                if is_chat_too:
                    self._store.delete(self._chat_id)


async def _in_thread(function: Callable[[], _T]) -> _T:
    # run_in_executor starts at once, where a task could be cancelled before its start
    running = asyncio.get_running_loop().run_in_executor(None, function)
    return await asyncio.shield(running)
