"""What is exported can be read by people and programs, and comes back whole."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwen_tui.chat.attachment import fenced
from qwen_tui.chat.conversation import ChatMessage, Conversation, new_id
from qwen_tui.errors import TransferError
from qwen_tui.store.conversations import Store
from qwen_tui.store.transfer.exchange import (
    backup_text,
    export_text,
    file_name,
    import_file,
)
from qwen_tui.store.transfer.files import write_text
from tests.store.chats import branched, contents, put

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.text(alphabet="ab é天", max_size=4)
JSON: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
    ),
    max_leaves=5,
)
MAPPINGS = st.dictionaries(NAMES, JSON, max_size=3)
OWN = st.fixed_dictionaries(  # as the chat keeps it, of types that a JSON may change
    {},
    optional={
        "persona": TEXTS,
        "options": st.fixed_dictionaries(
            {},
            optional={
                "temperature": st.floats(0, 10),
                "top_k": st.integers(0, 2**40),
                "seed": st.integers(0, 2**63),
                "stop": st.lists(TEXTS, max_size=2),
                "thinking": st.booleans(),
                "thinking_budget": st.none() | st.integers(0, 9000),
            },
        ),
        "window": st.fixed_dictionaries({"summary": TEXTS}),
    },
)
CONTENTS = TEXTS | st.builds(fenced, TEXTS, TEXTS)
"""Of messages, some of them with a file."""
TIMES = st.floats(min_value=0, max_value=4e9)


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    chat = Conversation(
        title=draw(TEXTS),
        created_at=draw(TIMES),
        model=draw(TEXTS),
        system_prompt=draw(TEXTS),
        settings={**draw(MAPPINGS), **draw(OWN)},
        pinned=draw(st.booleans()),
        archived=draw(st.booleans()),
        tags=draw(st.lists(TEXTS, max_size=3)),
    )
    for _ in range(draw(st.integers(0, 6))):
        message = ChatMessage(
            role=draw(st.sampled_from(["user", "assistant"])),
            content=draw(CONTENTS),
            id=new_id(),
            parent_id=draw(st.sampled_from([None, *chat.messages])),
            thinking=draw(TEXTS),
            state=draw(
                st.sampled_from(["complete", "stopped", "failed", "interrupted"])
            ),
            created_at=draw(TIMES),
            model=draw(TEXTS),
            revision=draw(TEXTS),
            sampling=draw(MAPPINGS),
            usage=draw(MAPPINGS),
            pinned=draw(st.booleans()),
        )
        chat.messages[message.id] = message
    chat.leaf_id = draw(st.sampled_from([*chat.messages])) if chat.messages else None
    chat.updated_at = draw(TIMES)
    return chat


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(chats=st.lists(conversations(), max_size=3))
def test_export_wipe_and_import_give_the_same_rows(
    store: Store, tmp_path: Path, chats: list[Conversation]
) -> None:
    for summary in (*store.summaries(), *store.summaries(archived=True)):
        store.delete(summary.id)
    for chat in chats:
        store.add(chat)
    rows = contents(store)
    file = tmp_path / "backup.json"
    whole = [store.load(chat.id) for chat in chats]
    write_text(file, backup_text(whole), overwrite=True)
    for chat in chats:
        store.delete(chat.id)
    assert contents(store) == []
    assert len(import_file(store, file).added) == len(chats)
    assert contents(store) == rows


def test_half_an_emoji_in_the_settings_comes_back(store: Store, tmp_path: Path) -> None:
    chat = branched(store)
    chat.settings["stop"] = "\ud83d"
    store.save_conversation(chat)
    rows = contents(store)
    file = tmp_path / "backup.json"
    write_text(file, backup_text([store.load(chat.id)]))
    store.delete(chat.id)
    import_file(store, file)
    assert contents(store) == rows


def test_markdown_is_for_people(store: Store) -> None:
    chat = branched(store)
    store.set_leaf(chat.id, "b2")
    text = export_text(store.load(chat.id), "md")
    blocks = text.split("\n\n")
    assert blocks[0] == "# Trees"
    assert blocks[1].endswith("wood · 树")
    assert "<summary>System prompt</summary>\n\nBe brief.\n\n</details>" in text
    assert "## You\n\noak?\n\n## Assistant (pinned)\n\nyes\n\n## You\n\n松树?" in text
    assert text.endswith(
        "## Assistant (1/2)\n\n<details>\n<summary>Thinking</summary>\n\nhm\n\n"
        "</details>\n\nno\n"
    )


def test_thinking_cannot_leave_its_fold_and_nothing_acts_on_a_terminal(
    store: Store,
) -> None:
    chat = branched(store)
    put(
        store,
        chat,
        ChatMessage(
            "assistant",
            "a\x1b[31mb\u202e",
            parent_id=chat.leaf_id,
            thinking="x</details>y\n```py\nopen",
            model="m\n# fake",
            state="stopped",
        ),
    )
    text = export_text(chat, "md")
    assert text.count("</details>") == 2  # the prompt's and this one's
    assert "x&lt;/details>y\n```py\nopen\n```\n\n</details>" in text
    assert "## m # fake (stopped)" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_openai_messages_are_the_branch_that_is_shown(store: Store) -> None:
    chat = branched(store)
    store.set_leaf(chat.id, "b2")
    body = json.loads(export_text(store.load(chat.id), "openai"))
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "oak?"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": "松树?"},
        {"role": "assistant", "content": "no", "reasoning_content": "hm"},
    ]


def test_a_file_is_private_whole_and_never_replaced_unasked(tmp_path: Path) -> None:
    file = tmp_path / "chat.md"
    write_text(file, "first")
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(TransferError) as told:
        write_text(file, "second")
    assert told.value.code == "export_exists"
    assert file.read_text() == "first"
    write_text(file, "third", overwrite=True)
    assert file.read_text() == "third"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_is_never_followed_out_of_the_way(tmp_path: Path) -> None:
    (tmp_path / "link.md").symlink_to(tmp_path / "precious.md")
    with pytest.raises(TransferError) as told:
        write_text(tmp_path / "link.md", "x")
    assert told.value.code == "export_exists"
    assert not (tmp_path / "precious.md").exists()


def test_a_drive_without_links_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_named: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    file = tmp_path / "chat.md"
    write_text(file, "first")
    with pytest.raises(TransferError):
        write_text(file, "second")
    assert file.read_text() == "first"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(TransferError) as told:
        write_text(tmp_path / "nowhere" / "chat.md", "x")
    assert told.value.code == "export_unwritable"


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("Capitals of Europe", "Capitals-of-Europe"),
        ("你好，世界", "你好-世界"),
        ("../../etc/passwd", "etc-passwd"),
        ("\x1b[31m\u202e", "31m"),
        ("", "chat"),
        ("长" * 100, "长" * 20),
    ],
)
def test_a_name_is_made_of_the_title_and_the_id(title: str, stem: str) -> None:
    chat = Conversation(title=title, id="0123456789ab")
    assert file_name(chat, "md") == f"{stem}-0123456789ab.md"
    assert file_name(replace(chat), "openai").endswith(".messages.json")
