"""Find messages and titles by any text in them, Chinese words of two characters too."""

import heapq
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import islice
from threading import Thread

from qwen_tui.chat.shelf import SearchHit
from qwen_tui.errors import StoreError
from qwen_tui.store.match import cut_snippet, fold, terms_of
from qwen_tui.store.open_file import OpenFile
from qwen_tui.store.search_index import count_waiting, has_index, index_some
from qwen_tui.store.search_tags import Chats, said_in, tagged_chats

INDEX_STEP_S = 0.03
"""How long one step of indexing holds the file."""
_INDEX_PAUSE_S = 0.01
_GRAM = 3
"""Characters the index knows in a row."""
_MOST_GRAMS = 24
_NEWEST = 2000
"""Messages that are read first for what is too short for the index."""
_INDEXED = "seq NOT IN (SELECT seq FROM unindexed)"
_NOT_INDEXED = "seq IN (SELECT seq FROM unindexed)"
_LAST_CHARACTER = "\U0010ffff"


class Searching(OpenFile):
    """Searches the file, and has the index made for what is not in it yet."""

    def search(
        self, query: str, *, limit: int = 50, only_titles: bool = False
    ) -> list[SearchHit]:
        """Return what holds every word of `query`, in any case and any place.

        What stands in double quotes is one word. Titles come first, at most a third
        of all, then messages; in both the newest first. Archived conversations are
        searched, too. `#tag` leaves only the conversations with a tag of that name,
        where there is such a tag; else it is a word.

        Args:
            query: Any text; nothing in it is syntax but double quotes and tags.
            limit: The most to return.
            only_titles: Leave the messages out.
        """
        with self._reading() as connection:
            words, chats = tagged_chats(connection, query)
            terms = terms_of(words)
            if limit < 1 or not (terms or chats):
                return []
            all_titles = only_titles or not terms
            most_titles = limit if all_titles else max(1, limit // 3)
            hits = list(islice(_titles(connection, terms, chats), most_titles))
            if not all_titles:
                messages = _messages(connection, terms, chats)
                hits += islice(messages, limit - len(hits))
        return hits

    def unindexed(self) -> int:
        """Return how many messages `build_index` would index.

        A search finds those as well, by reading every one of them.
        """
        with self._reading() as connection:
            return count_waiting(connection) if has_index(connection) else 0

    def build_index(self, tell: Callable[[int], None] | None = None) -> None:
        """Index what is not indexed; for a thread that may take minutes.

        The file is held for moments only, so that others can save and search, and
        all work stops when the store is closed.

        Args:
            tell: Called with the number of messages that are left, again and again.
        """
        with self._lock:
            left = 0 if self.is_closed else self.unindexed()
        while left > 0:
            with self._lock:
                if self.is_closed:
                    return
                with self._transaction() as connection:
                    done = index_some(connection, INDEX_STEP_S)
            # counted down, because counting very many takes longer than a step;
            # another program may do a part of them
            left = left - done if done else 0
            if tell is not None:
                tell(left)
            time.sleep(_INDEX_PAUSE_S)  # a lock is not fair by itself

    def index_in_background(self) -> None:
        """Have a thread do what `build_index` does; it ends with store or program.

        Where the file cannot be written it ends early, and searches stay slower.
        """
        Thread(target=self._build_quietly, name="index", daemon=True).start()

    def _build_quietly(self) -> None:
        with suppress(StoreError):
            self.build_index()


def _titles(
    connection: sqlite3.Connection, terms: Sequence[str], chats: Chats
) -> Iterator[SearchHit]:
    with closing(
        connection.execute(
            "SELECT id, title, updated_at, archived FROM conversation "
            "WHERE title LIKE ? ESCAPE '\\' OR instr(title, char(0)) "
            "ORDER BY updated_at DESC, seq DESC",
            (_like(max(terms, key=len, default="")),),
        )
    ) as rows:
        for row in rows:
            folded = fold(row["title"])
            if chats is not None and row["id"] not in chats:
                continue
            if all(term in folded for term in terms):
                snippet = cut_snippet(row["title"], terms)
                yield SearchHit(
                    chat_id=row["id"],
                    message_id=None,
                    title=row["title"],
                    role="",
                    when=row["updated_at"],
                    snippet=snippet.text,
                    marks=snippet.marks,
                    archived=bool(row["archived"]),
                )


def _messages(
    connection: sqlite3.Connection, terms: Sequence[str], chats: Chats
) -> Iterator[SearchHit]:
    found = (
        _candidates(connection, terms)
        if chats is None
        else said_in(connection, chats, _like(max(terms, key=len)))
    )
    for seq in found:
        row = connection.execute(
            """
            SELECT message.id, conversation_id, title, archived, role, content,
                thinking, message.created_at
            FROM message JOIN conversation ON conversation.id = conversation_id
            WHERE message.seq = ?
            """,
            (seq,),
        ).fetchone()
        if row is not None and (hit := _checked(row, terms)) is not None:
            yield hit


def _checked(row: sqlite3.Row, terms: Sequence[str]) -> SearchHit | None:
    """Return the hit a message is; None where it does not hold every term."""
    content, thinking = fold(row["content"]), fold(row["thinking"])
    if not all(term in content or term in thinking for term in terms):
        return None
    in_thinking = not any(term in content for term in terms)
    snippet = cut_snippet(row["thinking" if in_thinking else "content"], terms)
    return SearchHit(
        chat_id=row["conversation_id"],
        message_id=row["id"],
        title=row["title"],
        role=row["role"],
        when=row["created_at"],
        snippet=snippet.text,
        marks=snippet.marks,
        in_thinking=in_thinking,
        archived=bool(row["archived"]),
    )


def _candidates(connection: sqlite3.Connection, terms: Sequence[str]) -> Iterator[int]:
    """Yield the `seq` of messages that may hold every term, the last saved first."""
    pattern = _like(max(terms, key=len))
    if not has_index(connection):
        yield from _read(connection, pattern, "TRUE")
        return
    unindexed = _read(connection, pattern, _NOT_INDEXED)
    grams = _grams(terms)
    indexed = (
        _indexed(connection, grams, pattern)
        if grams
        else _indexed_short(connection, max(terms, key=len))
    )
    yield from heapq.merge(indexed, unindexed, key=lambda seq: -seq)


def _indexed(
    connection: sqlite3.Connection, grams: Sequence[str], pattern: str
) -> Iterator[int]:
    quoted = ('"{}"'.format(gram.replace('"', '""')) for gram in grams)
    rows = connection.execute(
        # CROSS keeps the order: the index first, then the messages it names.
        "SELECT seq FROM message_text CROSS JOIN message ON seq = message_text.rowid "
        "WHERE message_text MATCH ? "
        "AND (content LIKE ? ESCAPE '\\' OR thinking LIKE ? ESCAPE '\\') "
        "ORDER BY message_text.rowid DESC",
        (" AND ".join(quoted), pattern, pattern),
    )
    with closing(rows):
        for (seq,) in rows:
            yield seq


def _indexed_short(connection: sqlite3.Connection, term: str) -> Iterator[int]:
    """Yield what may hold a term of one or two characters.

    A common one is soon found in the newest messages. For a rare one, the index
    tells which messages hold three characters that begin with it.
    """
    newest = connection.execute("SELECT max(seq) FROM message").fetchone()[0] or 0
    oldest_read = newest - _NEWEST
    yield from _read(connection, _like(term), _INDEXED, after=oldest_read)
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.grams "
        "USING fts5vocab (main, message_text, instance)"
    )
    found = connection.execute(
        "SELECT DISTINCT doc FROM temp.grams "
        "WHERE term >= :start AND term <= :start || :last AND doc <= :oldest_read",
        {"start": term, "last": _LAST_CHARACTER, "oldest_read": oldest_read},
    )
    yield from sorted((doc for (doc,) in found), reverse=True)


def _read(
    connection: sqlite3.Connection, pattern: str, condition: str, *, after: int = 0
) -> Iterator[int]:
    """Yield which messages hold a pattern, by reading those that a condition names."""
    rows = connection.execute(
        # LIKE reads no further than a NUL, so what holds one may hold the pattern.
        f"SELECT seq FROM message WHERE seq > ? AND {condition} AND "  # noqa: S608 - ours
        "(content LIKE ? ESCAPE '\\' OR thinking LIKE ? ESCAPE '\\' OR "
        "instr(content || thinking, char(0))) ORDER BY seq DESC",
        (after, pattern, pattern),
    )
    with closing(rows):
        for (seq,) in rows:
            yield seq


def _grams(terms: Sequence[str]) -> list[str]:
    """Return characters in a row to ask the index for, spread over all terms."""
    all_grams = [
        term[place : place + _GRAM].replace("\0", " ")
        for term in terms
        for place in range(len(term) - _GRAM + 1)
    ]
    grams = list(dict.fromkeys(all_grams))
    step = max(1, -(-len(grams) // _MOST_GRAMS))
    return grams[::step]


def _like(term: str) -> str:
    """Return a pattern that fits at least what holds `term`.

    LIKE knows the two cases of ASCII letters only.
    """
    escaped = (f"\\{char}" if char in "\\%_" else char for char in term)
    known = (
        char if char != "\0" and (char.isascii() or char.upper() == char) else "_"
        for char in escaped
    )
    return f"%{''.join(known)}%"
