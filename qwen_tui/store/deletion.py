"""Delete conversations and messages, and put back exactly what was deleted."""

import sqlite3
from dataclasses import dataclass

from qwen_tui.store.failures import not_found
from qwen_tui.store.open_file import OpenFile
from qwen_tui.store.rows import Row
from qwen_tui.store.tables import exists, insert


@dataclass(frozen=True, slots=True)
class DeletedChat:
    """A conversation that was deleted, for `Store.restore`."""

    conversation: Row
    messages: tuple[Row, ...]
    """Of every branch, parents first."""


@dataclass(frozen=True, slots=True)
class DeletedMessage:
    """A message that was deleted, for `Store.restore`."""

    message: Row
    children: tuple[str, ...]
    """The ids of what hung at it."""
    was_leaf: bool
    """Whether the shown branch ended with it."""


class Deleting(OpenFile):
    """Deletes, and restores what it deleted."""

    def delete(self, chat_id: str) -> DeletedChat:
        """Delete a conversation with all its messages.

        Raises:
            ChatNotFound: no conversation has this id.
        """
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT * FROM conversation WHERE id = ?", (chat_id,)
            ).fetchone()
            if row is None:
                raise not_found(chat_id)
            messages = connection.execute(
                "SELECT * FROM message WHERE conversation_id = ? ORDER BY seq",
                (chat_id,),
            ).fetchall()
            # Messages first and links cut, because parents go before children.
            connection.execute(
                "UPDATE message SET parent_id = NULL WHERE conversation_id = ?",
                (chat_id,),
            )
            connection.execute("DELETE FROM conversation WHERE id = ?", (chat_id,))
        self._seen.pop(chat_id, None)
        return DeletedChat(dict(row), tuple(dict(message) for message in messages))

    def delete_message(
        self, conversation_id: str, message_id: str
    ) -> DeletedMessage | None:
        """Delete a message; what follows it hangs at its parent from then on.

        Returns:
            What `restore` takes; None where the message was gone already.
        """
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT * FROM message WHERE id = ? AND conversation_id = ?",
                (message_id, conversation_id),
            ).fetchone()
            if row is None:
                return None
            parent = row["parent_id"]
            children = connection.execute(
                "SELECT id FROM message WHERE parent_id = ?", (message_id,)
            ).fetchall()
            connection.execute(
                "UPDATE message SET parent_id = ? WHERE parent_id = ?",
                (parent, message_id),
            )
            moved = connection.execute(
                "UPDATE conversation SET leaf_id = ? WHERE id = ? AND leaf_id = ?",
                (parent, conversation_id, message_id),
            )
            connection.execute("DELETE FROM message WHERE id = ?", (message_id,))
        return DeletedMessage(
            message=dict(row),
            children=tuple(child["id"] for child in children),
            was_leaf=moved.rowcount > 0,
        )

    def restore(self, deleted: DeletedChat | DeletedMessage) -> None:
        """Put back what was deleted, where it was; what is there already stays.

        Raises:
            ChatNotFound: the conversation of a message is gone.
        """
        with self._transaction() as connection:
            # a parent that was put back may stand behind its children
            connection.execute("PRAGMA defer_foreign_keys = ON")
            match deleted:
                case DeletedChat(conversation, messages):
                    _put_back(connection, "conversation", conversation)
                    seen = {k: v for k, v in conversation.items() if k != "seq"}
                    self._seen[str(conversation["id"])] = seen
                    for message in messages:
                        _put_back(connection, "message", message)
                case DeletedMessage():
                    _restore_message(connection, deleted)


def _restore_message(connection: sqlite3.Connection, deleted: DeletedMessage) -> None:
    message = deleted.message
    chat_id = str(message["conversation_id"])
    if not exists(connection, "conversation", chat_id):
        raise not_found(chat_id)
    parent = message["parent_id"]
    if not exists(connection, "message", None if parent is None else str(parent)):
        parent = None  # deleted meanwhile: what hung at it hangs at the top, too
    _put_back(connection, "message", {**message, "parent_id": parent})
    for child in deleted.children:
        connection.execute(
            "UPDATE message SET parent_id = ? WHERE id = ? AND parent_id IS ?",
            (message["id"], child, parent),
        )
    if deleted.was_leaf:
        connection.execute(
            "UPDATE conversation SET leaf_id = ? WHERE id = ? AND leaf_id IS ?",
            (message["id"], chat_id, parent),
        )


def _put_back(connection: sqlite3.Connection, table: str, row: Row) -> None:
    if exists(connection, table, str(row["id"])):
        return
    taken = connection.execute(
        f"SELECT 1 FROM {table} WHERE seq = ?",  # noqa: S608 - our own table names
        (row["seq"],),
    ).fetchone()
    # The last number of a table is given again after a deletion.
    free = {k: v for k, v in row.items() if k != "seq"} if taken else row
    insert(connection, table, free)
