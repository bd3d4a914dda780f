"""The first start: three ways to a model."""

from pathlib import Path

import pytest

from qwen_tui.hub.catalog import load_catalog
from qwen_tui.hub.machine import Gpu, Machine
from qwen_tui.paths import demo_model
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.screens.first_run import FirstRunScreen
from qwen_tui.ui.screens.first_run_choice import recommend
from qwen_tui.ui.widgets.line_input import LineInput
from qwen_tui.wire_hub import ProbeResult
from tests.helpers import until
from tests.ui.model_hosts import (
    MIB,
    FakeQueries,
    HostApp,
    desk_for,
    half_way,
    offline_settings,
    sees,
    settings_for,
    visible_text,
    write_model,
)

GIB = 1024 * MIB
OFFICIAL = "https://huggingface.co"
MIRROR = "https://hf-mirror.com"


def host(desk: ModelDesk) -> HostApp:
    return HostApp(desk, FirstRunScreen(desk))


def gpu(free_gib: int) -> Machine:
    card = Gpu(0, "H100", 80 * GIB, free_gib * GIB, 0)
    return Machine((card,), 64 * GIB, 60 * GIB)


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12), (30, 8)])
async def test_the_three_ways_fit_every_size(tmp_path: Path, size: tuple[int, int]):
    app = host(desk_for(tmp_path))
    async with app.run_test(size=size) as pilot:
        for text in ("Download", "Open a folder", "Try the small demo"):
            await sees(pilot, text)


async def test_enter_takes_the_demo(tmp_path: Path):
    app = host(desk_for(tmp_path))
    async with app.run_test() as pilot:
        await sees(pilot, "Try the small demo")
        await pilot.press("enter")
        await until(lambda: bool(app.results), pause=pilot.pause)
    assert app.results[0] is not None
    assert app.results[0].path == str(demo_model())


async def test_a_folder_that_is_a_model_is_opened(tmp_path: Path):
    folder = write_model(tmp_path / "my-model")
    app = host(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Open a folder")
        await pilot.press("up", "enter")
        await sees(pilot, "A folder with a model")
        app.screen.query_one(LineInput).value = str(folder)
        await pilot.press("enter")
        await until(lambda: bool(app.results), pause=pilot.pause)
    assert app.results[0] is not None
    assert app.results[0].path == str(folder)


async def test_a_wrong_path_is_told_and_can_be_corrected(tmp_path: Path):
    app = host(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Open a folder")
        await pilot.press("up", "enter")
        app.screen.query_one(LineInput).value = str(tmp_path / "nothing")
        await pilot.press("enter")
        await sees(pilot, "There is no")
        assert app.results == []
        assert app.focused is app.screen.query_one("#first-run-input")


async def test_download_tells_first_how_much_it_is(tmp_path: Path):
    downloads = half_way()
    app = host(desk_for(tmp_path, downloads=downloads))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "This machine:")
        await sees(pilot, "Download Qwen/Qwen3-")
        await pilot.press("home", "enter")
        await sees(pilot, "Enter downloads it into the cache")
        await sees(pilot, "2 files, 200 MiB")
        assert downloads.requests == []
        await pilot.press("escape", "escape")
        await sees(pilot, "Try the small demo")
        assert app.results == []


@pytest.mark.parametrize(
    ("machine", "disk_gib", "alias"),
    [
        (None, None, "qwen3-0.6b"),
        (gpu(79), 400, "qwen3-30b-a3b"),
        (gpu(79), 30, "qwen3-14b"),
        (gpu(22), 400, "qwen3-8b"),
        (gpu(7), 400, "qwen3-1.7b"),
        (Machine((), 64 * GIB, 60 * GIB), 400, "qwen3-1.7b"),
        (Machine((), 8 * GIB, 6 * GIB), 400, "qwen3-0.6b"),
    ],
)
def test_what_is_offered_fits_the_machine(
    machine: Machine | None, disk_gib: int | None, alias: str
):
    disk = None if disk_gib is None else disk_gib * GIB
    choice = recommend(machine, disk)
    assert choice.entry == load_catalog()[alias]
    assert choice.fits


def test_a_machine_too_small_for_anything_is_told_so():
    choice = recommend(Machine((), 2 * GIB, GIB), 400 * GIB)
    assert choice.entry.alias == "qwen3-0.6b"
    assert not choice.fits


async def test_the_fastest_source_of_the_race_is_offered(tmp_path: Path):
    queries = FakeQueries(
        probes=[
            ProbeResult(
                OFFICIAL, reachable=False, code="unreachable", message="no way"
            ),
            ProbeResult(
                MIRROR,
                reachable=True,
                latency_s=0.12,
                hosts=("hf-mirror.com", "cdn.example"),
                bytes_per_s=30 * MIB,
            ),
        ]
    )
    desk = desk_for(tmp_path, queries=queries)
    app = host(desk)
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "no way")
        await sees(pilot, "120 ms")
        await sees(pilot, "30.0 MiB/s")
        await sees(pilot, "hf-mirror.com > cdn.example")
        await sees(pilot, "source: mirror)")
    assert desk.source == "mirror"
    assert not (tmp_path / "config.toml").exists()


async def test_a_source_that_was_chosen_stays_and_no_other_is_asked(tmp_path: Path):
    settings = settings_for(tmp_path, **{"downloads.endpoint": MIRROR})
    queries = FakeQueries()
    desk = desk_for(tmp_path, settings=settings, queries=queries)
    async with host(desk).run_test(size=(120, 36)) as pilot:
        await sees(pilot, f"source: {MIRROR})")
        await until(lambda: bool(queries.asked), pause=pilot.pause)
    assert queries.asked == [("probe", MIRROR)]
    assert desk.source == MIRROR


async def test_m_takes_the_other_source(tmp_path: Path):
    app = host(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "source: official)")
        await pilot.press("m")
        await sees(pilot, "source: mirror)")


async def test_without_network_no_source_is_asked(tmp_path: Path):
    settings = offline_settings(tmp_path)
    queries = FakeQueries()
    app = host(desk_for(tmp_path, settings=settings, queries=queries))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "HF_HUB_OFFLINE is set: nothing can be downloaded.")
        assert queries.asked == []


async def test_escape_means_later(tmp_path: Path):
    app = host(desk_for(tmp_path))
    async with app.run_test() as pilot:
        await sees(pilot, "Open a folder")
        await pilot.press("up", "enter", "escape")
        assert app.results == []
        await pilot.press("escape")
        await until(lambda: app.results == [None], pause=pilot.pause)


async def test_what_is_pasted_into_the_path_holds_nothing_hidden(tmp_path: Path):
    app = host(desk_for(tmp_path))
    async with app.run_test() as pilot:
        await sees(pilot, "Open a folder")
        await pilot.press("up", "enter")
        field = app.screen.query_one("#first-run-input", LineInput)
        field.replace("/mo\x1bdels\u202e\u200b", 0, 0)
        assert field.value == "/mo\u241bdels\ufffd"
        assert "\x1b" not in visible_text(app)
