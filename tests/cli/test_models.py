"""`models list` and `models download` against a hub on this machine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qwen_tui.cli.main import main
from tests.fake_hub import FakeHub, Fault
from tests.helpers import wait_until
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


def test_json_tells_plan_progress_and_path(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
):
    hub.add_repo(REPO, whole_model())
    assert main(download(hub, "--json")) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    total = sum(map(len, whole_model().values()))
    plan, done = events[0], events[-1]
    assert (plan["event"], plan["files"]) == ("plan", 2)
    assert (plan["total_bytes"], plan["have_bytes"]) == (total, 0)
    assert done["event"] == "done"
    assert same_as(Path(done["path"]), whole_model())
    progress = [event for event in events if event["event"] == "progress"]
    assert progress[-1]["done_bytes"] == progress[-1]["total_bytes"] == total
    assert "bytes_per_s" in progress[-1]


def test_hf_home_decides_where_it_goes(hub: FakeHub, tmp_path: Path):
    hub.add_repo(REPO, whole_model())
    other = tmp_path / "other"
    assert main(download(hub, "--hf-home", str(other))) == 0
    assert list((other / "hub").glob("models--owner--model/snapshots/*/config.json"))


def test_a_local_dir_holds_plain_files_and_is_a_model(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    hub.add_repo(REPO, whole_model())
    folder = tmp_path / "plain"
    assert main(download(hub, "--local-dir", str(folder))) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    assert same_as(folder, whole_model())
    assert not [file for file in folder.rglob("*") if file.is_symlink()]


def test_a_repo_that_is_not_there_is_one_line_and_one_event(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
):
    assert main(download(hub, "--json")) == 1
    out, err = capsys.readouterr()
    event = json.loads(out.splitlines()[-1])
    assert (event["event"], event["code"]) == ("error", "not_found")
    assert event["message"]
    assert event["hint"]
    assert err.count("\n") == 1


def test_ctrl_c_pauses_and_the_same_command_goes_on(hub: FakeHub, home: Path):
    content = bytes(range(256)) * 8192  # 2 MiB
    hub.add_repo(REPO, {"config.json": b"{}", BIG: content})
    hub.faults.append(Fault("hold", path=BIG, origin="cdn", after_bytes=1_500_000))
    command = [sys.executable, "-m", "qwen_tui", *download(hub)]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        folder = home / "hf" / "hub" / "models--owner--model" / "blobs"
        wait_until(lambda: _partial_bytes(folder) >= 1_000_000)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on from there" in err
    assert "Traceback" not in err
    hub.release.set()
    kept = _partial_bytes(folder)
    assert kept >= 1_000_000
    before = hub.file_bytes(BIG)
    again = subprocess.run(command, check=True, capture_output=True, text=True)
    snapshot = Path(again.stdout.strip())
    assert (snapshot / BIG).read_bytes() == content
    assert hub.file_bytes(BIG) - before == len(content) - kept


def _partial_bytes(folder: Path) -> int:
    return sum(f.stat().st_size for f in folder.glob("*.incomplete"))


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


def test_offline_a_download_says_why_it_does_nothing(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(download(hub)) == 1
    assert "HF_HUB_OFFLINE" in capsys.readouterr().err
    assert hub.requests() == []
