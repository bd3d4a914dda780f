"""A search from the command line, on a real file."""

import json
from pathlib import Path

import pytest

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.cli.main import main
from qwen_tui.store.conversations import Store
from tests.store.chats import put, saved


@pytest.fixture
def chat_id(tmp_path: Path) -> str:
    store = Store(tmp_path / "data" / "qwen-tui" / "conversations.db")
    chat = saved(
        store, "今天天气怎么样？", "Sunny.\x1b[31m", title="Weather\x1b]0;x\x07"
    )
    answer = ChatMessage("assistant", "18", thinking="Berlin", parent_id=chat.leaf_id)
    put(store, chat, answer)
    away = saved(store, "sunny side up", title="Eggs")
    store.set_archived(away.id, True)
    store.close()
    return chat.id


def test_hits_stand_below_their_conversation(
    chat_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["chats", "search", "天气"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.startswith(f"{chat_id}  Weather")
    assert row.endswith("You: 今天天气怎么样？")


def test_nothing_found_acts_on_the_terminal(
    chat_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["chats", "search", "sunny"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "Assistant: Sunny." in out
    assert "Eggs (archived)" in out
    assert main(["chats", "search", "berlin"]) == 0
    assert "Thinking: Berlin" in capsys.readouterr().out


def test_titles_alone_can_be_searched(
    chat_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["chats", "search", "weather", "--titles"]) == 0
    assert capsys.readouterr().out.count("\n") == 2
    assert main(["chats", "search", "sunny", "--titles"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "Nothing was found for sunny.\n")


def test_json_tells_where_every_match_is(
    chat_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["chats", "search", "天气", "--json", "--limit", "1"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["chat_id"], body["role"]) == (chat_id, "user")
    assert body["marks"] == [[2, 4]]
    assert body["snippet"][2:4] == "天气"


def test_chinese_is_spoken(chat_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chats", "search", "berlin", "--lang", "zh"]) == 0
    assert "思考过程: Berlin" in capsys.readouterr().out
