"""A machine without a model: download one, pause, go on, talk to it."""

import re
from pathlib import Path

import pytest

from qwen_tui.paths import demo_model
from tests.e2e.programs import assert_gone_within, leave, program, take_turn
from tests.e2e.terminal import Terminal, descendants
from tests.fake_hub import FakeHub, Fault

pytestmark = [pytest.mark.e2e, pytest.mark.torch]

WEIGHTS = "model.safetensors"
HOME_KEY = "\x1b[H"


def download_process(terminal: Terminal) -> int:
    for pid in descendants(terminal.process.pid):
        if b"qwen_tui.hub" in Path(f"/proc/{pid}/cmdline").read_bytes():
            return pid
    raise AssertionError("no download runs")


def offered_repo(terminal: Terminal) -> str:
    """Return the repo that the first run offers, once it knows this machine."""
    terminal.wait_for("This machine:")
    found = re.search(r"Download (Qwen/\S+) \(about", terminal.text())
    assert found is not None
    return found.group(1)


def test_the_first_run_downloads_a_model_and_talks_to_it(tmp_path: Path):
    size = (demo_model() / WEIGHTS).stat().st_size
    hold = Fault("hold", path=WEIGHTS, origin="cdn", after_bytes=size // 2)
    with (
        FakeHub() as hub,
        program(tmp_path, QWEN_TUI_DOWNLOADS_ENDPOINT=hub.url) as terminal,
    ):
        repo = offered_repo(terminal)
        name = re.escape(repo.removeprefix("Qwen/"))
        hub.add_repo(repo, demo_model())
        terminal.send(f"{HOME_KEY}\r")
        terminal.wait_for("Enter downloads it into the cache")
        hub.faults.append(hold)
        terminal.send("\r")
        terminal.wait_until(
            lambda: bool(re.search(r"fetching [1-9]\d%", terminal.text())),
            "a part of it",
        )
        process = download_process(terminal)
        terminal.send("p")
        terminal.wait_for("Paused. What is here is kept")
        assert_gone_within(process, 5)
        terminal.wait_until(
            lambda: bool(re.search(rf"{name} .* paused [1-9]\d%", terminal.text())),
            "its row",
        )
        hub.release.set()
        terminal.send("p")
        terminal.wait_for(f"{repo} is here. Enter loads it.")
        sent = hub.file_bytes(WEIGHTS)
        assert sent < size * 3 // 2
        terminal.wait_until(
            lambda: bool(re.search(rf"{name} .* ready", terminal.text())),
            "the model's row",
        )
        terminal.send("\r")
        terminal.wait_until(
            lambda: repo in terminal.text().splitlines()[0], "its name on top"
        )
        assert "Ada" in take_turn(terminal, "My name is Ada.")
        leave(terminal)


def test_a_hub_that_is_not_there_is_told_with_what_to_do(tmp_path: Path):
    with program(
        tmp_path, QWEN_TUI_DOWNLOADS_ENDPOINT="http://127.0.0.1:9"
    ) as terminal:
        terminal.wait_for("Try the small demo model")
        terminal.send(f"{HOME_KEY}\r")
        terminal.wait_for("Repo to download")
        terminal.wait_for("127.0.0.1:9 cannot be reached")
        leave(terminal)
