"""A search finds every text, of any length and language, and never fails."""

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.shelf import SearchHit
from qwen_tui.store.conversations import Store
from tests.helpers import wait_until
from tests.store.chats import old_file, put, saved

HOSTILE = [
    '"', '""', "'", "AND", "a AND", "NOT b", "*", "a*", "(", "NEAR(a b)", "body:x",
    "^", "-", "{a", "%", "_", "\\", "\x00", "a\x00b", "\ud800", "\udc00x", "👩‍👩‍👧",
    "\x1b[31m", "\u202e", "e\u0301", "İ", "ß", "ﬀ", " ", "", "\n",
    "x" * 5000, "a " * 3000,
]  # fmt: skip


def texts(hits: list[SearchHit]) -> list[str]:
    return [hit.snippet for hit in hits]


def marked(hit: SearchHit) -> list[str]:
    return [hit.snippet[start:end] for start, end in hit.marks]


def test_a_hit_tells_where_it_is(store: Store) -> None:
    chat = saved(store, "Where is Paris?", "In France.", title="Capitals")
    (hit,) = store.search("paris")
    question = chat.branch()[0]
    assert hit == SearchHit(
        chat_id=chat.id,
        message_id=question.id,
        title="Capitals",
        role="user",
        when=question.created_at,
        snippet="Where is Paris?",
        marks=((9, 14),),
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("天气", ["今天天气很好", "上海天气"]),  # two characters, one at the very end
        ("气", ["今天天气很好", "上海天气"]),
        ("天气很", ["今天天气很好"]),
        ("上海天气", ["上海天气"]),
        ("海天", ["上海天气"]),
        ("晴", []),
        ("好", ["今天天气很好"]),
        ("C", ["C", "abc"]),
        ("é", ["É"]),
        ("%", ["100%"]),
        ("_", ["a_b"]),
        ("0%", ["100%"]),
        ("a_b", ["a_b"]),
        ("axb", []),
    ],
)
def test_words_of_any_length_are_found(
    store: Store, query: str, found: list[str]
) -> None:
    saved(store, "abc", "上海天气", "今天天气很好", "C", "É", "100%", "a_b")
    assert sorted(texts(store.search(query))) == sorted(found)


def test_short_words_are_found_far_back_at_the_end_of_a_text_too(
    store: Store,
) -> None:
    chat = Conversation()
    for text in ("上海天气", "Q", "xQ", *("filler" for _ in range(2_000))):
        chat.put(ChatMessage("user", text))
    first = next(iter(chat.messages))
    chat.messages[first] = replace(chat.messages[first], thinking="今晚")
    store.add(chat)
    assert texts(store.search("晚")) == ["今晚"]
    for query in ("天气", "气", "上", "海天"):
        assert texts(store.search(query)) == ["上海天气"]
    assert texts(store.search("q")) == ["xQ", "Q"]
    assert texts(store.search("xq")) == ["xQ"]
    assert texts(store.search("气 海")) == ["上海天气"]
    assert store.search("晴") == []


def test_every_word_must_be_there_and_quotes_keep_words_together(
    store: Store,
) -> None:
    saved(
        store, "the red old house", "an old red house", "old house", "我在 上海 看 海"
    )
    assert len(store.search("house red old")) == 2
    assert texts(store.search('"old red"')) == ["an old red house"]
    assert texts(store.search("ho re")) == texts(store.search("red house"))
    assert texts(store.search("海 我")) == ["我在 上海 看 海"]
    assert store.search("red green") == []


def test_thinking_is_found_and_told_apart(store: Store) -> None:
    chat = saved(store, "q")
    answer = ChatMessage("assistant", "42", thinking="six times\nseven", id="a")
    put(store, chat, answer)
    (hit,) = store.search("seven")
    assert (hit.message_id, hit.role, hit.in_thinking) == ("a", "assistant", True)
    assert (hit.snippet, marked(hit)) == ("six times seven", ["seven"])
    (hit,) = store.search("42 seven")
    assert (hit.snippet, hit.in_thinking) == ("42", False)


def test_titles_come_first_and_may_come_alone(store: Store) -> None:
    chat = saved(store, "tea please", title="Green Tea")
    saved(store, "more tea", title="x")
    first, *rest = store.search("tea")
    assert (first.chat_id, first.message_id, first.role) == (chat.id, None, "")
    assert (first.snippet, marked(first)) == ("Green Tea", ["Tea"])
    assert texts(rest) == ["more tea", "tea please"]
    assert store.search("tea", only_titles=True) == [first]
    store.rename(chat.id, "Coffee")
    assert store.search("green") == []
    assert len(store.search("coffee")) == 1


def test_titles_leave_room_for_messages(store: Store) -> None:
    for number in range(5):
        saved(store, "the same", title=f"same {number}")
    hits = store.search("same", limit=6)
    assert [hit.role for hit in hits] == ["", "", "user", "user", "user", "user"]
    assert hits[0].title == "same 4"
    assert [hit.title for hit in hits[2:]] == ["same 4", "same 3", "same 2", "same 1"]


def test_the_archive_is_searched_and_told(store: Store) -> None:
    chat = saved(store, "needle")
    store.set_archived(chat.id, True)
    (hit,) = store.search("needle")
    assert hit.archived


def test_what_is_changed_or_deleted_is_no_longer_found(store: Store) -> None:
    chat = saved(store, "alpha", "beta", "gamma")
    alpha, beta, gamma = chat.branch()
    store.save_message(chat.id, replace(alpha, content="omega"))
    undo = store.delete_message(chat.id, beta.id)
    assert store.search("alpha") == store.search("beta") == []
    assert texts(store.search("omega")) == ["omega"]
    assert undo is not None
    store.restore(undo)
    assert texts(store.search("beta")) == ["beta"]
    whole = store.delete(chat.id)
    for word in ("omega", "gamma", "be", "a"):
        assert store.search(word) == []
    with store._reading() as connection:  # nor is it anywhere in the index
        connection.execute(
            "CREATE VIRTUAL TABLE temp.v USING fts5vocab (main, message_text, row)"
        )
        assert connection.execute("SELECT count(*) FROM temp.v").fetchone()[0] == 0
    store.restore(whole)
    assert texts(store.search("gamma")) == [gamma.content]


def test_an_answer_is_found_while_it_is_written_and_afterwards(store: Store) -> None:
    chat = saved(store, "q")
    answer = ChatMessage("assistant", "", parent_id=chat.leaf_id, state="streaming")
    for content in ("", "one", "one two", "one two three"):
        store.save_message(chat.id, replace(answer, content=content))
        found = [hit.snippet for hit in store.search("one")]
        assert found == ([content] if content else [])
    store.save_message(chat.id, replace(answer, content="one four", state="stopped"))
    assert store.search("two") == []
    assert texts(store.search("four")) == ["one four"]
    # it goes on: what was found before must not stay in the index
    store.save_message(chat.id, replace(answer, content="one four", state="streaming"))
    store.save_message(chat.id, replace(answer, content="five", state="streaming"))
    store.save_message(chat.id, replace(answer, content="five!", state="complete"))
    assert store.search("four") == []
    assert texts(store.search("five")) == ["five!"]


def test_a_message_nobody_writes_any_more_is_indexed(store: Store) -> None:
    chat = saved(store, "q")
    put(store, chat, ChatMessage("assistant", "half", state="streaming"))
    assert store.unindexed() == 0  # it is written: not yet
    with closing(sqlite3.connect(store.file)) as connection:
        connection.execute("DELETE FROM writer")
        connection.commit()
    again = Store(store.file)
    hits = again.search("half")
    rows = again._connection.execute("SELECT count(*) FROM unindexed").fetchone()[0]
    again.close()
    assert (texts(hits), rows) == (["half"], 0)


def test_a_long_text_shows_the_part_that_matters(store: Store) -> None:
    text = "start " * 100 + "one \x1b[31m needle\n\nand a Needle " + "end " * 100
    saved(store, text)
    (hit,) = store.search("needle")
    assert hit.snippet.startswith("\u2026start")
    assert hit.snippet.endswith("\u2026")
    assert "\x1b" not in hit.snippet
    assert "\n" not in hit.snippet
    assert marked(hit) == ["needle", "Needle"]
    assert len(hit.snippet) < 200


def test_marks_stand_where_the_sanitized_text_has_the_match(store: Store) -> None:
    saved(store, "\u200b\u200b\x07a\u200bb needle\u200b\u202e x")
    (hit,) = store.search("needle")
    assert marked(hit) == ["needle"]
    (hit,) = store.search("a\u200bb")
    assert marked(hit) == ["ab"]


@pytest.mark.parametrize("query", HOSTILE)
def test_no_query_fails(store: Store, query: str) -> None:
    saved(store, f"before {query} after", "other", title=query)
    hits = store.search(query)
    assert bool(hits) == bool(query.strip())
    assert store.search(query, limit=0) == []


LETTERS = st.text(alphabet="aAbB 好气天É\x00\n%", max_size=8)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(st.integers(0, 4), LETTERS, LETTERS, st.booleans()), max_size=12
    ),
    query=st.text(alphabet="aAbB好气天É\x00%", min_size=1, max_size=5),
)
def test_a_search_finds_what_reading_everything_finds(
    store: Store, steps: list[tuple[int, str, str, bool]], query: str
) -> None:
    chat = Conversation()
    store.save_conversation(chat)
    for number, content, thinking, is_whole in steps:
        message = ChatMessage(
            "assistant",
            content,
            id=f"{chat.id}{number}",
            thinking=thinking,
            state="complete" if is_whole else "streaming",
        )
        if content == "":
            store.delete_message(chat.id, message.id)
        else:
            store.save_message(chat.id, message)
    expected = {
        m.id
        for m in store.load(chat.id).messages.values()
        if query.lower() in m.content.lower() or query.lower() in m.thinking.lower()
    }
    found = {hit.message_id for hit in store.search(query)}
    store.delete(chat.id)
    assert found == expected


def test_an_old_file_is_searched_before_and_after_it_is_indexed(
    tmp_path: Path,
) -> None:
    store = Store(old_file(tmp_path / "old.db", 300))
    assert store.unindexed() == 300
    before = [store.search(query) for query in ("message 7", "中文", "77", "x")]
    told: list[int] = []
    store.build_index(told.append)
    assert store.unindexed() == 0
    assert told[-1] == 0
    assert told == sorted(told, reverse=True)
    after = [store.search(query) for query in ("message 7", "中文", "77", "x")]
    store.close()
    assert before == after
    assert [len(hits) for hits in after] == [50, 50, 3, 0]


def test_others_save_and_search_while_the_index_is_made(tmp_path: Path) -> None:
    store = Store(old_file(tmp_path / "old.db", 300))
    first = threading.Event()

    def tell(_left: int) -> None:
        first.set()

    thread = threading.Thread(target=store.build_index, args=(tell,))
    thread.start()
    assert first.wait(60)
    chat = saved(store, "new needle")
    assert texts(store.search("needle")) == ["new needle"]
    store.delete(chat.id)
    thread.join(60)
    assert store.search("needle") == []
    assert store.unindexed() == 0
    store.close()


def test_closing_ends_the_making_of_the_index(tmp_path: Path) -> None:
    store = Store(old_file(tmp_path / "old.db", 2000))
    store.build_index(lambda _left: store.close())
    store.build_index()  # on a closed store: nothing to do
    again = Store(store.file)
    left = again.unindexed()
    again.close()
    assert 0 < left < 2000


def test_two_programs_keep_one_index(store: Store) -> None:
    other = Store(store.file)
    chat = saved(store, "mine")
    other.save_message(chat.id, ChatMessage("user", "theirs"))
    assert texts(store.search("theirs")) == ["theirs"]
    assert texts(other.search("mine")) == ["mine"]
    other.close()


def test_the_index_is_made_in_the_background(tmp_path: Path) -> None:
    store = Store(old_file(tmp_path / "old.db", 300))
    store.index_in_background()
    wait_until(lambda: store.unindexed() == 0)
    assert len(store.search("message 7")) == 50
    store.close()


def test_a_background_that_cannot_write_ends_without_a_word(
    tmp_path: Path,
) -> None:
    store = Store(old_file(tmp_path / "old.db", 3), busy_s=0.01)
    with closing(sqlite3.connect(store.file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.index_in_background()
        threads = [t for t in threading.enumerate() if t.name == "index"]
        for thread in threads:
            thread.join(60)
        other.execute("COMMIT")
    assert store.unindexed() == 3
    assert len(store.search("message")) == 3
    store.close()
