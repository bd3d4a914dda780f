"""What is done with saved conversations beside talking in them."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from qwen_tui.chat.conversation import Conversation
from qwen_tui.chat.shelf import ConversationSummary, Format, SearchHit
from qwen_tui.store.conversations import Store
from qwen_tui.store.deletion import DeletedChat
from qwen_tui.ui.saved_file import path_named

_UNDONE = 20
"""Deletions that can be taken back."""


class Shelf:
    """Orders, deletes and brings back conversations; store calls run in threads.

    Every function raises `ChatNotFound` for what is gone, and `StoreError`.
    """

    def __init__(
        self, store: Store, open_chat: Callable[[], Conversation | None]
    ) -> None:
        """Work in `store`; `open_chat` tells which conversation is open."""
        self._store = store
        self._open_chat = open_chat
        self._deleted: list[DeletedChat] = []

    async def chats(self, *, archived: bool = False) -> Sequence[ConversationSummary]:
        """Return the conversations, the pinned first, then those used last."""
        return await asyncio.to_thread(self._store.summaries, archived=archived)

    async def find(self, chat_id: str) -> ConversationSummary | None:
        """Return what is saved of a conversation, in the archive or not."""
        rows = [*await self.chats(), *await self.chats(archived=True)]
        return next((row for row in rows if row.id == chat_id), None)

    async def rename(self, chat_id: str, title: str) -> None:
        """Give a conversation a title."""
        await asyncio.to_thread(self._store.rename, chat_id, title)
        if (chat := self._open(chat_id)) is not None:
            chat.title = " ".join(title.split())

    async def pin(self, chat_id: str, pinned: bool) -> None:
        """Keep a conversation at the head of the list, or no more."""
        await asyncio.to_thread(self._store.set_pinned, chat_id, pinned)
        if (chat := self._open(chat_id)) is not None:
            chat.pinned = pinned

    async def archive(self, chat_id: str, archived: bool) -> None:
        """Take a conversation out of the list, or back into it."""
        await asyncio.to_thread(self._store.set_archived, chat_id, archived)
        if (chat := self._open(chat_id)) is not None:
            chat.archived = archived

    async def tag(self, chat_id: str, tags: Sequence[str]) -> None:
        """Give a conversation these tags and no others."""
        await asyncio.to_thread(self._store.set_tags, chat_id, tags)
        if (chat := self._open(chat_id)) is not None:
            chat.tags = list(tags)

    async def delete(self, chat_id: str) -> None:
        """Delete a conversation; `bring_back` undoes it."""
        deleted = await asyncio.to_thread(self._store.delete, chat_id)
        self._deleted = [*self._deleted, deleted][-_UNDONE:]

    async def bring_back(self) -> str:
        """Undo the last deletion; return the id, empty where nothing was deleted."""
        if not self._deleted:
            return ""
        deleted = self._deleted.pop()
        await asyncio.to_thread(self._store.restore, deleted)
        return str(deleted.conversation["id"])

    async def search(self, query: str, *, limit: int) -> Sequence[SearchHit]:
        """Return what holds every word of `query`, in titles and messages."""
        return await asyncio.to_thread(self._store.search, query, limit=limit)

    async def export_path(self, chat: Conversation, form: Format, name: str) -> Path:
        """Return where a conversation goes: a folder, or nothing, names no file."""

        def find() -> Path:
            from qwen_tui.store.transfer.exchange import file_name

            path = path_named(name) if name else Path.cwd()
            return path / file_name(chat, form) if path.is_dir() else path

        return await asyncio.to_thread(find)

    async def export(
        self, chat: Conversation, form: Format, path: Path, *, overwrite: bool
    ) -> None:
        """Write a conversation to a file, whole or not at all.

        Raises:
            TransferError: it exists (`export_exists`), or cannot be written.
        """

        def write() -> None:
            from qwen_tui.store.transfer.exchange import export_text
            from qwen_tui.store.transfer.files import write_text

            write_text(path, export_text(chat, form), overwrite=overwrite)

        await asyncio.to_thread(write)

    async def import_file(self, name: str) -> tuple[str, list[str]]:
        """Bring in the conversations of a file, all or nothing.

        Returns:
            What became of it, in one line, and the titles of what is new.

        Raises:
            FileError, TransferError: it cannot be read, or is wrong somewhere.
        """

        def read() -> tuple[str, list[str]]:
            from qwen_tui.store.transfer.exchange import import_file, summary_text

            found = import_file(self._store, path_named(name))
            self._store.index_in_background()
            return summary_text(found), [chat.title for chat in found.added]

        return await asyncio.to_thread(read)

    def _open(self, chat_id: str) -> Conversation | None:
        """Return the conversation if it is the open one, whose fields must follow."""
        chat = self._open_chat()
        return chat if chat is not None and chat.id == chat_id else None
