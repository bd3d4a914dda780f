"""Saved conversations from the command line, on a real file."""

import io
import json
from pathlib import Path

import pytest

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.cli.main import main
from qwen_tui.store.conversations import Store


@pytest.fixture
def saved(tmp_path: Path) -> Conversation:
    chat = Conversation(
        title="Capitals\x1b[31m", model="demo", system_prompt="Be brief."
    )
    question = ChatMessage("user", "Capital of France?")
    chat.put(question)
    answer = ChatMessage(
        "assistant",
        "Paris.\x1b]52;c;AAAA\x07",
        parent_id=question.id,
        thinking="I know this one.",
        state="stopped",
        model="demo",
    )
    chat.put(answer)
    folder = tmp_path / "data" / "qwen-tui"
    folder.mkdir(parents=True)
    store = Store(folder / "conversations.db")
    store.save_conversation(chat)
    store.save_message(chat.id, question)
    store.save_message(chat.id, answer)
    store.save_conversation(chat)
    store.close()
    return chat


def test_list_shows_titles_without_their_escapes(
    saved: Conversation, capsys: pytest.CaptureFixture[str]
):
    assert main(["chats", "list"]) == 0
    out = capsys.readouterr().out
    assert saved.id in out
    assert "Capitals" in out
    assert "\x1b" not in out
    assert "2 messages" in out


def test_list_of_nothing_says_so(capsys: pytest.CaptureFixture[str]):
    assert main(["chats", "list"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "No conversations yet." in err


def test_show_as_json_carries_every_field(
    saved: Conversation, capsys: pytest.CaptureFixture[str]
):
    assert main(["chats", "show", saved.id, "--json"]) == 0
    line = capsys.readouterr().out
    assert "\x1b" not in line
    body = json.loads(line)
    assert body["system_prompt"] == "Be brief."
    user, assistant = body["messages"]
    assert (user["role"], user["content"]) == ("user", "Capital of France?")
    assert assistant["content"] == "Paris.\x1b]52;c;AAAA\x07"
    assert assistant["thinking"] == "I know this one."
    assert assistant["state"] == "stopped"


def test_show_prints_thinking_answer_and_state(
    saved: Conversation, capsys: pytest.CaptureFixture[str]
):
    assert main(["chats", "show", saved.id[:6]]) == 0
    out = capsys.readouterr().out
    assert "> I know this one." in out
    assert "[stopped]" in out
    assert "Paris." in out


def test_a_chat_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]):
    assert main(["chats", "show", "nowhere"]) == 1
    err = capsys.readouterr().err
    assert "nowhere" in err
    assert err.count("\n") == 1


def test_delete_wants_a_yes_where_nobody_can_be_asked(
    saved: Conversation, capsys: pytest.CaptureFixture[str]
):
    assert main(["chats", "delete", saved.id]) == 2
    assert "--yes" in capsys.readouterr().err
    assert main(["chats", "show", saved.id]) == 0


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("", 1), ("n", 1)])
def test_delete_asks_on_a_terminal_and_says_what_goes(
    saved: Conversation,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    status: int,
):
    person = io.StringIO(f"{answer}\n")
    monkeypatch.setattr(person, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", person)
    assert main(["chats", "delete", saved.id]) == status
    told = capsys.readouterr().err
    assert "Delete Capitals" in told
    assert "with 2 messages for ever? [y/N]" in told
    assert main(["chats", "show", saved.id]) == (1 if status == 0 else 0)


def test_delete_with_yes_deletes(
    saved: Conversation, capsys: pytest.CaptureFixture[str]
):
    assert main(["chats", "delete", saved.id, "--yes"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert main(["chats", "show", saved.id]) == 1
