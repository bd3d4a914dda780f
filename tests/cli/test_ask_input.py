"""What `ask` makes of prompt, standard input and files, before any model."""

import io
import json
from pathlib import Path

import pytest

from qwen_tui.cli.ask_prompt import build_prompt
from qwen_tui.cli.main import main


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
