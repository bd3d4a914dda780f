"""`models search` and `models info` against a hub on this machine."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qwen_tui.cli.main import main
from qwen_tui.i18n import set_language
from tests.fake_hub import FakeHub, Fault
from tests.hub.models import safetensors

CONFIG = {
    "architectures": ["Qwen3ForCausalLM"],
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "max_position_embeddings": 40960,
}
FILES = {
    "config.json": json.dumps(CONFIG).encode(),
    "model-00001-of-00002.safetensors": safetensors(4000),
    "model-00002-of-00002.safetensors": safetensors(2000),
    "pytorch_model.bin": b"x" * 100,
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    for name in [n for n in os.environ if n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with FakeHub() as hub:
        card = {"license": "apache-2.0"}
        info = {"downloads": 1_234_567, "cardData": card}
        hub.add_repo("Qwen/Qwen3-8B", FILES, info=info)
        yield hub


def asked(hub: FakeHub, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["models", *words, "--endpoint", hub.url]) == 0
    return capsys.readouterr().out


def described(
    hub: FakeHub, capsys: pytest.CaptureFixture[str], *words: str
) -> dict[str, Any]:
    return json.loads(asked(hub, capsys, "info", *words, "--json"))


def test_a_search_prints_a_line_a_model(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.add_repo("owner/qwen-gated", FILES, gated=True)
    lines = asked(hub, capsys, "search", "qwen").splitlines()
    assert lines[0].split() == ["Qwen/Qwen3-8B", "6.2", "kB", "1.2M", "2025-07-26"]
    assert lines[1].split()[-1] == "gated"


def test_a_search_for_programs_prints_objects(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = asked(hub, capsys, "search", "qwen3", "--json").splitlines()
    model = json.loads(line)
    assert (model["repo"], model["downloads"]) == ("Qwen/Qwen3-8B", 1_234_567)
    assert model["gated"] is False


def test_finding_nothing_is_no_failure(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "search", "llama", "--endpoint", hub.url]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "llama" in err


def test_info_shows_the_numbers_it_judges_by(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    info = described(hub, capsys, "qwen3-8b", "--context", "1000")
    assert (info["repo"], info["alias"]) == ("Qwen/Qwen3-8B", "qwen3-8b")
    assert (info["license"], info["gated"]) == ("apache-2.0", False)
    assert info["wanted_bytes"] == info["total_bytes"] - 100
    assert (info["context"], info["kv_bytes_per_token"]) == (1000, 144 * 1024)
    cpu = next(place for place in info["places"] if place["name"] == "cpu")
    assert cpu["need"]["weights_bytes"] == info["weights_bytes"]
    assert cpu["need"]["kv_bytes"] == 1000 * 144 * 1024
    assert cpu["needed_bytes"] == sum(cpu["need"].values())
    assert cpu["fit"] == "fits"
    disk = info["places"][-1]
    assert (disk["needed_bytes"], disk["fit"]) == (info["wanted_bytes"], "fits")


def test_a_context_that_is_too_long_for_the_memory_is_told(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    info = described(hub, capsys, "qwen3-8b", "--context", "1000000000")
    cpu = next(place for place in info["places"] if place["name"] == "cpu")
    assert cpu["fit"] == "too_big"


def test_info_for_a_person_shows_files_memory_and_disk(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    text = asked(hub, capsys, "info", "Qwen/Qwen3-8B")
    assert "apache-2.0" in text
    assert "32,768 tokens, 131,072 with YaRN" in text
    (shards,) = [x for x in text.splitlines() if "-*-of-00002.safetensors" in x]
    assert shards.endswith("2 files")
    (other,) = [x for x in text.splitlines() if "pytorch_model.bin" in x]
    assert other.endswith("not fetched")
    assert "4.8 GB, 144 KiB a token" in text  # 32,768 x 144 KiB
    assert text.splitlines()[-1].endswith("fits")


def test_nothing_is_judged_on_a_config_that_may_not_be_read(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.add_repo("owner/gated", FILES, gated=True)
    info = described(hub, capsys, "owner/gated")
    assert info["gated"]
    assert info["places"][0]["fit"] == "unknown"
    assert "huggingface.co/owner/gated" in asked(hub, capsys, "info", "owner/gated")


def test_hostile_words_of_a_server_reach_no_terminal(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = "\x1b]0;owned\x07\u202e"
    config = {**CONFIG, "architectures": [bad]}
    hub.add_repo(
        "owner/qwen-evil",
        {"config.json": json.dumps(config).encode(), "model.safetensors": b"1"},
        info={"lastModified": bad, "cardData": {"license": bad}},
    )
    text = asked(hub, capsys, "search", "evil")
    text += asked(hub, capsys, "info", "owner/qwen-evil")
    assert "owned" in text
    assert not set("\x1b\x07\u202e") & set(text)


@pytest.mark.parametrize("command", [("search", "qwen"), ("info", "qwen3-8b")])
def test_a_refusal_is_one_line_and_one_event(
    hub: FakeHub, capsys: pytest.CaptureFixture[str], command: tuple[str, str]
) -> None:
    hub.faults.append(Fault("html", times=-1))
    assert main(["models", *command, "--json", "--endpoint", hub.url]) == 1
    out, err = capsys.readouterr()
    event = json.loads(out)
    assert (event["event"], event["code"]) == ("error", "captive_portal")
    assert event["message"]
    assert event["hint"]
    assert err.count("\n") == 1


def test_offline_nothing_is_asked(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["models", "search", "qwen", "--endpoint", hub.url]) == 1
    assert "HF_HUB_OFFLINE" in capsys.readouterr().err
    assert hub.seen == []


def test_the_token_of_the_home_in_force_reaches_allowed_hosts_only(
    hub: FakeHub,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    token_home = home / "other"
    token_home.mkdir()
    (token_home / "token").write_text("hf_secret")
    config = home / "config.toml"
    config.write_text(f'[downloads]\nhf_home = "{token_home}"\n')
    monkeypatch.delenv("HF_HOME")
    asked(hub, capsys, "search", "qwen", "--config", str(config))
    assert "hf_secret" not in str([seen.headers for seen in hub.seen])
    allowed = f'token_hosts = ["{hub.url}"]\n'
    config.write_text(config.read_text() + allowed)
    asked(hub, capsys, "search", "qwen", "--config", str(config))
    assert hub.seen[-1].headers["authorization"] == "Bearer hf_secret"


def test_chinese_columns_stand_below_each_other(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    text = asked(hub, capsys, "info", "qwen3-8b", "--lang", "zh")
    set_language("en")
    labels = [x for x in text.splitlines() if x.startswith("  ") and "KiB" not in x]
    assert "许可    apache-2.0" in labels[0]
    assert "上下文  32,768 token" in text
