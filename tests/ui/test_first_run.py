"""The first start: three ways to a model."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from qwen_tui.paths import demo_model
from qwen_tui.settings import Settings
from qwen_tui.ui.screens.first_run import FirstRunScreen
from qwen_tui.ui.screens.line_input import LineInput
from tests.helpers import until
from tests.ui.model_hosts import HostApp, settings_for, visible_text, write_model


def screen_for(settings: Settings) -> FirstRunScreen:
    return FirstRunScreen(settings, log_dir=settings.hf_cache.parent / "log")


async def sees(pilot: Pilot[None], text: str) -> None:
    await until(
        lambda: text in visible_text(pilot.app), pause=lambda: pilot.pause(0.01)
    )


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12), (30, 8)])
async def test_the_three_ways_fit_every_size(tmp_path: Path, size: tuple[int, int]):
    app = HostApp(screen_for(settings_for(tmp_path)))
    async with app.run_test(size=size) as pilot:
        for text in ("Download", "Open a folder", "Try the small demo", "Esc later"):
            await sees(pilot, text)


async def test_enter_takes_the_demo(tmp_path: Path):
    app = HostApp(screen_for(settings_for(tmp_path)))
    async with app.run_test() as pilot:
        await sees(pilot, "Try the small demo")
        await pilot.press("enter")
        await until(lambda: bool(app.results), pause=pilot.pause)
    assert app.results[0] is not None
    assert app.results[0].path == str(demo_model())


async def test_a_folder_that_is_a_model_is_opened(tmp_path: Path):
    folder = write_model(tmp_path / "my-model")
    app = HostApp(screen_for(settings_for(tmp_path)))
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
    app = HostApp(screen_for(settings_for(tmp_path)))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Open a folder")
        await pilot.press("up", "enter")
        app.screen.query_one(LineInput).value = str(tmp_path / "nothing")
        await pilot.press("enter")
        await sees(pilot, "There is no")
        assert app.results == []
        assert app.focused is app.screen.query_one("#first-run-input")


async def test_download_leads_to_the_download_line_with_a_recommendation(
    tmp_path: Path,
):
    app = HostApp(screen_for(settings_for(tmp_path)))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Download Qwen/Qwen3-0.6B")
        await pilot.press("home", "enter")
        await sees(pilot, "Repo to download, such as Qwen/Qwen3-0.6B, from official:")
        assert (
            app.screen.query_one("#download-input", LineInput).value
            == "Qwen/Qwen3-0.6B"
        )
        await pilot.press("escape", "escape")
        await sees(pilot, "Try the small demo")
        assert app.results == []


async def test_escape_means_later(tmp_path: Path):
    app = HostApp(screen_for(settings_for(tmp_path)))
    async with app.run_test() as pilot:
        await sees(pilot, "Open a folder")
        await pilot.press("up", "enter", "escape")
        assert app.results == []
        await pilot.press("escape")
        await until(lambda: app.results == [None], pause=pilot.pause)


async def test_what_is_pasted_into_the_path_holds_nothing_hidden(tmp_path: Path):
    app = HostApp(screen_for(settings_for(tmp_path)))
    async with app.run_test() as pilot:
        await sees(pilot, "Open a folder")
        await pilot.press("up", "enter")
        field = app.screen.query_one("#first-run-input", LineInput)
        field.replace("/mo\x1bdels\u202e\u200b", 0, 0)
        assert field.value == "/mo\u241bdels\ufffd"
