"""Save and find conversations; nothing that was saved is ever lost."""

import sqlite3
from dataclasses import dataclass

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.store.failures import ambiguous, damaged, not_found
from qwen_tui.store.open_file import OpenFile
from qwen_tui.store.rows import (
    conversation_from,
    conversation_row,
    message_from,
    message_row,
    storable,
)
from qwen_tui.store.tables import (
    claim,
    exists,
    update_conversation,
    upsert,
)


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """What a list shows of a conversation."""

    id: str
    title: str
    updated_at: float
    """Seconds since the epoch."""
    model: str
    n_messages: int
    """Messages of every branch."""
    pinned: bool


class Store(OpenFile):
    """Saves and finds conversations in the file."""

    def summaries(self, *, archived: bool = False) -> list[ConversationSummary]:
        """Return the conversations, the archived or the others, newest first."""
        with self._reading() as connection:
            rows = connection.execute(
                """
                SELECT id, title, updated_at, model, pinned, (
                    SELECT count(*) FROM message
                    WHERE message.conversation_id = conversation.id
                ) AS n_messages
                FROM conversation WHERE archived = ?
                ORDER BY updated_at DESC, seq DESC
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
                "SELECT * FROM message WHERE conversation_id = ? ORDER BY seq",
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

    def delete_message(self, conversation_id: str, message_id: str) -> None:
        """Delete a message; what follows it hangs at its parent from then on."""
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT parent_id FROM message WHERE id = ? AND conversation_id = ?",
                (message_id, conversation_id),
            ).fetchone()
            if row is None:
                return
            parent = row["parent_id"]
            connection.execute(
                "UPDATE message SET parent_id = ? WHERE parent_id = ?",
                (parent, message_id),
            )
            connection.execute(
                "UPDATE conversation SET leaf_id = ? WHERE id = ? AND leaf_id = ?",
                (parent, conversation_id, message_id),
            )
            connection.execute("DELETE FROM message WHERE id = ?", (message_id,))

    def delete(self, chat_id: str) -> None:
        """Delete a conversation with all its messages.

        Raises:
            ChatNotFound: no conversation has this id.
        """
        with self._transaction() as connection:
            # Messages first and links cut, because parents go before children.
            connection.execute(
                "UPDATE message SET parent_id = NULL WHERE conversation_id = ?",
                (chat_id,),
            )
            gone = connection.execute(
                "DELETE FROM conversation WHERE id = ?", (chat_id,)
            )
            if not gone.rowcount:
                raise not_found(chat_id)
        self._seen.pop(chat_id, None)


def _hang_messages(conversation: Conversation, rows: list[sqlite3.Row]) -> None:
    messages = conversation.messages
    for row in rows:
        # A parent is always saved before its children; anything else is damage.
        parent_id = row["parent_id"] if row["parent_id"] in messages else None
        messages[row["id"]] = message_from(row, parent_id=parent_id)
    if conversation.leaf_id not in messages:  # killed between the two saves
        conversation.leaf_id = next(reversed(messages), None)
