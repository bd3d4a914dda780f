"""What `ask` makes of prompt, standard input and files, before any model."""

import io
import json
from pathlib import Path

import pytest

from qwen_tui.cli.ask_prompt import attach, build_prompt
from qwen_tui.cli.main import main
from qwen_tui.errors import UsageError


def pipe(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_standard_input_is_appended_to_the_prompt(monkeypatch: pytest.MonkeyPatch):
    pipe(monkeypatch, "第一行\nline two\n".encode())
    assert build_prompt("Translate:", []) == "Translate:\n\n第一行\nline two"


def test_standard_input_alone_is_the_prompt(monkeypatch: pytest.MonkeyPatch):
    pipe(monkeypatch, b"hello\n")
    assert build_prompt("", []) == "hello"


def test_bytes_that_are_no_text_do_not_end_ask(monkeypatch: pytest.MonkeyPatch):
    pipe(monkeypatch, b"a\xffb")
    assert build_prompt("", []) == "a\N{REPLACEMENT CHARACTER}b"


def test_a_file_comes_fenced_under_its_name(tmp_path: Path):
    file = tmp_path / "a.py"
    file.write_text("print(1)\n")
    assert attach(file) == "a.py\n```\nprint(1)\n```"


def test_a_fence_is_longer_than_any_in_the_file(tmp_path: Path):
    file = tmp_path / "a.md"
    file.write_text("````\nx\n````\n")
    assert attach(file).startswith("a.md\n`````\n")


def test_a_binary_file_is_refused_by_name(tmp_path: Path):
    file = tmp_path / "a.bin"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"a\.bin is no UTF-8 text"):
        attach(file)


def test_a_huge_file_is_refused_with_its_size(tmp_path: Path):
    file = tmp_path / "log.txt"
    file.write_bytes(b"x" * 1_000_001)
    with pytest.raises(UsageError, match="1000001 bytes"):
        attach(file)


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    missing = tmp_path / "none.txt"
    assert main(["ask", "--model", "demo", "--file", str(missing), "hi"]) == 2
    assert "none.txt" in capsys.readouterr().err


def test_nothing_to_ask_is_wrong_usage(capsys: pytest.CaptureFixture[str]):
    assert main(["ask", "--model", "demo"]) == 2
    assert "nothing to ask" in capsys.readouterr().err


def test_ask_without_a_model_says_how_to_name_one(capsys: pytest.CaptureFixture[str]):
    assert main(["ask", "hi"]) == 2
    assert "--model" in capsys.readouterr().err


def test_a_wrong_model_is_an_error_event_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["ask", "--json", "--model", str(tmp_path / "none"), "hi"]) == 1
    out, err = capsys.readouterr()
    event = json.loads(out)
    assert event["event"] == "error"
    assert event["code"] == "model_not_found"
    assert event["message"]
    assert event["hint"]
    assert err.count("\n") == 1


def test_a_temperature_below_zero_is_refused(capsys: pytest.CaptureFixture[str]):
    assert main(["ask", "--model", "demo", "--temperature", "-1", "hi"]) == 2
    assert "--temperature" in capsys.readouterr().err


def test_no_save_cannot_go_on_in_a_saved_chat(capsys: pytest.CaptureFixture[str]):
    assert main(["ask", "--model", "demo", "--no-save", "--continue", "hi"]) == 2
    assert "--no-save" in capsys.readouterr().err
