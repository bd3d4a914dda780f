"""What `models list` prints, also of what `models download` brought."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from qwen_tui.cli.main import main
from tests.fake_hub import FakeHub
from tests.hub.models import same_as, whole_model, write_files

REPO = "owner/model"
BIG = "model.safetensors"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    for name in [n for n in os.environ if n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with FakeHub() as hub:
        yield hub


def download(hub: FakeHub, *more: str) -> list[str]:
    return ["models", "download", REPO, "--endpoint", hub.url, *more]


def test_a_download_ends_in_the_list(
    hub: FakeHub, home: Path, capsys: pytest.CaptureFixture[str]
):
    hub.add_repo(REPO, whole_model())
    assert main(download(hub)) == 0
    out, err = capsys.readouterr()
    folder = Path(out.strip())
    assert same_as(folder, whole_model())
    assert folder.is_relative_to(home / "hf" / "hub")
    assert "owner/model: 2 files" in err
    assert main(["models", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [REPO, "demo"]
    assert lines[0].endswith("ready")


def test_a_broken_model_is_listed_with_its_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    config = tmp_path / "config.toml"
    models = tmp_path / "models"
    write_files(models / "cut", {**whole_model(), BIG: whole_model()[BIG][:-3]})
    config.write_text(f'[model]\nfolders = ["{models}"]\n')
    assert main(["models", "list", "--json", "--config", str(config)]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    cut = next(model for model in listed if model["path"].endswith("cut"))
    assert cut["complete"] is False
    assert BIG in cut["reason"]
