"""Files of four programs come in whole, once, or not at all."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.errors import StoreError, TransferError
from qwen_tui.store.conversations import Store
from qwen_tui.store.transfer.exchange import import_file
from tests.store.chats import contents, saved

SAMPLES = Path(__file__).parents[2] / "data" / "imports"
ALL_SAMPLES = sorted(path.name for path in SAMPLES.iterdir())
HOSTILE = "\x1b]52;c;AAAA\x07[link=x]\u202etxt.exe\x00</details>"


def imported(store: Store, name: str) -> list[Conversation]:
    result = import_file(store, SAMPLES / name)
    assert result.present == ()
    return [store.load(chat.id) for chat in result.added]


def said(messages: list[ChatMessage]) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in messages]


def test_our_own_file_comes_back_as_it_was(store: Store) -> None:
    (chat,) = imported(store, "qwen_tui.json")
    assert (chat.id, chat.title) == ("0123456789ab", "Trees 树")
    assert (chat.pinned, chat.archived, chat.tags) == (True, True, ["wood", "木"])
    assert chat.settings["window"]["first_id"] == "00000000000c"
    assert said(chat.branch()) == [
        ("user", "oak?"),
        ("assistant", f"yes {HOSTILE}"),
        ("user", "松树？"),
        ("assistant", "是"),
    ]
    answer = chat.branch()[1]
    assert answer.sampling == {"temperature": 0.6, "seed": 7, "stop": ["\n"]}
    assert (answer.thinking, answer.state, answer.pinned) == ("hm\n", "stopped", True)
    assert chat.branch()[-1].state == "interrupted"  # nobody writes on in a file
    assert [m.content for m in chat.siblings("00000000000d")] == ["不", "是"]


def test_chatgpt_brings_branches_thoughts_and_models(store: Store) -> None:
    chat, empty = imported(store, "chatgpt.json")
    assert (chat.title, chat.model) == ("Tokyo weather", "g-model")
    assert (chat.created_at, chat.updated_at) == (1700000000.25, 1700000100.0)
    branch = chat.branch()
    assert said(branch) == [
        ("user", "東京的天氣怎樣？请用中文回答。"),
        ("assistant", "我没有实时数据。"),
        ("user", "What is in the picture?"),
        ("assistant", "A cat."),
    ]
    assert branch[1].thinking == "They ask about Tokyo.\n\nNo live data."
    assert branch[3].thinking == ""
    assert branch[1].model == "o-model"
    assert branch[0].created_at == 1700000010.5
    siblings = [m.content for m in chat.siblings(branch[1].id)]
    assert siblings == ["我没有实时数据。", f"First try, {HOSTILE}"]
    assert (empty.messages, empty.archived) == ({}, True)


def test_chatgpt_comes_out_of_its_zip(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "export.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("user.json", "{}")
        archive.write(SAMPLES / "chatgpt.json", "conversations-000.json")
    result = import_file(store, file)
    assert [chat.title for chat in result.added] == ["Tokyo weather", ""]
    assert result.left_out == 2  # the picture, and what a tool said


def test_open_webui_brings_branches_thinking_tags_and_the_pin(store: Store) -> None:
    (chat,) = imported(store, "open_webui.json")
    assert (chat.title, chat.model) == ("比较 numbers", "qwen3:8b")
    assert (chat.pinned, chat.tags) == (True, ["math", "数学"])
    assert chat.system_prompt == f"Be brief. {HOSTILE}"
    branch = chat.branch()
    assert said(branch) == [
        ("user", "1 < 2 吗？"),
        ("assistant", "是的。"),
        ("user", "And this?"),
    ]
    assert branch[1].thinking == "1 < 2, so\nyes."
    assert [m.model for m in chat.siblings(branch[1].id)] == ["llama3:8b", "qwen3:8b"]
    assert branch[1].created_at == 1710000006.0


def test_openai_messages_bring_parts_and_reasoning(store: Store) -> None:
    result = import_file(store, SAMPLES / "openai.json")
    assert result.left_out == 3  # a picture, a call of a tool and its answer
    chat = store.load(result.added[0].id)
    assert (chat.system_prompt, chat.model) == ("You are terse.", "qwen3-8b")
    assert chat.title == "你好"
    assert said(chat.branch()) == [
        ("user", f"你好\n\n{HOSTILE}"),
        ("assistant", "Hello."),
    ]
    assert chat.branch()[1].thinking == "A greeting."


def test_lines_and_lists_of_messages_are_read(store: Store, tmp_path: Path) -> None:
    assert [c.title for c in imported(store, "openai.jsonl")] == ["one", "二"]
    bare = tmp_path / "bare.json"
    bare.write_text('\ufeff[{"role": "user", "content": "hi"}]', encoding="utf-8")
    result = import_file(store, bare)
    assert [chat.title for chat in result.added] == ["hi"]


@pytest.mark.parametrize("name", ALL_SAMPLES)
def test_a_second_import_finds_all_present(store: Store, name: str) -> None:
    first = import_file(store, SAMPLES / name)
    store.rename(first.added[0].id, "renamed since")
    rows = contents(store)
    second = import_file(store, SAMPLES / name)
    assert second.added == ()
    assert [c.id for c in second.present] == [c.id for c in first.added]
    assert second.left_out == 0
    assert contents(store) == rows


def test_what_is_imported_is_found_before_and_after_it_is_indexed(
    store: Store,
) -> None:
    messages = [
        message
        for name in ALL_SAMPLES
        for chat in import_file(store, SAMPLES / name).added
        for message in chat.messages.values()
    ]
    waiting = [m for m in messages if "\0" not in m.content]  # no index takes that
    for left in (len(waiting), 0):
        assert store.unindexed() == left
        assert {hit.title for hit in store.search("松树")} == {"Trees 树"}
        assert {hit.title for hit in store.search("天氣")} == {"Tokyo weather"}
        store.build_index()
    saved(store, "what comes after is indexed at once")
    assert store.unindexed() == 0


def test_a_message_id_that_is_taken_is_replaced(store: Store) -> None:
    other = saved(store)
    taken = ChatMessage("user", "mine", id="00000000000c")
    store.save_message(other.id, taken)
    (chat,) = imported(store, "qwen_tui.json")
    assert chat.id == "0123456789ab"
    assert chat.updated_at == 1700000100.25
    assert [m.content for m in chat.branch()] == [
        "oak?",
        f"yes {HOSTILE}",
        "松树？",
        "是",
    ]
    assert chat.settings["window"]["first_id"] == chat.branch()[2].id
    assert store.load(other.id).messages[taken.id].content == "mine"


Change = Callable[[Any], None]


def changed(at: str, value: object) -> Change:
    """Return what puts a value at a place of our sample: "messages.1.role"."""

    def change(body: Any) -> None:
        *path, last = (int(k) if k.isdigit() else k for k in at.split("."))
        for key in path:
            body = body[key]
        body[last] = value

    return change


@pytest.mark.parametrize(
    ("at", "value", "told"),
    [
        ("version", 2, "version 2"),
        ("conversations", {}, "conversations must be a list"),
        ("conversations.0", "x", "conversations[0] must be an object"),
        ("conversations.0.id", "../x", "conversations[0].id"),
        ("conversations.0.title", 5, "conversations[0].title must be a text"),
        ("conversations.0.created_at", 1e300, "conversations[0].created_at"),
        ("conversations.0.created_at", float("nan"), "conversations[0].created_at"),
        ("conversations.0.created_at", 10**400, "conversations[0].created_at"),
        ("conversations.0.created_at", True, "conversations[0].created_at"),
        ("conversations.0.updated_at", None, "conversations[0].updated_at"),
        ("conversations.0.leaf_id", "gone", "conversations[0].leaf_id"),
        ("conversations.0.leaf_id", ["x"], "conversations[0].leaf_id"),
        ("conversations.0.pinned", 1, "conversations[0].pinned must be true or false"),
        ("conversations.0.tags", "a", "conversations[0].tags"),
        ("conversations.0.settings", [], "conversations[0].settings"),
        ("conversations.0.messages.1.role", "bot", "messages[1].role must be one of"),
        ("conversations.0.messages.1.role", [], "messages[1].role must be one of"),
        ("conversations.0.messages.1.usage.thinking_s", "x", "usage.thinking_s must"),
        ("conversations.0.messages.1.usage.answer_tokens", 1e999, "answer_tokens"),
        ("conversations.0.messages.1.usage.error", [], "usage.error must be a text"),
        ("conversations.0.messages.1.sampling.computed_by", "x", "computed_by"),
        ("conversations.0.messages.1.sampling.not_passed", [3], "not_passed[0]"),
        ("conversations.0.messages.2.state", "x", "messages[2].state"),
        ("conversations.0.messages.3.content", None, "messages[3].content"),
        ("conversations.0.messages.3.id", "00000000000a", "messages[3].id"),
        ("conversations.0.messages.0.parent_id", "gone", "messages[0].parent_id"),
        ("conversations.0.messages.0.parent_id", {}, "messages[0].parent_id"),
        ("conversations.0.messages.0.parent_id", "00000000000e", "].parent_id"),
    ],
)
def test_a_wrong_file_changes_nothing_and_tells_where(
    store: Store, tmp_path: Path, at: str, value: object, told: str
) -> None:
    body = json.loads((SAMPLES / "qwen_tui.json").read_text())
    first = json.loads(json.dumps(body["conversations"][0]))
    first["id"], first["messages"], first["leaf_id"] = "feedfeedfeed", [], None
    changed(at, value)(body)
    if isinstance(body["conversations"], list):
        body["conversations"].append(first)  # one that is right
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(body))
    rows = contents(store)
    with pytest.raises(TransferError) as error:
        import_file(store, file)
    assert told in error.value.message
    assert error.value.code == "import_format"
    assert contents(store) == rows


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "line 1, column 1"),
        ('{"a": \n [}', "line 2"),
        ("[]", "known"),
        ("{}", "known"),
        ("3", "known"),
        ('[{"role": "user"}, 3]', "[1] must be an object"),
        ('[{"role": "user", "content": 3}]', "[0].content"),
        ('[{"role": "alien", "content": ""}]', "[0].role"),
        ('[{"role": "user", "content": [{"type": "text"}]}]', "[0].content[0].text"),
        ('{"messages": {}}', "messages must be a list"),
        ('{"messages": []}\n{"messages": 3}', "line 2.messages"),
        ('{"messages": []}\n{"mess', "line 2"),
        ("[" * 100_000, "nested"),
        ('{"mapping": []}', "mapping must be an object"),
        ('{"mapping": {"a": 3}}', "mapping.a"),
        ('{"mapping": {"a": {"children": ["b"]}}}', "mapping.a.children[0]"),
        (
            '{"mapping": {"a": {"parent": "b", "children": ["b"]},'
            ' "b": {"parent": "a", "children": ["a"]}}}',
            "mapping.a must be in one place",
        ),
        (
            '{"mapping": {"r": {"children": ["a", "a"]}, "a": {"parent": "r"}}}',
            "mapping.a must be in one place",
        ),
        ('{"mapping": {"a": {"message": {"author": {"role": 3}}}}}', "author.role"),
        ('{"chat": {"history": 3}}', "chat.history must be an object"),
        ('{"chat": {"history": {"messages": {"a": {}}}}}', "messages.a.role"),
    ],
)
def test_wrong_json_of_any_kind_is_told(
    store: Store, tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "bad.json"
    file.write_text(text)
    with pytest.raises(TransferError) as error:
        import_file(store, file)
    assert told in error.value.message + error.value.hint
    assert contents(store) == []


def test_bytes_that_are_no_text_are_told(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(TransferError, match="byte 7 is no UTF-8"):
        import_file(store, file)


def test_what_cannot_be_read_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(TransferError) as error:
        import_file(store, tmp_path / "nowhere.json")
    assert error.value.code == "import_unreadable"
    with pytest.raises(TransferError) as error:
        import_file(store, tmp_path)
    assert error.value.code == "import_unreadable"
    file = tmp_path / "other.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(TransferError, match=r"other\.zip holds no conversations"):
        import_file(store, file)
    whole = tmp_path / "cut.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.write(SAMPLES / "chatgpt.json", "conversations.json")
    text = bytearray(whole.read_bytes())
    text[60:90] = bytes(30)  # in the middle of the packed file
    whole.write_bytes(text)
    with pytest.raises(TransferError) as error:
        import_file(store, whole)
    assert error.value.code == "import_unreadable"


def test_a_zip_that_unpacks_to_very_much_is_refused(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", "[]")
        archive.infolist()[0].file_size = 3 << 30  # as its directory claims
    with pytest.raises(TransferError, match="2 GiB"):
        import_file(store, file)


def test_a_failure_while_saving_undoes_the_whole_import(store: Store) -> None:
    saved(store, "q")
    rows = contents(store)
    store._connection.execute(
        "CREATE TEMP TRIGGER fails BEFORE INSERT ON message "
        "WHEN new.content = 'A cat.' BEGIN SELECT RAISE(ABORT, 'disk'); END"
    )
    with pytest.raises(StoreError):
        import_file(store, SAMPLES / "chatgpt.json")
    assert contents(store) == rows
