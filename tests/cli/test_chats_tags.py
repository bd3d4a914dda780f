"""Tags of saved conversations from the command line."""

import json
from pathlib import Path

import pytest

from qwen_tui.chat.conversation import Conversation
from qwen_tui.cli.main import main
from qwen_tui.store.conversations import Store


@pytest.fixture
def chats(home: Path) -> list[Conversation]:
    folder = home / "data" / "qwen-tui"
    folder.mkdir(parents=True)
    store = Store(folder / "conversations.db")
    saved = [Conversation(title="Trees"), Conversation(title="Sums")]
    for chat in saved:
        store.add(chat)
    store.close()
    return saved


def test_tags_are_added_taken_away_and_told(
    chats: list[Conversation], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["chats", "tag", "Trees"]) == 0
    assert capsys.readouterr().out == '"Trees" has no tags.\n'
    assert main(["chats", "tag", "Trees", "#wood", "two words", "WOOD"]) == 0
    assert capsys.readouterr().out == '"Trees" has the tags #wood #"two words".\n'
    assert main(["chats", "tag", "Trees", "Wood", "木", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["tags"] == ["wood", "two words", "木"]
    assert main(["chats", "tag", "Trees", "WOOD", "gone", "--remove"]) == 0
    assert capsys.readouterr().out == '"Trees" has the tags #"two words" #木.\n'


def test_taking_nothing_away_is_wrong_usage(chats: list[Conversation]) -> None:
    assert main(["chats", "tag", "Trees", "--remove"]) == 2


def test_the_list_and_the_search_are_narrowed_by_tags(
    chats: list[Conversation], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["chats", "tag", "Trees", "wood", "木"]) == 0
    assert main(["chats", "tag", "Sums", "maths", "木"]) == 0
    capsys.readouterr()
    for tags, title in ((["#WOOD"], "Trees"), (["木", "maths"], "Sums")):
        words = [word for tag in tags for word in ("--tag", tag)]
        assert main(["chats", "list", "--json", *words]) == 0
        (line,) = capsys.readouterr().out.splitlines()
        assert json.loads(line)["title"] == title
    assert main(["chats", "search", "#maths"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("  Sums")
    assert main(["chats", "list"]) == 0
    assert "#wood #木)" in capsys.readouterr().out
