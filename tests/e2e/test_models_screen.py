"""The models screen in a real terminal: from the search to the deletion."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from qwen_tui.paths import demo_model
from tests.e2e.programs import (
    CTRL_Q,
    engine_of,
    leave,
    program,
    take_turn,
    wait_for_model,
)
from tests.e2e.terminal import Terminal
from tests.fake_hub import FakeHub, Fault

pytestmark = [pytest.mark.e2e, pytest.mark.torch]

REPO = "Own/Small-Model"
WEIGHTS = "model.safetensors"
CTRL_O, ESCAPE = "\x0f", "\x1b"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    """A hub with one model that talks."""
    with FakeHub() as hub:
        card = {"downloads": 4321, "tags": ["license:apache-2.0"]}
        hub.add_repo(REPO, demo_model(), info=card)
        yield hub


def start(home: Path, hub: FakeHub, *, rows: int = 36) -> Terminal:
    return program(
        home, "--model", "demo", rows=rows, QWEN_TUI_DOWNLOADS_ENDPOINT=hub.url
    )


def open_models(terminal: Terminal) -> None:
    wait_for_model(terminal)
    terminal.send(CTRL_O)
    see(terminal, "Qwen3-0.6B .* (remote|fits)")


def see(terminal: Terminal, pattern: str) -> None:
    """Wait until some line of the screen matches."""
    terminal.wait_until(
        lambda: re.search(pattern, terminal.text()) is not None, pattern
    )


def search(terminal: Terminal) -> None:
    terminal.send("g")
    terminal.wait_for("Search http")
    terminal.send("small\r")
    terminal.wait_for("1 model was found.")


def quit_while_downloading(terminal: Terminal) -> None:
    terminal.send(CTRL_Q)
    terminal.wait_for("A download is running; it is paused")
    terminal.send("y")
    assert terminal.wait_exit() == 0
    terminal.assert_restored()


def test_search_inspect_download_pause_quit_resume_verify_delete(
    tmp_path: Path, hub: FakeHub
):
    size = (demo_model() / WEIGHTS).stat().st_size
    hold = Fault("hold", path=WEIGHTS, origin="cdn", after_bytes=size // 4, times=2)
    with start(tmp_path, hub) as terminal:
        open_models(terminal)
        search(terminal)
        see(terminal, rf"{REPO} .* 4K .* remote")
        terminal.send("i")
        for text in ("apache-2.0", "qwen3 4L", "tokenizer.json", "needed"):
            terminal.wait_for(text)
        terminal.send(ESCAPE)
        terminal.wait_for("[Found]")
        hub.faults.append(hold)
        terminal.send("d")
        terminal.wait_for("Enter downloads it into the cache")
        terminal.send("\r")
        see(terminal, r"fetching [1-9]\d%")
        terminal.send("p")
        see(terminal, r"paused [1-9]\d%")
        terminal.send("p")
        see(terminal, r"fetching [1-9]\d%")
        quit_while_downloading(terminal)
    hub.release.set()
    with start(tmp_path, hub) as terminal:
        wait_for_model(terminal)
        terminal.wait_for("paused download")
        open_models(terminal)
        see(terminal, rf"{REPO} .* paused [1-9]\d%")
        terminal.send("p")
        terminal.wait_for(f"{REPO} is here. Enter loads it.")
        assert hub.file_bytes(WEIGHTS) < size * 3 // 2
        terminal.send("v")
        terminal.wait_for("5 files are what they should be")
        see(terminal, rf"{REPO} .* ready")
        terminal.send("x")
        terminal.wait_for(f"Delete {REPO}? It frees 1.8 MiB.")
        terminal.send("y")
        terminal.wait_for(f"{REPO} is deleted")
        terminal.wait_until(lambda: not see_row(terminal), "no row of it")
        leave(terminal)
    assert not list((tmp_path / "cache" / "huggingface" / "hub").glob("models--*"))


def see_row(terminal: Terminal) -> bool:
    return re.search(rf"{REPO} .* (ready|incomplete)", terminal.text()) is not None


def test_a_model_in_use_is_kept_and_a_damaged_one_is_repaired_and_talks(
    tmp_path: Path, hub: FakeHub
):
    with start(tmp_path, hub, rows=24) as terminal:
        open_models(terminal)
        terminal.send("d")
        terminal.wait_for("Repo to download")
        terminal.send(f"{REPO}\r")
        terminal.wait_for("Enter downloads it into the cache")
        terminal.send("\r")
        terminal.wait_for(f"{REPO} is here. Enter loads it.")
        blob = damaged_weights(tmp_path)
        terminal.send("v")
        terminal.wait_for("fetch it again?")
        before = hub.file_bytes("")
        terminal.send("y")
        terminal.wait_for(f"{REPO} is here. Enter loads it.")
        small = 100_000  # the API's answers alone
        assert hub.file_bytes("") - before < blob.stat().st_size + small
        terminal.send("\r")
        terminal.wait_until(
            lambda: REPO in terminal.text().splitlines()[0], "its name on top"
        )
        assert "Ada" in take_turn(terminal, "My name is Ada.")
        assert engine_of(terminal)
        open_models(terminal)
        see(terminal, rf"\* {REPO} .* in use")
        terminal.send("x")
        terminal.wait_for(f"Delete {REPO}?")
        terminal.send("y")
        terminal.wait_for(f"{REPO} is in use.")
        leave(terminal)
    assert blob.exists()


def damaged_weights(home: Path) -> Path:
    """Flip a bit of the downloaded weights; return their blob."""
    hub_cache = home / "cache" / "huggingface" / "hub"
    (link,) = hub_cache.glob(f"models--Own--Small-Model/snapshots/*/{WEIGHTS}")
    blob = link.resolve()
    content = bytearray(blob.read_bytes())
    content[len(content) // 2] ^= 1
    blob.write_bytes(content)
    return blob


def test_a_running_download_moves_to_another_hub_without_losing_a_byte(
    tmp_path: Path, hub: FakeHub
):
    size = (demo_model() / WEIGHTS).stat().st_size
    hub.faults.append(
        Fault("hold", path=WEIGHTS, origin="cdn", after_bytes=size // 2, times=-1)
    )
    with FakeHub() as other, start(tmp_path, hub) as terminal:
        other.add_repo(REPO, demo_model())
        open_models(terminal)
        terminal.send("d")
        terminal.wait_for("Repo to download")
        terminal.send(f"{REPO}\r")
        terminal.wait_for("Enter downloads it into the cache")
        terminal.send("\r")
        see(terminal, r"fetching [1-9]\d%")
        terminal.send("u")
        terminal.wait_for("Address of a hub or mirror:")
        terminal.send("\x15")  # clears the line
        terminal.wait_gone(hub.url.removeprefix("http://") + "\n Filter")
        terminal.send(f"{other.url}\r")
        terminal.wait_for("the download goes on from there")
        terminal.wait_for(f"{REPO} is here. Enter loads it.")
        sent = other.file_bytes(WEIGHTS)
        first = other.requests(WEIGHTS, "cdn")[0].first_byte
        assert first > 0
        assert sent == size - first
        leave(terminal)
