"""Change one thing of a saved conversation: its title, its place, its branch."""

from collections.abc import Sequence

from qwen_tui.store.failures import message_not_found, not_found
from qwen_tui.store.open_file import OpenFile
from qwen_tui.store.rows import Row, storable, tags_text
from qwen_tui.store.tables import exists_in, update_conversation


class Organising(OpenFile):
    """Puts conversations in order; none of this counts as using them.

    A conversation that is open in a session shows the change once the caller sets
    the same field there. Where it does not, the session's next save leaves what
    stands here: only what the session itself changed is written.
    """

    def rename(self, chat_id: str, title: str) -> None:
        """Give a conversation a title, on one line.

        Raises:
            ChatNotFound: no conversation has this id.
        """
        self._change(chat_id, {"title": storable(" ".join(title.split()))})

    def set_pinned(self, chat_id: str, pinned: bool) -> None:
        """Keep a conversation at the head of the list, or no more.

        Raises:
            ChatNotFound: no conversation has this id.
        """
        self._change(chat_id, {"pinned": int(pinned)})

    def set_archived(self, chat_id: str, archived: bool) -> None:
        """Take a conversation out of the list, or back into it.

        Raises:
            ChatNotFound: no conversation has this id.
        """
        self._change(chat_id, {"archived": int(archived)})

    def set_tags(self, chat_id: str, tags: Sequence[str]) -> None:
        """Give a conversation these tags and no others.

        Raises:
            ChatNotFound: no conversation has this id.
        """
        self._change(chat_id, {"tags": tags_text(map(storable, tags))})

    def set_leaf(self, chat_id: str, leaf_id: str) -> None:
        """Show the branch that ends with this message from now on.

        Raises:
            ChatNotFound: no conversation has this id, or the message is not in it
                (`message_not_found`).
        """
        with self._transaction() as connection:
            if not exists_in(connection, chat_id, leaf_id):
                raise message_not_found(chat_id)
            self._change(chat_id, {"leaf_id": leaf_id})

    def set_message_pinned(
        self,
        chat_id: str,
        message_id: str,
        pinned: bool,
    ) -> None:
        """Keep a message in every prompt, or no more.

        Raises:
            ChatNotFound: the message is not there (`message_not_found`).
        """
        with self._transaction() as connection:
            changed = connection.execute(
                "UPDATE message SET pinned = ? WHERE id = ? AND conversation_id = ?",
                (int(pinned), message_id, chat_id),
            )
            if not changed.rowcount:
                raise message_not_found(chat_id)

    def _change(self, chat_id: str, changed: Row) -> None:
        with self._transaction() as connection:
            # `_seen` stays: a session that saves the older value has not changed it
            if not update_conversation(connection, chat_id, changed):
                raise not_found(chat_id)
