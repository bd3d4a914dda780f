"""Not one byte of hostile text reaches the terminal from any command."""

import io
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import tomli_w

from qwen_tui.chat.conversation import Conversation
from qwen_tui.cli.main import main
from qwen_tui.store.conversations import Store
from qwen_tui.store.transfer.exchange import backup_text
from tests.ui.hostile import FILE_NAME, HOSTILE, ONE_LINE, acted_on, hostile_chat

WORD = ONE_LINE.replace("\x00", "")
"""As an argument of a program, which holds no NUL."""


class Terminal(io.StringIO):
    """Standard output and error of a program that a person looks at."""

    def isatty(self) -> bool:
        return True


Run = Callable[..., str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on a terminal; returns all that the terminal was sent."""

    def run(*words: str | Path) -> str:
        terminal = Terminal()
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", terminal)
            patched.setattr(sys, "stderr", terminal)
            with suppress(SystemExit):  # how argparse ends
                main([str(word) for word in words])
        return terminal.getvalue()

    return run


@pytest.fixture
def chat(home: Path) -> Conversation:
    """A saved conversation with nothing harmless in it."""
    chat = hostile_chat()
    folder = home / "data" / "qwen-tui"
    folder.mkdir(parents=True)
    store = Store(folder / "conversations.db")
    store.add(chat)
    store.close()
    return chat


@pytest.mark.parametrize(
    "words",
    [
        ["list"],
        ["list", "--json"],
        ["show", "CHAT"],
        ["show", "CHAT", "--json"],
        ["show", WORD],
        ["search", "/x"],
        ["search", "/x", "--json"],
        ["search", WORD],
        ["export", "CHAT"],
        ["export", "CHAT", "--format", "json"],
        ["export", "CHAT", "--format", "openai"],
        ["export", "CHAT", "--json"],
        ["export", "CHAT", "-o", "FOLDER"],
        ["export", "CHAT", "-o", "FILE"],
        ["export", "CHAT", "-o", "FOLDER/no/such"],
        ["export", "--all", "--format", "md", "-o", "FOLDER"],
        ["rename", "CHAT", WORD],
        ["tag", "CHAT"],
        ["tag", "CHAT", WORD],
        ["list", "--tag", WORD],
        ["delete", "CHAT"],
        ["delete", "CHAT", "--yes"],
    ],
    ids=" ".join,
)
def test_saved_conversations_are_told_without_a_payload(
    run: Run, chat: Conversation, home: Path, words: list[str]
) -> None:
    places = {"CHAT": chat.id, "FOLDER": str(home), "FILE": str(home / FILE_NAME)}
    sent = run("chats", *(places.get(word, word) for word in words))
    assert sent
    assert not acted_on(sent)


@pytest.mark.parametrize(
    "text",
    [
        backup_text([hostile_chat()]),
        json.dumps([{"role": "user", "content": HOSTILE}]),
        json.dumps([{"role": HOSTILE, "content": ""}]),
        json.dumps({"mapping": {HOSTILE: {"children": [HOSTILE]}}}),
        json.dumps({"mapping": {HOSTILE: 3}}),
        HOSTILE,
    ],
    ids=["ours", "messages", "role", "child", "key", "no JSON"],
)
@pytest.mark.parametrize("name", ["import.json", FILE_NAME], ids=["plain", "hostile"])
def test_a_file_is_imported_or_refused_without_a_payload(
    run: Run, home: Path, text: str, name: str
) -> None:
    (home / name).write_text(text)
    for more in ([], ["--json"]):
        sent = run("chats", "import", home / name, *more)
        assert sent
        assert not acted_on(sent)


@pytest.mark.parametrize(
    "settings",
    [
        {ONE_LINE: 1},
        {"ui": {ONE_LINE: 1}},
        {"ui": {"lang": ONE_LINE}},
        {"ui": ONE_LINE},
        {"model": {"default": ONE_LINE, "folders": [ONE_LINE]}},
        {"servers": [{"name": ONE_LINE, "url": "http://e.x"}]},
        {"servers": [{"name": "box", "url": ONE_LINE}]},
        {"servers": [{"name": "box", "url": "http://e.x", ONE_LINE: ""}]},
        {"servers": [{"name": "box", "url": "http://e.x", "model": 1}]},
        {"servers": ONE_LINE},
    ],
    ids=str,
)
@pytest.mark.parametrize("command", [["config", "show"], ["doctor", "--offline"]])
def test_a_settings_file_is_told_without_a_payload(
    run: Run, home: Path, settings: dict[str, object], command: list[str]
) -> None:
    file = home / FILE_NAME
    file.write_text(tomli_w.dumps(settings))
    sent = run(*command, "--config", file)
    assert sent
    assert not acted_on(sent)


def test_the_environment_is_told_without_a_payload(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TERM", "COLORTERM", "LANG", "QWEN_TUI_X", "TMUX", "HTTPS_PROXY"):
        monkeypatch.setenv(name, WORD)
    sent = run("doctor", "--offline")
    assert "[/x]" in sent
    assert not acted_on(sent)


@pytest.mark.parametrize(
    "words",
    [
        [WORD],
        [f"--{WORD}"],
        ["--lang", WORD],
        ["--endpoint", WORD, "doctor", "--offline"],
        ["chats", WORD],
        ["chats", "list", WORD],
        ["chats", "search", "x", "--limit", WORD],
        ["chats", "import", WORD],
        ["ask", "hi", "--model", WORD],
        ["ask", "hi", "--chat", WORD],
        ["ask", "hi", "--file", WORD],
        ["ask", "hi", "--server", WORD],
        ["models", "info", WORD],
        ["models", "verify", WORD],
        ["models", "delete", WORD],
        ["config", "show", "--config", WORD],
    ],
    ids=lambda words: " ".join(words).replace(WORD, "HOSTILE"),
)
def test_a_wrong_word_is_told_without_a_payload(run: Run, words: list[str]) -> None:
    sent = run(*words)
    assert sent
    assert not acted_on(sent)
