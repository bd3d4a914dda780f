"""Downloads on the models screen: asked, shown, paused, moved, cancelled, finished."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from qwen_tui.errors import HubError
from qwen_tui.ui.widgets.line_input import LineInput
from qwen_tui.wire import (
    DownloadDone,
    DownloadFailed,
    DownloadPlan,
    DownloadProgress,
    DownloadRetry,
    FileState,
)
from qwen_tui.wire_hub import RemoteFileInfo
from tests.helpers import until
from tests.ui.model_hosts import (
    MIB,
    FakeDownloads,
    FakeQueries,
    HostApp,
    desk_for,
    gone,
    half_way,
    remote_info,
    sees,
    settings_for,
    table_row,
    visible_text,
    write_cached_model,
)

REPO = "Own/New"


async def ask_for(pilot: Pilot[None], repo: str = REPO) -> None:
    """Name a repo and wait until it is told what that is."""
    await sees(pilot, "demo")
    await pilot.press("home", "d", *repo, "enter")
    await sees(pilot, "Enter downloads it into the cache")


async def download(pilot: Pilot[None], repo: str = REPO) -> None:
    await ask_for(pilot, repo)
    await pilot.press("enter")


async def test_nothing_is_fetched_before_it_was_told_how_much_that_is(tmp_path: Path):
    hub = half_way()
    app = HostApp(desk_for(tmp_path, downloads=hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await ask_for(pilot)
        for text in ("2 files, 200 MiB", "apache-2.0", "disk: 200 MiB", "KV at 32k"):
            await sees(pilot, text)
        assert hub.requests == []
        await pilot.press("enter")
        await until(lambda: bool(hub.requests), pause=pilot.pause)
    (request,) = hub.requests
    assert request.endpoint == "https://huggingface.co"
    assert request.cache_dir == str(tmp_path / "hf" / "hub")
    assert request.local_dir == ""


async def test_a_folder_can_be_chosen_for_plain_files(tmp_path: Path):
    hub = half_way()
    app = HostApp(desk_for(tmp_path, downloads=hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await ask_for(pilot)
        await pilot.press("f")
        await sees(pilot, "Folder for plain files")
        field = app.screen.query_one("#download-input", LineInput)
        assert field.value == "~/models/New"
        field.value = str(tmp_path / "plain")
        await pilot.press("enter")
        await until(lambda: bool(hub.requests), pause=pilot.pause)
    assert hub.requests[0].local_dir == str(tmp_path / "plain")


async def test_of_several_quantisations_one_is_offered_and_q_takes_the_next(
    tmp_path: Path,
):
    sizes = {"m-Q4_K_M.gguf": 50 * MIB, "m-Q8_0.gguf": 85 * MIB}
    files = tuple(
        RemoteFileInfo(path, size, wanted="Q4" in path) for path, size in sizes.items()
    )
    infos = {REPO: remote_info(REPO, files=files, wanted_bytes=50 * MIB)}
    hub = half_way()
    desk = desk_for(tmp_path, downloads=hub, queries=FakeQueries(infos=infos))
    app = HostApp(desk)
    async with app.run_test(size=(120, 36)) as pilot:
        await ask_for(pilot)
        await sees(pilot, "1 file, 50.0 MiB")
        await sees(pilot, "quantisation: Q4_K_M; q takes the next of Q4_K_M, Q8_0")
        await pilot.press("q")
        await sees(pilot, "quantisation: Q8_0;")
        await sees(pilot, "1 file, 85.0 MiB")
        await pilot.press("q")
        await sees(pilot, "quantisation: Q4_K_M;")
        await pilot.press("q")
        await sees(pilot, "quantisation: Q8_0;")
        await pilot.press("enter")
        await until(lambda: bool(hub.requests), pause=pilot.pause)
    assert hub.requests[0].gguf == "Q8_0"


async def test_an_alias_of_the_catalogue_is_its_repo(tmp_path: Path):
    hub = half_way()
    app = HostApp(desk_for(tmp_path, downloads=hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot, "qwen3-0.6b")
        await until(lambda: bool(hub.requests), pause=pilot.pause)
    assert hub.requests[0].repo == "Qwen/Qwen3-0.6B"


async def test_what_the_hub_refuses_is_told_and_can_be_corrected(tmp_path: Path):
    queries = FakeQueries(error=HubError("No such model.", hint="Check its name."))
    app = HostApp(desk_for(tmp_path, queries=queries))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "demo")
        await pilot.press("d", *"Own/Typo", "enter")
        await sees(pilot, "No such model.")
        await sees(pilot, "Check its name.")
        assert app.screen.query_one("#download-input", LineInput).value == "Own/Typo"
        queries.error = None
        await pilot.press("enter")
        await sees(pilot, "Enter downloads it into the cache")


async def test_what_is_no_repo_id_is_refused_in_words(tmp_path: Path):
    hub = FakeDownloads()
    app = HostApp(desk_for(tmp_path, downloads=hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "demo")
        await pilot.press("d", *"what?", "enter")
        await sees(pilot, '"what?" is no repo id')
    assert hub.requests == []


async def test_a_gated_model_says_what_to_do_before_the_download(tmp_path: Path):
    queries = FakeQueries(infos={REPO: remote_info(REPO, gated=True)})
    app = HostApp(desk_for(tmp_path, queries=queries))
    async with app.run_test(size=(120, 36)) as pilot:
        await ask_for(pilot)
        await sees(pilot, "hf auth login")


@pytest.mark.parametrize(
    ("size", "texts"),
    [
        (
            (120, 36),
            ["fetching 50% 10M/s", "100/200 MiB", "10.0 MiB/s  10 s left",
             "shard 1/1", "verified 1/2", "100M/200M"],
        ),
        ((80, 24), ["fetching 50% 10M/s", "100/200 MiB", "10 s left", "shard 1/1"]),
        ((40, 12), ["50%  10M/s  10 s left  100/200 MiB"]),
    ],
)  # fmt: skip
async def test_a_download_shows_bytes_share_speed_and_files(
    tmp_path: Path, size: tuple[int, int], texts: list[str]
):
    app = HostApp(desk_for(tmp_path, downloads=half_way()))
    async with app.run_test(size=size) as pilot:
        await download(pilot)
        for text in texts:
            await sees(pilot, text)


async def test_pause_keeps_it_and_p_goes_on(tmp_path: Path):
    hub = half_way()
    app = HostApp(desk_for(tmp_path, downloads=hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot)
        await sees(pilot, "fetching 50%")
        await pilot.press("p")
        await sees(pilot, "Paused. What is here is kept")
        await sees(pilot, "paused 50%")
        await until(lambda: hub.paused == 1, pause=pilot.pause)
        await pilot.press("p")
        await until(lambda: len(hub.requests) == 2, pause=pilot.pause)
        await sees(pilot, "fetching 50%")
    assert hub.requests[1].repo == REPO


async def test_a_download_goes_on_when_the_screen_is_left(tmp_path: Path):
    hub = half_way()
    desk = desk_for(tmp_path, downloads=hub)
    app = HostApp(desk)
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot)
        await sees(pilot, "fetching 50%")
        await pilot.press("escape")
        await until(lambda: app.results == [None], pause=pilot.pause)
        assert hub.paused == 0
        assert desk.queue.is_busy
    assert hub.paused == 1
    assert [job.state for job in desk.queue.jobs] == ["paused"]


async def test_a_second_download_waits_for_its_turn(tmp_path: Path):
    hub = half_way()
    app = HostApp(desk_for(tmp_path, downloads=hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot)
        await sees(pilot, "fetching 50%")
        await download(pilot, "Own/Second")
        await sees(pilot, "Own/Second is queued")
        assert "queued" in table_row(app, "Own/Second")
        await pilot.press("escape")
    assert len(hub.requests) == 1


async def test_a_running_download_moves_to_the_next_source(tmp_path: Path):
    hub = half_way()
    app = HostApp(desk_for(tmp_path, downloads=hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot)
        await sees(pilot, "fetching 50%")
        await pilot.press("m")
        await sees(pilot, "Source: mirror")
        await sees(pilot, "the download goes on from there")
        await until(lambda: len(hub.requests) == 2, pause=pilot.pause)
        await sees(pilot, "from mirror")
    assert hub.paused == 2
    assert hub.requests[1].endpoint == "https://hf-mirror.com"
    assert hub.requests[1].token == ""


async def test_a_paused_download_goes_on_from_the_source_in_force(tmp_path: Path):
    hub = half_way()
    app = HostApp(desk_for(tmp_path, downloads=hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot)
        await sees(pilot, "fetching 50%")
        await pilot.press("p")
        await sees(pilot, "paused 50%")
        await pilot.press("m")
        await sees(pilot, "Source: mirror")
        await pilot.press("p")
        await until(lambda: len(hub.requests) == 2, pause=pilot.pause)
    assert hub.requests[1].endpoint == "https://hf-mirror.com"


async def test_cancel_names_what_is_deleted_and_forgets_the_job(tmp_path: Path):
    etag = "a" * 64
    file = FileState("model.safetensors", 200 * MIB, 100 * MIB, etag=etag)
    hub = FakeDownloads(
        (
            DownloadPlan(1, 1, 200 * MIB, 100 * MIB, items=(file,)),
            DownloadProgress(1, 100 * MIB, 200 * MIB, 0),
        )
    )
    desk = desk_for(tmp_path, downloads=hub)
    app = HostApp(desk)
    blobs = tmp_path / "hf" / "hub" / "models--Own--New" / "blobs"
    blobs.mkdir(parents=True)
    partial = blobs / f"{etag}.incomplete"
    partial.write_bytes(bytes(2 * MIB))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot)
        await sees(pilot, "fetching 50%")
        await pilot.press("x")
        await sees(pilot, "Cancel the download of Own/New? 1 unfinished file (2.0 MiB)")
        await pilot.press("n")
        await gone(pilot, "Cancel the download")
        assert partial.exists()
        await pilot.press("x")
        await sees(pilot, "Cancel the download")
        await pilot.press("y")
        await sees(pilot, "The download of Own/New is cancelled.")
        await until(lambda: table_row(app, REPO) == "", pause=pilot.pause)
    assert not partial.exists()
    assert desk.queue.jobs == []


async def test_a_retry_shows_its_reason_and_is_counted(tmp_path: Path):
    hub = half_way()
    plan, progress = hub.events
    retry = DownloadRetry(1, "model.safetensors", "connection reset", 4)
    hub.events = (plan, retry, progress)
    app = HostApp(desk_for(tmp_path, downloads=hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot)
        await sees(pilot, "waiting")
        await sees(pilot, "connection reset")
        await sees(pilot, "1 retry")


async def test_a_failure_is_told_with_its_hint_and_can_be_resumed(tmp_path: Path):
    failed = DownloadFailed(1, "unreachable", "No route to the hub.", "Try m.")
    hub = FakeDownloads((failed,))
    app = HostApp(desk_for(tmp_path, downloads=hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot)
        await sees(pilot, "No route to the hub.  Try m.")
        assert "failed" in table_row(app, REPO)
        hub.go_on.set()
        await pilot.press("p")
        await until(lambda: len(hub.requests) == 2, pause=pilot.pause)


async def test_a_finished_download_is_loaded_by_one_key(tmp_path: Path):
    settings = settings_for(tmp_path)
    write_cached_model(settings, "Own/Another")
    hub = half_way()
    app = HostApp(desk_for(tmp_path, downloads=hub))
    async with app.run_test(size=(120, 36)) as pilot:
        await download(pilot)
        await sees(pilot, "fetching 50%")
        snapshot = write_cached_model(settings, REPO)
        hub.events = (*hub.events, DownloadDone(1, str(snapshot)))
        await pilot.press("p")
        await sees(pilot, "paused 50%")
        hub.go_on.set()
        await pilot.press("p")
        await sees(pilot, "Own/New is here. Enter loads it.")
        await until(lambda: "ready" in table_row(app, REPO), pause=pilot.pause)
        assert "Jobs:" not in visible_text(app)
        await pilot.press("enter")
        await until(lambda: bool(app.results), pause=pilot.pause)
    assert app.results[0] is not None
    assert app.results[0].name == REPO


async def test_hostile_words_of_a_hub_stay_text(tmp_path: Path):
    bad = "bad [/red] \x1b[31mred\x9b\u202e"
    hub = FakeDownloads((DownloadFailed(1, "x", bad, bad),))
    info = remote_info(REPO, license=bad, architecture=bad)
    app = HostApp(
        desk_for(tmp_path, downloads=hub, queries=FakeQueries(infos={REPO: info}))
    )
    async with app.run_test(size=(120, 36)) as pilot:
        await ask_for(pilot)
        await sees(pilot, "bad [/red] \u241b[31mred")
        await pilot.press("enter")
        await gone(pilot, "Enter downloads it")
        await sees(pilot, "bad [/red] \u241b[31mred")
        assert not any(c in visible_text(app) for c in "\x1b\x9b\u202e")
