"""Searching 100,000 messages, making the index, and what it costs a save.

python -m tests.bench.search [messages]
"""

import random
import sqlite3
import string
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.store.conversations import Store
from qwen_tui.store.rows import conversation_row, message_row
from qwen_tui.store.schema import MIGRATIONS
from qwen_tui.store.tables import insert
from tests.bench.measure import Row, machine, mib, percentile, show

N_MESSAGES = 100_000
PER_CHAT = 20
SEARCH_GOAL_MS = 100.0
ROUNDS = 9
ANSWER_CHARS = 130_000
"""About 32,000 tokens of English."""


@dataclass(frozen=True, slots=True)
class Words:
    """Words of one language, the most common first, drawn by Zipf's law."""

    words: list[str]
    weights: list[float]
    joint: str

    def text(self, rng: random.Random, n_chars: float) -> str:
        """Return about so many characters of text."""
        size = sum(map(len, self.words[:50])) / 50 + len(self.joint)
        n_words = max(1, int(n_chars / size))
        return self.joint.join(
            rng.choices(self.words, cum_weights=self.weights, k=n_words)
        )


def main() -> None:
    n_messages = int(sys.argv[1]) if len(sys.argv) > 1 else N_MESSAGES
    print(machine(), f"SQLite {sqlite3.sqlite_version}", flush=True)
    rng = random.Random(7)
    english, chinese = _english(rng), _chinese(rng)
    with tempfile.TemporaryDirectory(prefix="qwen-tui-bench-") as folder:
        file = Path(folder) / "conversations.db"
        _write_old(file, _chats(rng, english, chinese, n_messages))
        store = _open_and_index(file)
        _search(store, english, chinese)
        _save(store, english.text(rng, ANSWER_CHARS))
        store.close()


def _open_and_index(file: Path) -> Store:
    """Open a file of format 1, copy included, and make its index."""
    size = file.stat().st_size
    begin = time.perf_counter()
    store = Store(file)
    opened = time.perf_counter() - begin
    print(f"     opening {mib(size):.0f} MiB of format 1: {opened:.2f} s, in a thread")
    waits: list[float] = []
    begin = time.perf_counter()
    last = [begin]

    def tell(_left: int) -> None:
        waits.append((time.perf_counter() - last[0]) * 1000)
        last[0] = time.perf_counter()

    store.build_index(tell)
    took = time.perf_counter() - begin
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    grown = file.stat().st_size - size
    share = 100 * grown / size
    print(f"     index of all: {took:.1f} s, {mib(grown):.0f} MiB ({share:.0f} %)")
    held = [percentile(waits, share) for share in (0.5, 0.99, 1.0)]
    print("     a step of it: median {:.0f}, p99 {:.0f}, worst {:.0f} ms".format(*held))
    return store


def _search(store: Store, english: Words, chinese: Words) -> None:
    pair = " ".join(english.words[60:62])
    queries = {
        "a common word": english.words[4],
        "a rare word": next(w for w in reversed(english.words) if len(w) > 6),
        "two words": pair,
        "a phrase": f'"{pair}"',
        "a common Chinese word of 2": _of(chinese, 2)[0],
        "a rare Chinese word of 2": _of(chinese, 2)[-1],
        "a Chinese phrase": "".join(chinese.words[20:23]),
        "a common character": _of(chinese, 1)[0],
        "a rare character": _of(chinese, 1)[-1],
        "one letter": "e",
        "no match": "qxzjqxv",
        "no match, of 2": "\u9f98\u9f98",
    }
    for name, query in queries.items():
        times = [_ms(lambda q=query: store.search(q)) for _ in range(ROUNDS)]
        hits = store.search(query)
        detail = f"{len(hits)} shown, {times[0]:.0f} ms the first time"
        middle = sorted(times)[ROUNDS // 2]
        show(Row(f"search: {name}", middle, "ms", SEARCH_GOAL_MS, False, detail))


def _save(store: Store, text: str) -> None:
    """Save a long answer as it grows, with the index and in a store without."""
    with tempfile.TemporaryDirectory(prefix="qwen-tui-bench-") as folder:
        bare = Store(Path(folder) / "conversations.db")
        with closing(sqlite3.connect(bare.file)) as connection:
            for name in ("message_inserted", "message_updated", "message_deleted"):
                connection.execute(f"DROP TRIGGER {name}")
            connection.commit()
        chat = Conversation()
        times: dict[str, tuple[float, float]] = {}
        for name, target in (("bare", bare), ("indexed", store)):
            target.save_conversation(chat)
            answer = ChatMessage("assistant", "", state="streaming")
            grown = [
                ChatMessage("assistant", text[:-n], id=answer.id, state="streaming")
                for n in range(60, 0, -1)
            ]
            checkpoints = [
                _ms(lambda m=m, t=target: t.save_message(chat.id, m)) for m in grown
            ]
            whole = ChatMessage("assistant", text, id=answer.id)
            last = _ms(lambda t=target, m=whole: t.save_message(chat.id, m))
            times[name] = (percentile(checkpoints, 0.5), last)
        bare.close()
    (checkpoint, last), (plain, plain_last) = times["indexed"], times["bare"]
    what = f"checkpoint of {len(text) // 1000}k characters"
    detail = f"{plain:.1f} ms without an index"
    show(
        Row(what, checkpoint / plain, "x", 1.5, False, f"{checkpoint:.1f} ms, {detail}")
    )
    print(f"     its last save: {last:.0f} ms, {plain_last:.0f} ms without an index")


def _ms(function: Callable[[], object]) -> float:
    begin = time.perf_counter()
    function()
    return (time.perf_counter() - begin) * 1000


def _english(rng: random.Random) -> Words:
    letters, weights = string.ascii_lowercase, [rng.random() ** 2 for _ in range(26)]
    sizes = (max(2, min(12, int(rng.gauss(5.5, 2.5)))) for _ in range(20_000))
    return _words([rng.choices(letters, weights, k=size) for size in sizes], " ")


def _chinese(rng: random.Random) -> Words:
    han = [chr(0x4E00 + n) for n in rng.sample(range(20_000), 3_500)]
    weights = [1 / rank**0.8 for rank in range(1, len(han) + 1)]
    sizes = (rng.choice((1, 2, 2, 2, 3, 4)) for _ in range(20_000))
    return _words([rng.choices(han, weights, k=size) for size in sizes], "")


def _words(spelled: list[list[str]], joint: str) -> Words:
    words = list(dict.fromkeys("".join(letters) for letters in spelled))
    weights = accumulate(1 / rank for rank in range(1, len(words) + 1))
    return Words(words, list(weights), joint)


def _of(words: Words, n_chars: int) -> list[str]:
    return [word for word in words.words if len(word) == n_chars]


def _chats(
    rng: random.Random, english: Words, chinese: Words, n_messages: int
) -> Iterator[Conversation]:
    """Yield conversations, two in five Chinese, half of the answers with thinking."""
    for _ in range(n_messages // PER_CHAT):
        words = chinese if rng.random() < 0.4 else english
        chat = Conversation(title=words.text(rng, 30))
        for number in range(PER_CHAT):
            length = rng.lognormvariate(6.5, 0.8)  # median 665 characters
            thinks = rng.random() < 0.5
            message = (
                ChatMessage(
                    "assistant",
                    words.text(rng, length),
                    parent_id=chat.leaf_id,
                    thinking=words.text(rng, length) if thinks else "",
                )
                if number % 2
                else ChatMessage(
                    "user",
                    words.text(rng, rng.uniform(10, 200)),
                    parent_id=chat.leaf_id,
                )
            )
            chat.put(message)
        yield chat


def _write_old(file: Path, chats: Iterator[Conversation]) -> None:
    """Write a file of format 1, without an index."""
    with closing(sqlite3.connect(file)) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        for chat in chats:
            row = conversation_row(chat)
            del row["tags"]
            insert(connection, "conversation", row)
            for message in chat.messages.values():
                insert(connection, "message", message_row(chat.id, message))
        connection.commit()


if __name__ == "__main__":
    main()
