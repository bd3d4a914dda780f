"""`models download` in a real terminal: the bar, Ctrl+C, kill -9, and go on."""

import json
import os
import re
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qwen_tui.cli.cells import cell_width
from qwen_tui.hub.layout import look
from tests.e2e.terminal import Terminal, descendants, is_alive, plain_environment
from tests.fake_hub import FakeHub
from tests.helpers import wait_until

pytestmark = pytest.mark.e2e

REPO = "owner/model"
BIG = "model.safetensors"
CONTENT = bytes(range(256)) * 16_384  # 4 MiB
STEP_BYTES = 256 * 1024
CTRL_C = "\x03"
_AMOUNT = re.compile(r"\d+\.\d( kB| MB)?( of |/| / )4\.2 MB")


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        hub.add_repo(REPO, {"config.json": b"{}", BIG: CONTENT})
        hub.bytes_per_s = 1_000_000
        yield hub


def download(
    home: Path, hub: FakeHub, *more: str, columns: int = 80, rows: int = 24
) -> Terminal:
    arguments = ["models", "download", REPO, "--endpoint", hub.url, *more]
    return start(home, arguments, columns=columns, rows=rows)


def start(home: Path, arguments: list[str], *, columns: int, rows: int) -> Terminal:
    return Terminal(
        [sys.executable, "-m", "qwen_tui", *arguments],
        env=plain_environment(home),
        columns=columns,
        rows=rows,
    )


def bar(terminal: Terminal) -> str:
    """The line that shows how far it is; empty before the first one."""
    return next((x for x in terminal.text().splitlines() if "%" in x), "")


def wait_for_numbers(terminal: Terminal, unit: str = "/s") -> str:
    """Wait for a bar with bytes and a speed; return it."""
    terminal.wait_until(
        lambda: bool(_AMOUNT.search(bar(terminal))) and unit in bar(terminal),
        "a bar with numbers",
    )
    return bar(terminal)


def partial_bytes(home: Path) -> int:
    found = [look(file) for file in home.rglob("*.incomplete")]
    return max((stat.size_bytes for stat in found if stat), default=0)


@pytest.mark.parametrize(("columns", "rows"), [(120, 36), (80, 24), (40, 12)])
def test_the_bar_fits_and_ctrl_c_tells_how_to_go_on(
    tmp_path: Path, hub: FakeHub, columns: int, rows: int
) -> None:
    with download(tmp_path, hub, columns=columns, rows=rows) as terminal:
        line = wait_for_numbers(terminal)
        assert line.startswith("[")
        assert cell_width(line) < columns
        terminal.send(CTRL_C)
        terminal.wait_for("Paused.")
        assert terminal.wait_exit() == 130
        assert bar(terminal) == ""
        kept = partial_bytes(tmp_path)
        assert 0 < kept < len(CONTENT)
        shown = "".join(terminal.text().splitlines())  # a long command wraps
    command = shown[shown.index("qwen-tui models download") :]
    hub.bytes_per_s = 0
    with start(tmp_path, shlex.split(command)[1:], columns=columns, rows=rows) as again:
        assert again.wait_exit() == 0
        again.wait_for("snapshots")
        assert bar(again) == ""
    assert [s.first_byte for s in hub.requests(BIG, "cdn")] == [0, kept]


def test_the_bar_speaks_chinese_and_counts_its_cells(
    tmp_path: Path, hub: FakeHub
) -> None:
    with download(tmp_path, hub, "--lang", "zh", columns=60) as terminal:
        line = wait_for_numbers(terminal, "/秒")
        assert "剩余" in line
        assert cell_width(line) <= 57
        terminal.send(CTRL_C)
        terminal.wait_for("已暂停")
        assert terminal.wait_exit() == 130


def test_the_bar_follows_the_window(tmp_path: Path, hub: FakeHub) -> None:
    hub.bytes_per_s = 300_000
    with download(tmp_path, hub, columns=120, rows=36) as terminal:
        wide = wait_for_numbers(terminal)
        terminal.resize(40, 12)
        terminal.wait_until(
            lambda: 0 < cell_width(bar(terminal)) < 40 and "/4.2 MB" in bar(terminal),
            "a narrow bar",
        )
        terminal.resize(120, 36)
        terminal.wait_until(
            lambda: cell_width(bar(terminal)) > cell_width(wide) - 10, "a wide bar"
        )
        terminal.send(CTRL_C)
        assert terminal.wait_exit() == 130


def test_a_window_that_is_closed_pauses_the_job(tmp_path: Path, hub: FakeHub) -> None:
    with download(tmp_path, hub) as terminal:
        wait_for_numbers(terminal)
        (child,) = descendants(terminal.process.pid)
        terminal.hang_up()
        assert terminal.process.wait(60) != 0
        wait_until(lambda: not is_alive(child))
    file = tmp_path / "data" / "qwen-tui" / "downloads.json"
    (entry,) = json.loads(file.read_text())["jobs"]
    assert (entry["job"]["state"], entry["owner"]) == ("paused", None)


def test_a_killed_command_takes_its_process_along_and_loses_little(
    tmp_path: Path, hub: FakeHub
) -> None:
    with download(tmp_path, hub) as terminal:
        wait_for_numbers(terminal)
        wait_until(lambda: partial_bytes(tmp_path) > 500_000)
        (child,) = descendants(terminal.process.pid)
        os.kill(terminal.process.pid, signal.SIGKILL)
        terminal.process.wait()
        wait_until(lambda: not is_alive(child))
    kept = partial_bytes(tmp_path)
    hub.bytes_per_s = 0
    with download(tmp_path, hub) as again:
        assert again.wait_exit() == 0
    assert [s.first_byte for s in hub.requests(BIG, "cdn")] == [0, kept]
    assert hub.file_bytes(BIG) - len(CONTENT) <= STEP_BYTES
