"""`models info` of a .gguf file on this machine."""

import json
from pathlib import Path

import pytest

from qwen_tui.cli.main import main
from tests.models import smollm2_gguf


def test_info_of_a_gguf_tells_what_it_holds_and_takes_unpacked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = smollm2_gguf()
    assert main(["models", "info", str(file), "--context", "2048"]) == 0
    told = capsys.readouterr().out
    assert "98.4 MB, 134,515,008 weights packed as Q4_1" in told
    assert "269.0 MB: they are unpacked" in told
    assert "47.2 MB at 2,048 tokens" in told
    assert "in the file" in told
    assert main(["models", "info", str(file), "--json"]) == 0
    fields = json.loads(capsys.readouterr().out)
    assert (fields["architecture"], fields["context_length"]) == ("llama", 8192)
    assert fields["estimate"]["weights_bytes"] == 2 * fields["weights"]


def test_a_gguf_that_does_not_begin_as_one_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"not at all")
    assert main(["models", "info", str(file)]) == 1
    assert "is damaged" in capsys.readouterr().err
