"""A model that cannot be: one clear line, status 1, no traceback, no engine."""

from collections.abc import Callable
from pathlib import Path

import pytest

from qwen_tui.cli.main import main
from tests.hub.models import sharded_model, whole_model, write_files


def nowhere(folder: Path) -> str:
    return str(folder / "nowhere")


def no_model(folder: Path) -> str:
    return str(write_files(folder / "photos", {"a.jpg": b"x"}))


def missing_shard(folder: Path) -> str:
    files = sharded_model()
    del files["model-00002-of-00002.safetensors"]
    return str(write_files(folder / "half", files))


def corrupt_safetensors(folder: Path) -> str:
    files = {**whole_model(), "model.safetensors": b"\xff" * 64}
    return str(write_files(folder / "corrupt", files))


def cut_safetensors(folder: Path) -> str:
    whole = whole_model()
    cut = {**whole, "model.safetensors": whole["model.safetensors"][:-4]}
    return str(write_files(folder / "cut", cut))


def no_gguf(folder: Path) -> str:
    return str(write_files(folder, {"a.gguf": b"not one"}) / "a.gguf")


def unknown_repo(folder: Path) -> str:
    return "Qwen/Qwen3-0.6B"


def escape_in_the_name(folder: Path) -> str:
    return str(folder / "a\x1b]0;owned\x07\nb")


CASES: list[tuple[Callable[[Path], str], str]] = [
    (nowhere, "nowhere"),
    (no_model, "photos"),
    (missing_shard, "model-00002-of-00002.safetensors"),
    (corrupt_safetensors, "model.safetensors"),
    (cut_safetensors, "model.safetensors"),
    (no_gguf, "a.gguf"),
    (unknown_repo, "qwen-tui models download Qwen/Qwen3-0.6B"),
    (escape_in_the_name, "owned"),
]


@pytest.mark.parametrize(
    ("make", "named"), CASES, ids=lambda c: getattr(c, "__name__", "")
)
@pytest.mark.parametrize("command", [["ask", "hi"], []], ids=["ask", "screen"])
def test_a_wrong_model_is_one_clear_line(
    make: Callable[[Path], str],
    named: str,
    command: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    assert main([*command, "--model", make(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert named in err
    assert err.startswith("qwen-tui: ")
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert "Traceback" not in err
