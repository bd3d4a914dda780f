"""The list of models: what it shows, what Enter, d, m, p and Esc do."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from qwen_tui.hub.jobs import DownloadEvent
from qwen_tui.settings import Settings
from qwen_tui.ui.screens.line_input import LineInput
from qwen_tui.ui.screens.models import ModelsScreen
from qwen_tui.wire import (
    Download,
    DownloadDone,
    DownloadFailed,
    DownloadPlan,
    DownloadProgress,
    DownloadRetry,
)
from tests.helpers import until
from tests.ui.model_hosts import (
    HostApp,
    settings_for,
    visible_text,
    write_cached_model,
    write_model,
)

MIB = 1024 * 1024


class FakeHub:
    """Downloads that tell what the test scripts and end when it says so."""

    def __init__(self, *events: DownloadEvent) -> None:
        self.events = events
        self.requests: list[Download] = []
        self.paused = 0
        self.go_on = asyncio.Event()

    async def run(self, request: Download) -> AsyncGenerator[DownloadEvent]:
        self.requests.append(request)
        try:
            for event in self.events:
                yield event
                if not isinstance(event, DownloadPlan | DownloadRetry):
                    await self.go_on.wait()
        except (GeneratorExit, asyncio.CancelledError):
            self.paused += 1
            raise


def half_way(*more: DownloadEvent) -> FakeHub:
    return FakeHub(
        DownloadPlan(1, files=3, total_bytes=200 * MIB, have_bytes=20 * MIB),
        DownloadProgress(
            1, done_bytes=100 * MIB, total_bytes=200 * MIB, bytes_per_s=10 * MIB
        ),
        *more,
    )


def screen_for(settings: Settings, hub: FakeHub | None = None, repo: str = ""):
    run = hub.run if hub else FakeHub().run
    log_dir = settings.hf_cache.parent / "log"
    return ModelsScreen(settings, log_dir=log_dir, download_repo=repo, run=run)


async def sees(pilot: Pilot[None], text: str) -> None:
    await until(
        lambda: text in visible_text(pilot.app), pause=lambda: pilot.pause(0.01)
    )


async def download(pilot: Pilot[None], repo: str) -> None:
    await sees(pilot, "demo")
    await pilot.press("d", *repo, "enter")


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)])
async def test_models_are_listed_with_size_and_state(
    tmp_path: Path, size: tuple[int, int]
):
    settings = settings_for(tmp_path)
    write_cached_model(settings, "Qwen/Good")
    write_cached_model(settings, "Qwen/Cut", cut=True)
    app = HostApp(screen_for(settings))
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "Qwen/Good")
        lines = visible_text(app).splitlines()
        good = next(line for line in lines if "Qwen/Good" in line)
        cut = next(line for line in lines if "Qwen/Cut" in line)
        assert "ready" in good
        assert "!" in cut
        assert "ready" not in cut
        assert any("demo" in line for line in lines)
        assert "Esc back" in lines[-1]
        assert "official" in lines[0]


async def test_enter_answers_with_the_model(tmp_path: Path):
    settings = settings_for(tmp_path)
    snapshot = write_cached_model(settings, "Qwen/Good")
    app = HostApp(screen_for(settings))
    async with app.run_test() as pilot:
        await sees(pilot, "Qwen/Good")
        await pilot.press("enter")
        await until(lambda: bool(app.results), pause=pilot.pause)
    (source,) = app.results
    assert source is not None
    assert (source.name, source.path) == ("Qwen/Good", str(snapshot))


async def test_enter_on_a_broken_model_tells_why_and_stays(tmp_path: Path):
    settings = settings_for(tmp_path)
    write_cached_model(settings, "Qwen/Cut", cut=True)
    app = HostApp(screen_for(settings))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Qwen/Cut")
        await pilot.press("home", "enter")
        await sees(pilot, "Qwen/Cut cannot be loaded")
        await sees(pilot, "d fetches what is missing")
        assert app.results == []
        await pilot.press("d")
        await sees(pilot, "Repo to download")
        assert app.screen.query_one("#download-input", LineInput).value == "Qwen/Cut"


async def test_escape_leaves_without_a_model(tmp_path: Path):
    app = HostApp(screen_for(settings_for(tmp_path)))
    async with app.run_test() as pilot:
        await sees(pilot, "demo")
        await pilot.press("escape")
        await until(lambda: app.results == [None], pause=pilot.pause)


async def test_a_download_shows_bytes_share_and_speed(tmp_path: Path):
    hub = half_way()
    app = HostApp(screen_for(settings_for(tmp_path), hub))
    async with app.run_test(size=(80, 24)) as pilot:
        await download(pilot, "Qwen/New")
        await sees(pilot, "Qwen/New  50%  100M/200M  10.0M/s  10 s left")
    (request,) = hub.requests
    assert request.endpoint == "https://huggingface.co"
    assert request.cache_dir == str(tmp_path / "hf" / "hub")


async def test_an_alias_of_the_catalogue_is_its_repo(tmp_path: Path):
    hub = half_way()
    app = HostApp(screen_for(settings_for(tmp_path), hub))
    async with app.run_test() as pilot:
        await download(pilot, "qwen3-0.6b")
        await until(lambda: bool(hub.requests), pause=pilot.pause)
    assert hub.requests[0].repo == "Qwen/Qwen3-0.6B"


async def test_the_mirror_is_asked_once_it_was_chosen(tmp_path: Path):
    hub = half_way()
    app = HostApp(screen_for(settings_for(tmp_path), hub))
    async with app.run_test() as pilot:
        await sees(pilot, "source: official")
        await pilot.press("m")
        await sees(pilot, "source: mirror")
        await download(pilot, "Qwen/New")
        await until(lambda: bool(hub.requests), pause=pilot.pause)
    assert hub.requests[0].endpoint == "https://hf-mirror.com"
    assert hub.requests[0].token == ""


@pytest.mark.parametrize("key", ["p", "escape"])
async def test_pause_ends_the_download_and_tells_how_it_goes_on(
    tmp_path: Path, key: str
):
    hub = half_way()
    app = HostApp(screen_for(settings_for(tmp_path), hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot, "Qwen/New")
        await sees(pilot, "50%")
        await pilot.press(key)
        await sees(pilot, "Paused. What is here is kept")
        await until(lambda: hub.paused == 1, pause=pilot.pause)
        assert app.results == []
        await pilot.press("p")
        await until(lambda: len(hub.requests) == 2, pause=pilot.pause)
    assert hub.requests[1].repo == "Qwen/New"


async def test_a_retry_shows_its_reason(tmp_path: Path):
    hub = FakeHub(
        DownloadRetry(1, file="model.safetensors", reason="connection reset", wait_s=4),
        DownloadProgress(1, done_bytes=0, total_bytes=1, bytes_per_s=0),
    )
    app = HostApp(screen_for(settings_for(tmp_path), hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot, "Qwen/New")
        await sees(pilot, "model.safetensors: connection reset. Trying again in 4 s.")


async def test_a_failure_is_told_with_its_hint_and_can_be_resumed(tmp_path: Path):
    hub = FakeHub(DownloadFailed(1, "unreachable", "No route to the hub.", "Try m."))
    app = HostApp(screen_for(settings_for(tmp_path), hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot, "Qwen/New")
        await sees(pilot, "No route to the hub.\n Try m.")
        hub.go_on.set()
        await pilot.press("p")
        await until(lambda: len(hub.requests) == 2, pause=pilot.pause)


async def test_a_finished_download_is_selected_in_the_list(tmp_path: Path):
    settings = settings_for(tmp_path)
    write_cached_model(settings, "Qwen/Another")
    hub = half_way()
    app = HostApp(screen_for(settings, hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot, "Qwen/New")
        await sees(pilot, "50%")
        snapshot = write_cached_model(settings, "Qwen/New")
        hub.events = (*hub.events, DownloadDone(1, str(snapshot)))
        await pilot.press("p", "p")
        hub.go_on.set()
        await sees(pilot, "Qwen/New is here. Enter loads it.")
        await sees(pilot, "Qwen/New  ")
        await pilot.press("enter")
        await until(lambda: bool(app.results), pause=pilot.pause)
    assert app.results[0] is not None
    assert app.results[0].name == "Qwen/New"


async def test_what_is_no_repo_id_is_refused_in_words(tmp_path: Path):
    hub = FakeHub()
    app = HostApp(screen_for(settings_for(tmp_path), hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot, "what?")
        await sees(pilot, '"what?" is no repo id')
    assert hub.requests == []


async def test_enter_does_not_leave_a_running_download(tmp_path: Path):
    app = HostApp(screen_for(settings_for(tmp_path), half_way()))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot, "Qwen/New")
        await sees(pilot, "50%")
        await pilot.press("enter")
        await sees(pilot, "A download is running. p pauses it")
        assert app.results == []


async def test_the_cache_folder_in_force_is_shown(tmp_path: Path):
    app = HostApp(screen_for(settings_for(tmp_path)))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Hugging Face cache:")
        tail = str(settings_for(tmp_path).hf_cache)[-30:]
        await sees(pilot, tail)


async def test_hostile_names_stay_text(tmp_path: Path):
    hub = FakeHub(DownloadFailed(1, "x", "bad [/red] \x1b[31mred\x9b\u202e", ""))
    folder = tmp_path / "models"
    settings = settings_for(tmp_path, **{"model.folders": [str(folder)]})
    write_model(folder / "evil[/b]\x1b]0;owned\x07")
    app = HostApp(screen_for(settings, hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "evil[/b]\u241b]0;owned\u2407")
        await download(pilot, "Qwen/New")
        await sees(pilot, "bad [/red] \u241b[31mred")
        assert not any(c in visible_text(app) for c in "\x1b\x07\x9b\u202e")
