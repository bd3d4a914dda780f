"""Export, import and rename from the command line, on a real file."""

import json
from pathlib import Path

import pytest

from qwen_tui.chat.conversation import Conversation
from qwen_tui.cli.main import main
from qwen_tui.store.conversations import Store
from tests.store.chats import branched, contents, saved

SAMPLES = Path(__file__).parents[1] / "data" / "imports"
Capture = pytest.CaptureFixture[str]


def open_store(tmp_path: Path) -> Store:
    return Store(tmp_path / "data" / "qwen-tui" / "conversations.db")


@pytest.fixture
def chat(tmp_path: Path) -> Conversation:
    store = open_store(tmp_path)
    chat = branched(store)
    other = saved(store, "q", title="Away")
    store.set_archived(other.id, True)
    store.close()
    return chat


def test_markdown_goes_to_standard_output(chat: Conversation, capsys: Capture) -> None:
    assert main(["chats", "export", "Trees"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("# Trees\n")
    assert out.endswith("是\n")


def test_a_file_is_never_overwritten_without_force(
    chat: Conversation, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "trees.json"
    command = ["chats", "export", chat.id, "--format", "json", "-o", str(file)]
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"Exported to {file}.\n")
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("precious")
    assert main(command) == 1
    assert "--force" in capsys.readouterr().err
    assert file.read_text() == "precious"
    assert main([*command, "--force"]) == 0
    assert json.loads(file.read_text())["conversations"][0]["id"] == chat.id


def test_a_folder_gets_a_file_named_after_the_title(
    chat: Conversation, tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    command = ["chats", "export", chat.id, "--format", "openai", "-o", str(folder)]
    assert main([*command, "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    file = folder / f"Trees-{chat.id}.messages.json"
    assert body == {"event": "exported", "ids": [chat.id], "path": str(file)}
    assert json.loads(file.read_text())["messages"][0]["role"] == "system"


def test_all_conversations_make_one_backup_that_comes_back(
    chat: Conversation, tmp_path: Path, capsys: Capture
) -> None:
    store = open_store(tmp_path)
    rows = contents(store)
    file = tmp_path / "backup.json"
    command = ["chats", "export", "--all", "--format", "json", "-o", str(file)]
    assert main(command) == 0
    for summary in (*store.summaries(), *store.summaries(archived=True)):
        store.delete(summary.id)
    assert main(["chats", "import", str(file)]) == 0
    out, err = capsys.readouterr()
    assert f"{chat.id}  Trees" in out
    assert "Imported 2 conversations." in err
    assert contents(store) == rows
    store.close()


def test_all_as_markdown_fill_a_folder(
    chat: Conversation, tmp_path: Path, capsys: Capture
) -> None:
    folder = tmp_path / "new" / "out"
    assert main(["chats", "export", "--all"]) == 2
    assert main(["chats", "export", "--all", "-o", str(folder)]) == 0
    names = sorted(path.name.rpartition("-")[0] for path in folder.iterdir())
    assert names == ["Away", "Trees"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert main(["chats", "export", "--all", "-o", str(folder)]) == 1
    file = next(folder.iterdir())
    assert main(["chats", "export", "--all", "-o", str(file)]) == 1
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["Trees", "--all"]])
def test_one_or_all_must_be_named(
    chat: Conversation, words: list[str], capsys: Capture
) -> None:
    assert main(["chats", "export", *words]) == 2
    assert "--all" in capsys.readouterr().err


def test_what_is_there_already_is_told(tmp_path: Path, capsys: Capture) -> None:
    sample = str(SAMPLES / "open_webui.json")
    assert main(["chats", "import", sample]) == 0
    assert capsys.readouterr().err == (
        "Imported 1 conversation. 1 picture or tool message was left out.\n"
    )
    assert main(["chats", "import", sample, "--json"]) == 0
    present, done = map(json.loads, capsys.readouterr().out.splitlines())
    assert (present["event"], present["title"]) == ("present", "比较 numbers")
    assert done == {"event": "done", "imported": 0, "present": 1, "left_out": 0}
    assert main(["chats", "import", sample, "--lang", "zh"]) == 0
    assert "已经在了" in capsys.readouterr().err


def test_a_wrong_file_is_one_line_with_the_place(
    tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "bad.json"
    file.write_text('{"messages": [{"role": "user", "content": 3}]}')
    assert main(["chats", "import", str(file), "--json"]) == 1
    out, err = capsys.readouterr()
    error = json.loads(out)
    assert (error["event"], error["code"]) == ("error", "import_format")
    assert "messages[0].content must be a text, not 3" in error["message"]
    assert err.count("\n") == 1


def test_a_chat_is_renamed_by_its_title(
    chat: Conversation, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["chats", "rename", "Trees", "Woods\n\x1b[31m"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert main(["chats", "rename", chat.id, "森林", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body == {"event": "renamed", "id": chat.id, "title": "森林"}
    assert main(["chats", "rename", chat.id, " "]) == 2
    assert main(["chats", "rename", "nowhere", "x"]) == 1
    store = open_store(tmp_path)
    assert store.load(chat.id).title == "森林"
    store.close()


def test_the_list_tells_pins_tags_and_the_archive(
    chat: Conversation, tmp_path: Path, capsys: Capture
) -> None:
    store = open_store(tmp_path)
    store.set_pinned(chat.id, True)
    store.close()
    assert main(["chats", "list"]) == 0
    out = capsys.readouterr().out
    assert "pinned, #wood #树)" in out
    assert "Away" not in out
    assert main(["chats", "list", "--archived"]) == 0
    assert "Away" in capsys.readouterr().out
