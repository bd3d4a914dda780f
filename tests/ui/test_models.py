"""The table of models: what it shows, and what Enter, Esc and the list keys do."""

from pathlib import Path

import pytest

from qwen_tui.hub.catalog import load_catalog
from qwen_tui.i18n import set_language
from qwen_tui.ui.widgets.filter_bar import FilterBar
from tests.helpers import until
from tests.ui.model_hosts import (
    HostApp,
    desk_for,
    gone,
    offline_settings,
    sees,
    settings_for,
    table,
    table_row,
    visible_text,
    write_cached_model,
    write_model,
)

SIZES = [(120, 36), (80, 24), (40, 12)]


@pytest.fixture
def chinese():
    set_language("zh")
    yield
    set_language("en")


@pytest.mark.parametrize("size", SIZES)
async def test_models_are_listed_with_size_and_state(
    tmp_path: Path, size: tuple[int, int]
):
    settings = settings_for(tmp_path)
    write_cached_model(settings, "Own/Good")
    write_cached_model(settings, "Own/Cut", cut=True)
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "Own/Good")
        assert "ready" in table_row(app, "Own/Good")
        cut = table_row(app, "Own/Cut")
        assert cut.strip().startswith("!")
        assert "incomplete" in cut
        assert "demo" in visible_text(app)
        assert "Esc back" in visible_text(app).splitlines()[-1]


@pytest.mark.parametrize("size", SIZES)
async def test_no_line_is_wider_than_the_screen_in_chinese(
    tmp_path: Path, chinese: None, size: tuple[int, int]
):
    settings = settings_for(tmp_path)
    write_cached_model(settings, "Own/Good")
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "就绪")
        await sees(pilot, "未下载")
        assert "Enter 加载" in visible_text(app).splitlines()[-1]


async def test_a_table_beside_the_pane_of_100_columns_still_tells_the_fit(
    tmp_path: Path,
):
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(100, 30)) as pilot:
        await sees(pilot, "KV at")
        await until(lambda: "fits" in table_row(app, "Qwen3-0.6B "), pause=pilot.pause)
        assert "remote" in table_row(app, "Qwen3-0.6B ")


async def test_the_catalogue_is_shown_beside_what_is_here(tmp_path: Path):
    settings = settings_for(tmp_path)
    write_cached_model(settings, "Qwen/Qwen3-8B")
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 60)) as pilot:
        await sees(pilot, "ready")
        await sees(pilot, "Qwen3-14B ")
        assert "ready" in table_row(app, "Qwen3-8B ")
        assert "remote" in table_row(app, "Qwen3-14B ")
        keys = [row.key for row in table(app).rows]
        assert keys.count("Qwen/Qwen3-8B") == 1
        assert {entry.repo for entry in load_catalog().values()} <= {*keys}


async def test_the_detail_tells_memory_with_numbers(tmp_path: Path):
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Qwen3-0.6B ")
        await pilot.press(*"/qwen3-0.6b", "enter")
        await sees(pilot, "KV at 32k")
        for text in ("weights", "1.4 GiB", "3.5 GiB", "overhead", "needed"):
            await sees(pilot, text)
        await pilot.press("minus")
        await sees(pilot, "KV at 16k")
        await sees(pilot, "1.8 GiB")


async def test_enter_answers_with_the_model(tmp_path: Path):
    snapshot = write_cached_model(settings_for(tmp_path), "Own/Good")
    app = HostApp(desk_for(tmp_path))
    async with app.run_test() as pilot:
        await sees(pilot, "Own/Good")
        await pilot.press("enter")
        await until(lambda: bool(app.results), pause=pilot.pause)
    (source,) = app.results
    assert source is not None
    assert (source.name, source.path) == ("Own/Good", str(snapshot))


async def test_enter_on_a_broken_model_tells_why_and_stays(tmp_path: Path):
    write_cached_model(settings_for(tmp_path), "Own/Cut", cut=True)
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Own/Cut")
        await pilot.press(*"/cut", "enter", "enter")
        await sees(pilot, "Own/Cut cannot be loaded")
        await sees(pilot, "d fetches what is missing")
        assert app.results == []
        await pilot.press("d")
        await sees(pilot, "Enter downloads it into the cache")
        await sees(pilot, "Own/Cut")


async def test_escape_leaves_without_a_model(tmp_path: Path):
    app = HostApp(desk_for(tmp_path))
    async with app.run_test() as pilot:
        await sees(pilot, "demo")
        await pilot.press("escape")
        await until(lambda: app.results == [None], pause=pilot.pause)


async def test_the_filter_narrows_while_one_types_and_escape_takes_it_back(
    tmp_path: Path,
):
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Qwen3-14B ")
        await pilot.press(*"/0.6b")
        await gone(pilot, "Qwen3-14B ")
        await sees(pilot, "Qwen3-0.6B-FP8")
        await pilot.press("enter", "escape")
        await sees(pilot, "Qwen3-14B ")
        assert app.results == []


async def test_the_filter_shows_on_a_low_terminal_only_while_it_is_used(
    tmp_path: Path,
):
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(40, 12)) as pilot:
        await sees(pilot, "demo")
        assert "Filter:" not in visible_text(app)
        await pilot.press("slash")
        await sees(pilot, "Filter:")
        await until(
            lambda: app.screen.query_one("#filter-input").has_focus, pause=pilot.pause
        )
        await pilot.press(*"demo", "enter")
        assert app.screen.query_one(FilterBar).text == "demo"
        await pilot.press("escape")
        await gone(pilot, "Filter:")


async def test_tabs_show_what_is_local_and_what_fits(tmp_path: Path):
    write_cached_model(settings_for(tmp_path), "Own/Good")
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Own/Good")
        await pilot.press("right")
        await sees(pilot, "[Local]")
        await gone(pilot, "remote")
        await sees(pilot, "Own/Good")
        await pilot.press("t")
        await sees(pilot, "[Fits]")
        await gone(pilot, "too big")
        await pilot.press("left", "left")
        await sees(pilot, "[All]")


async def test_s_sorts_by_the_next_column_and_the_cursor_stays(tmp_path: Path):
    write_cached_model(settings_for(tmp_path), "Own/Zebra")
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Own/Zebra")
        await sees(pilot, "State v")
        assert table(app).key == "Own/Zebra"
        await pilot.press("s")
        await sees(pilot, "Model v")
        names = [row.name.lower() for row in table(app).rows]
        assert names == sorted(names)
        assert table(app).key == "Own/Zebra"


async def test_copying_sends_the_id_to_the_terminal(tmp_path: Path):
    write_cached_model(settings_for(tmp_path), "Own/Good")
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Own/Good")
        await pilot.press("y")
        await sees(pilot, "Sent to your terminal's clipboard")
    assert app.clipboard == "Own/Good"


async def test_the_keys_are_told_by_f1(tmp_path: Path):
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "demo")
        await pilot.press("f1")
        await sees(pilot, "cancel a download; delete a model")
        await pilot.press("escape")
        await gone(pilot, "cancel a download; delete a model")
        assert app.results == []


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_inspecting_shows_everything_on_a_small_terminal(
    tmp_path: Path, size: tuple[int, int]
):
    write_cached_model(settings_for(tmp_path), "Own/Good")
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "Own/Good")
        await pilot.press("i")
        await sees(pilot, "revision  main @ aaaaaaaa")
        await pilot.press("escape")
        await gone(pilot, "revision  main")
        assert app.results == []


async def test_the_folder_in_force_and_who_set_it_are_shown(tmp_path: Path):
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(200, 36)) as pilot:
        await sees(pilot, "Source: official")
        await sees(pilot, f"HF_HOME: {tmp_path / 'hf'} (HF_HOME)")


async def test_without_network_everything_local_works_and_the_rest_says_so(
    tmp_path: Path,
):
    settings = offline_settings(tmp_path)
    write_cached_model(settings, "Own/Good")
    desk = desk_for(tmp_path, settings=settings)
    app = HostApp(desk)
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "offline")
        await sees(pilot, "Own/Good")
        for key in "gbd":
            await pilot.press(key)
            await sees(pilot, "HF_HUB_OFFLINE is set")
        await pilot.press("enter")
        await until(lambda: bool(app.results), pause=pilot.pause)


async def test_hostile_names_stay_text(tmp_path: Path):
    folder = tmp_path / "models"
    settings = settings_for(tmp_path, **{"model.folders": [str(folder)]})
    write_model(folder / "evil[/b]\x1b]0;owned\x07\u202e")
    app = HostApp(desk_for(tmp_path, settings=settings))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "evil[/b]\u241b]0;owned\u2407")
        await pilot.press(*"/evil", "enter")
        assert not any(c in visible_text(app) for c in "\x1b\x07\x9b\u202e")
