"""What `web` says before it serves, and what it hands on."""

import argparse
import socket
import sys
from pathlib import Path

import pytest

from qwen_tui.cli.main import main
from qwen_tui.cli.parser import build_parser
from qwen_tui.cli.web import start_arguments

OPTIONS = [
    *("--model=demo", "--server=http://gpu:8000", "--api-key-env=KEY", "--device=cpu"),
    *("--dtype=float32", "--context=1024", "--yarn=2.0", "--quantize=int8"),
    *("--kv-quantize=int8", "--trust-remote-code", "--resume=-shopping list"),
    *("--slow-link", "--hf-home=/h", "--endpoint=mirror", "--data-dir=/d"),
    *("--config=/c.toml", "--lang=zh"),
]


def parsed(arguments: list[str]) -> argparse.Namespace:
    return build_parser().parse_args(arguments)


def test_every_option_of_the_screen_reaches_the_program_of_a_page():
    wanted = parsed(OPTIONS)
    given = {name: value for name, value in vars(wanted).items() if name != "command"}
    assert [name for name, value in given.items() if value is None] == ["continue_"]
    assert parsed(start_arguments(parsed(["web", *OPTIONS]))) == wanted
    assert parsed(start_arguments(parsed([*OPTIONS, "web"]))) == wanted


def test_the_newest_conversation_can_be_asked_for():
    assert start_arguments(parsed(["web", "--continue"])) == ["--continue"]


def test_without_options_the_program_has_none():
    assert start_arguments(parsed(["web", "--port", "1234"])) == []


def test_missing_packages_are_told_with_the_command_that_installs_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "textual_serve", None)
    assert main(["web"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "pip install 'qwen-tui[web]'" in err


def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["web", "--port", port]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert port in err
    assert "--port" in err


@pytest.mark.parametrize("port", ["-1", "65536", "many"])
def test_a_port_that_cannot_be_is_wrong_usage(port: str):
    with pytest.raises(SystemExit) as exit_:
        main(["web", f"--port={port}"])
    assert exit_.value.code == 2


def test_a_wrong_model_is_told_before_a_page_is_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["web", "--model", str(tmp_path / "none")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "none" in err
