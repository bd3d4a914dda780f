"""`qwen-tui doctor`: what is here, in force, and wrong."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qwen_tui import __version__
from qwen_tui.chat.conversation import Conversation
from qwen_tui.cli.labelled import labelled, wrapped
from qwen_tui.cli.main import main
from qwen_tui.hub.queries import PROBE_FILE, PROBE_REPO
from qwen_tui.i18n import set_language
from qwen_tui.store.conversations import Store
from tests.e2e.programs import program
from tests.fake_hub import FakeHub, Fault

CLOSED = "127.0.0.1:9"  # the discard port: nobody listens


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """The only source that can be reached: others go through a proxy that is not."""
    for name in [n for n in os.environ if n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{CLOSED}")
    with FakeHub() as hub:
        hub.add_repo(PROBE_REPO, {"config.json": b"{}", PROBE_FILE: bytes(500_000)})
        yield hub


def report(
    capsys: pytest.CaptureFixture[str], *words: str, status: int = 0
) -> dict[str, Any]:
    """The events by name; of several of one name a list."""
    assert main(["doctor", "--json", *words]) == status
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found: dict[str, Any] = {"sources": [], "problems": []}
    for event in events:
        name = event.pop("event")
        if name in ("source", "problem"):
            found[f"{name}s"].append(event)
        else:
            found[name] = event
    return found


def offline(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    return report(capsys, "--offline", *words)


def test_it_tells_versions_devices_and_folders(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = offline(capsys)
    assert found["installed"]["qwen_tui"] == __version__
    assert found["installed"]["packages"]["torch"]
    assert found["devices"]["ram_total"] > 0
    assert found["devices"]["cores"] >= 1
    models = found["disk"]["models"]
    assert models["folder"] == str(home / "hf" / "hub")
    assert models["free_bytes"] > 0
    assert not (home / "hf").exists()
    assert found["done"] == {"problems": len(found["problems"])}


def test_it_says_who_set_the_folder_and_which_variable_wins(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(home / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "https://hf-mirror.com")
    settings = offline(capsys)["hugging_face"]
    assert settings["hf_cache"] == str(home / "cache")
    assert settings["origins"]["hf_cache"] == "HF_HUB_CACHE"
    assert settings["origins"]["downloads.endpoint"] == "HF_ENDPOINT"
    assert main(["doctor", "--offline"]) == 0
    assert "HF_HUB_CACHE, which wins over HF_HOME" in capsys.readouterr().out


def test_a_token_is_told_by_its_origin_and_never_shown(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert offline(capsys)["hugging_face"]["token"] is False
    (home / "hf").mkdir()
    (home / "hf" / "token").write_text("hf_secret")
    settings = offline(capsys)["hugging_face"]
    assert settings["token"] is True
    assert settings["token_origin"] == str(home / "hf" / "token")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert offline(capsys)["hugging_face"]["token_origin"] == "HF_TOKEN"
    main(["doctor", "--offline"])
    main(["doctor", "--offline", "--json"])
    assert "secret" not in capsys.readouterr().out


def test_sources_are_tried_and_the_one_that_answers_is_named(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    found = report(capsys, "--endpoint", hub.url)
    by_endpoint = {source["endpoint"]: source for source in found["sources"]}
    assert set(by_endpoint) == {
        hub.url,
        "https://huggingface.co",
        "https://hf-mirror.com",
    }
    good = by_endpoint[hub.url]
    assert good["reachable"]
    assert good["hosts"][-1] == hub.cdn_url.partition("//")[2]
    assert by_endpoint["https://hf-mirror.com"]["code"] == "unreachable"
    assert found["best_source"]["endpoint"] == hub.url
    assert found["problems"] == []


def test_a_source_in_force_that_fails_is_a_problem_with_a_way_out(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.faults.append(Fault("html", times=-1))
    (problem,) = report(capsys, "--endpoint", hub.url)["problems"]
    assert problem["code"] == "captive_portal"
    assert problem["is_broken"] is False
    assert problem["hint"]


@pytest.mark.parametrize("words", [("--offline",), ()])
def test_offline_no_source_is_tried(
    hub: FakeHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    if not words:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["doctor", "--endpoint", hub.url, *words]) == 0
    out = capsys.readouterr().out
    assert ("--offline was given" if words else "HF_HUB_OFFLINE is set") in out
    assert hub.seen == []


def test_proxies_are_told_by_their_host_alone(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("all_proxy", "socks5://user:pass%40@proxy.example.com:1080/x")
    monkeypatch.setenv("HTTP_PROXY", "http://[half:secret@")
    assert offline(capsys)["proxies"]["proxies"] == {
        "HTTPS_PROXY": f"http://{CLOSED}",
        "HTTP_PROXY": "set, but no address",
        "all_proxy": "socks5://proxy.example.com:1080",
    }
    monkeypatch.setenv("HF_ENDPOINT", "https://me:secret@hub.example.com")
    found = report(capsys, "--offline", status=1)
    assert found["hugging_face"]["endpoint"] == "https://hub.example.com"
    assert "secret" not in json.dumps(found)
    assert found["problems"][0]["is_broken"] is True


def test_the_conversations_file_is_looked_at_and_not_made(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = home / "data" / "qwen-tui"
    assert offline(capsys)["database"]["exists"] is False
    assert not data.exists()
    store = Store(data / "conversations.db")
    store.save_conversation(Conversation())
    store.close()
    found = offline(capsys)["database"]
    assert (found["journal_mode"], found["n_conversations"]) == ("wal", 1)


def test_what_is_broken_decides_the_status(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = home / "data" / "qwen-tui"
    data.mkdir(parents=True)
    (data / "conversations.db").write_bytes(b"notes" * 1000)
    (problem,) = report(capsys, "--offline", status=1)["problems"]
    assert (problem["code"], problem["is_broken"]) == ("store_corrupt", True)
    assert main(["doctor", "--offline"]) == 1
    assert problem["hint"].split(".")[0] in capsys.readouterr().out


def test_a_mistyped_setting_is_a_problem(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = home / "config.toml"
    config.write_text("[downloads]\nconections = 3\n")
    (problem,) = offline(capsys, "--config", str(config))["problems"]
    assert "connections" in problem["message"]


def test_the_terminal_tells_what_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    found = offline(capsys)
    assert (found["terminal"]["term"], found["terminal"]["tmux"]) == ("dumb", True)
    assert [problem["code"] for problem in found["problems"]] == ["terminal"]


@pytest.mark.e2e
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_line_is_wider_than_the_terminal(tmp_path: Path, lang: str) -> None:
    home = tmp_path / ("a very long name of a folder, " * 3)
    home.mkdir()
    words = ("doctor", "--offline", "--lang", lang)
    with program(home, *words, columns=60, rows=100) as terminal:
        assert terminal.wait_exit() == 0
        lines = terminal.text().splitlines()
    # a line that the terminal had to break itself would go on in the first column
    titles = [x for x in lines if x and not x.startswith("  ")]
    assert len(titles) == 9


def test_a_long_text_goes_on_below_itself() -> None:
    rows = [("名称", "one two three four"), ("b", "一二三四五六七八九十")]
    assert labelled(rows, width=28) == [
        "  名称  one two three four",
        "  b     一二三四五六七八九十",
    ]
    assert list(wrapped("one two three", 8)) == ["one two", "three"]
    assert list(wrapped("一二三四五", 5)) == ["一二", "三四", "五"]
    assert list(wrapped("a" * 7, 3)) == ["aaa", "aaa", "a"]
    assert list(wrapped("", 3)) == [""]


def test_the_report_speaks_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--offline", "--lang", "zh"])
    set_language("en")
    out = capsys.readouterr().out
    assert "设备" in out
    assert "未发现问题" in out or "问题" in out
