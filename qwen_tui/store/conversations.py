"""Save and find conversations; nothing that was saved is ever lost."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.shelf import ConversationSummary
from qwen_tui.store.deletion import Deleting
from qwen_tui.store.failures import ambiguous, damaged, message_not_found, not_found
from qwen_tui.store.organise import Organising
from qwen_tui.store.rows import (
    MESSAGE_COLUMNS,
    conversation_from,
    conversation_row,
    message_from,
    message_row,
    storable,
    tags_from,
)
from qwen_tui.store.search import Searching
from qwen_tui.store.search_index import indexed_later
from qwen_tui.store.tables import (
    claim,
    exists,
    free_title,
    insert,
    update_conversation,
    upsert,
)
from qwen_tui.store.tree import copied, loop_ends


class Store(Organising, Deleting, Searching):
    """Saves and finds conversations in the file."""

    def summaries(self, *, archived: bool = False) -> list[ConversationSummary]:
        """Return the conversations, the archived or the others.

        Those that are pinned come first, then what was used last.
        """
        with self._reading() as connection:
            rows = connection.execute(
                """
                SELECT id, title, updated_at, model, pinned, archived, tags, (
                    SELECT count(*) FROM message
                    WHERE message.conversation_id = conversation.id
                ) AS n_messages
                FROM conversation WHERE archived = ?
                ORDER BY pinned DESC, updated_at DESC, seq DESC
                """,
                (int(archived),),
            ).fetchall()
        return [
            ConversationSummary(
                id=row["id"],
                title=row["title"],
                updated_at=row["updated_at"],
                model=row["model"],
                n_messages=row["n_messages"],
                pinned=bool(row["pinned"]),
                archived=bool(row["archived"]),
                tags=tuple(tags_from(row["tags"])),
            )
            for row in rows
        ]

    def load(self, chat_id: str) -> Conversation:
        """Return a conversation with every message of every branch.

        Raises:
            ChatNotFound: no conversation has this id.
        """
        with self._reading() as connection:
            row = connection.execute(
                "SELECT * FROM conversation WHERE id = ?", (chat_id,)
            ).fetchone()
            if row is None:
                raise not_found(chat_id)
            messages = connection.execute(
                f"SELECT {MESSAGE_COLUMNS} FROM message "  # noqa: S608 - our names
                "WHERE conversation_id = ? ORDER BY seq",
                (chat_id,),
            ).fetchall()
            try:
                conversation = conversation_from(row)
                _hang_messages(conversation, messages)
            except ValueError as error:
                raise damaged(self.file) from error
            self._seen[chat_id] = conversation_row(conversation)
        return conversation

    def find(self, ref: str) -> Conversation:
        """Return the conversation with this id, start of an id, or title.

        Raises:
            ChatNotFound: nothing fits, or more than one does (`chat_ambiguous`).
        """
        with self._reading() as connection:
            found = connection.execute(
                """
                SELECT id, title FROM conversation
                WHERE id = :ref OR title = :ref OR substr(id, 1, length(:ref)) = :ref
                ORDER BY id != :ref, updated_at DESC
                """,
                {"ref": storable(ref)},
            ).fetchall()
        if not ref or not found:
            raise not_found(ref)
        if len(found) > 1 and found[0]["id"] != ref:
            raise ambiguous(ref, [(row["id"], row["title"]) for row in found])
        return self.load(found[0]["id"])

    def latest(self) -> Conversation | None:
        """Return the conversation that was used last and holds a message."""
        with self._reading() as connection:
            row = connection.execute(
                """
                SELECT id FROM conversation
                WHERE NOT archived AND EXISTS (
                    SELECT 1 FROM message
                    WHERE message.conversation_id = conversation.id
                )
                ORDER BY updated_at DESC, seq DESC LIMIT 1
                """
            ).fetchone()
            return None if row is None else self.load(row["id"])

    def save_conversation(self, conversation: Conversation) -> None:
        """Save the row of a conversation, without its messages.

        Raises:
            ChatNotFound: another program deleted it since it was loaded or saved.
        """
        row = conversation_row(conversation)
        with self._transaction() as connection:
            seen = self._seen.get(conversation.id)
            if seen is None:
                upsert(connection, "conversation", row)
            else:
                changed = {k: v for k, v in row.items() if v != seen[k]}
                if not update_conversation(connection, conversation.id, changed):
                    raise not_found(conversation.id)
        self._seen[conversation.id] = row

    def save_message(self, conversation_id: str, message: ChatMessage) -> None:
        """Save a message; this program writes it on as long as it is streaming.

        A parent that is gone is left out, so that at least the text is kept.

        Raises:
            ChatNotFound: the conversation is not saved, or was deleted.
        """
        with self._transaction() as connection:
            row = message_row(conversation_id, message)
            if not exists(connection, "conversation", conversation_id):
                raise not_found(conversation_id)
            if not exists(connection, "message", message.parent_id):
                row["parent_id"] = None
            upsert(connection, "message", row)
            if message.state == "streaming":
                claim(connection, message.id, self._writer)
            else:
                connection.execute(
                    "DELETE FROM writer WHERE message_id = ?", (message.id,)
                )

    def fork(self, chat_id: str, message_id: str) -> Conversation:
        """Copy the branch that ends with a message into a conversation of its own.

        Returns:
            The copy, saved, with a number behind the title.

        Raises:
            ChatNotFound: no conversation has this id, or the message is not in it
                (`message_not_found`).
        """
        with self._transaction() as connection:
            whole = self.load(chat_id)
            if message_id not in whole.messages:
                raise message_not_found(chat_id)
            whole.leaf_id = message_id
            fork = copied(whole, whole.branch())
            fork.title = free_title(connection, whole.title)
            fork.pinned = fork.archived = False
            self.add(fork)
        return fork

    def add(self, conversation: Conversation) -> None:
        """Save a conversation that is new here, with every message, or nothing."""
        row = conversation_row(conversation)
        with self._transaction() as connection:
            # a parent may stand behind its children
            connection.execute("PRAGMA defer_foreign_keys = ON")
            insert(connection, "conversation", row)
            for message in conversation.messages.values():
                insert(connection, "message", message_row(conversation.id, message))
        self._seen[conversation.id] = row

    def add_missing(self, conversations: Sequence[Conversation]) -> list[Conversation]:
        """Save the conversations whose ids are new here, all of them or none.

        They are indexed by `build_index`; a search reads them meanwhile.

        Returns:
            Those that were saved. Where another conversation has a message of the
            same id, the messages saved have new ids.
        """
        added: list[Conversation] = []
        with self._transaction() as connection, indexed_later(connection):
            for conversation in conversations:
                if exists(connection, "conversation", conversation.id):
                    continue
                chat = conversation
                if any(exists(connection, "message", id_) for id_ in chat.messages):
                    copy = copied(chat, chat.messages.values())
                    chat = replace(copy, id=chat.id, updated_at=chat.updated_at)
                self.add(chat)
                added.append(chat)
        return added


def _hang_messages(conversation: Conversation, rows: list[sqlite3.Row]) -> None:
    messages = conversation.messages
    is_ordered = True
    for row in rows:
        message = message_from(row)
        is_first = message.parent_id is None
        is_ordered = is_ordered and (is_first or message.parent_id in messages)
        messages[message.id] = message
    if not is_ordered:
        _mend(messages)
    if conversation.leaf_id not in messages:  # killed between the two saves
        conversation.leaf_id = next(reversed(messages), None)


def _mend(messages: dict[str, ChatMessage]) -> None:
    """Make a tree of messages whose parents do not all stand before them."""
    for message in list(messages.values()):
        if message.parent_id is not None and message.parent_id not in messages:
            messages[message.id] = replace(message, parent_id=None)
    for end in loop_ends(messages):  # damage, which must not hang whoever follows it
        messages[end] = replace(messages[end], parent_id=None)
