"""Where models come from and go to: m, b, u, h and g."""

import tomllib
from pathlib import Path

import pytest

from qwen_tui.errors import HubError
from qwen_tui.settings import load_settings
from qwen_tui.ui.widgets.line_input import LineInput
from qwen_tui.wire_hub import ProbeResult, RemoteModel
from tests.helpers import until
from tests.ui.model_hosts import (
    MIB,
    FakeQueries,
    HostApp,
    desk_for,
    gone,
    half_way,
    sees,
    settings_for,
    table,
    table_row,
    visible_text,
    write_cached_model,
)

OFFICIAL = "https://huggingface.co"
MIRROR = "https://hf-mirror.com"
OWN = "https://hub.example"


def saved(folder: Path) -> dict[str, str]:
    """Return what the settings file says of downloads."""
    file = folder / "config.toml"
    return tomllib.loads(file.read_text())["downloads"] if file.exists() else {}


def reached(endpoint: str, speed_mib: float, *hosts: str) -> ProbeResult:
    return ProbeResult(
        endpoint,
        reachable=True,
        latency_s=0.08,
        hosts=hosts,
        bytes_per_s=speed_mib * MIB,
    )


async def test_m_takes_the_next_source_and_keeps_it(tmp_path: Path):
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Source: official")
        await pilot.press("m")
        await sees(pilot, "Source: mirror")
        await until(
            lambda: saved(tmp_path) == {"endpoint": "mirror"}, pause=pilot.pause
        )
        await pilot.press("m")
        await sees(pilot, "Source: official")


async def test_a_variable_that_sets_the_source_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HF_ENDPOINT", OWN)
    settings = load_settings(
        file=tmp_path / "config.toml",
        environ={"HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": OWN},
    )
    app = HostApp(desk_for(tmp_path, settings=settings))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, f"Source: {OWN}")
        await pilot.press("m")
        await sees(pilot, "Source: official")
        await sees(pilot, "HF_ENDPOINT is set: it counts again at the next start.")
        await pilot.press("m", "m")
        await sees(pilot, f"Source: {OWN}")


async def test_the_probe_tells_who_serves_how_fast_and_enter_takes_the_best(
    tmp_path: Path,
):
    queries = FakeQueries(
        probes=[
            ProbeResult(OFFICIAL, reachable=False, code="x", message="no way there"),
            reached(MIRROR, 12, "hf-mirror.com", "cdn.example"),
        ]
    )
    desk = desk_for(tmp_path, queries=queries)
    app = HostApp(desk)
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Source: official")
        await pilot.press("b")
        for text in ("no way there", "80 ms", "12.0 MiB/s", "best"):
            await sees(pilot, text)
        await sees(pilot, "hf-mirror.com > cdn.example")
        await pilot.press("enter")
        await sees(pilot, "Source: mirror")
    assert queries.asked == [("probe", "official", "mirror")]
    assert desk.source == "mirror"


async def test_a_source_of_ones_own_is_checked_tried_and_taken(tmp_path: Path):
    queries = FakeQueries()
    desk = desk_for(tmp_path, queries=queries)
    app = HostApp(desk)
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Source: official")
        await pilot.press("b")
        await sees(pilot, "u adds an address")
        await pilot.press("u")
        await sees(pilot, "Address of a hub or mirror:")
        field = app.screen.query_one("#models-ask-input", LineInput)
        field.value = "hub example"
        await pilot.press("enter")
        await sees(pilot, '"hub example" is no endpoint.')
        field.value = f"{OWN}/"
        queries.probes = [reached(OWN, 5, "hub.example")]
        await pilot.press("enter")
        await sees(pilot, f"Source: {OWN}")
        await sees(pilot, "5.0 MiB/s")
    assert queries.asked[-1] == ("probe", "official", "mirror", OWN)
    assert saved(tmp_path) == {"endpoint": OWN}


async def test_hf_home_is_changed_in_place_and_counts_at_once(tmp_path: Path):
    other = tmp_path / "other"
    downloads = half_way()
    desk = desk_for(tmp_path, downloads=downloads)
    write_cached_model(settings_for(tmp_path), "Own/Here")
    write_cached_model(
        settings_for(tmp_path, **{"downloads.hf_home": str(other)}), "Own/There"
    )
    app = HostApp(desk)
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Own/Here")
        await pilot.press("h")
        await sees(pilot, "HF_HOME, the folder that models are kept in:")
        app.screen.query_one("#models-ask-input", LineInput).value = str(other)
        await pilot.press("enter")
        await sees(pilot, "from now on:")
        await sees(pilot, " free, ")
        await until(lambda: "ready" in table_row(app, "Own/There"), pause=pilot.pause)
        await gone(pilot, "Own/Here")
        await pilot.press("home", "d", *"Own/New", "enter")
        await sees(pilot, "Enter downloads it")
        await pilot.press("enter")
        await until(lambda: bool(downloads.requests), pause=pilot.pause)
    assert downloads.requests[0].cache_dir == str(other / "hub")
    assert saved(tmp_path) == {"hf_home": str(other)}
    assert desk.settings.hf_home == other


async def test_a_folder_that_cannot_hold_models_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    desk = desk_for(tmp_path)
    app = HostApp(desk)
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Qwen3-0.6B ")
        await pilot.press("h")
        await sees(pilot, "HF_HOME, the folder")
        field = app.screen.query_one("#models-ask-input", LineInput)
        field.value = "some/where"
        await pilot.press("enter")
        await sees(pilot, "some/where is no absolute path.")
        field.value = str(tmp_path / "file")
        await pilot.press("enter")
        await sees(pilot, "is no folder.")
        await pilot.press("escape")
        await gone(pilot, "HF_HOME, the folder")
    assert desk.settings.hf_home == tmp_path / "hf"
    assert saved(tmp_path) == {}


async def test_a_variable_that_will_win_again_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "(HF_HOME)")
        await pilot.press("h")
        field = app.screen.query_one("#models-ask-input", LineInput)
        field.value = str(tmp_path / "other")
        await pilot.press("enter")
        await sees(pilot, "HF_HOME is set: it counts again at the next start.")
        await sees(pilot, "(config.toml)")


async def test_what_a_search_finds_comes_into_the_table(tmp_path: Path):
    found = [
        RemoteModel(
            "Else/Big", 1_234_567, 9, "2025-04-28T10:00:00Z", size_bytes=8 * MIB
        ),
        RemoteModel("Else/Closed", 900, 2, "2024-01-02T10:00:00Z", gated=True),
        RemoteModel("Own/Here", 5, 1, "2023-01-02T10:00:00Z"),
    ]
    write_cached_model(settings_for(tmp_path), "Own/Here")
    queries = FakeQueries(found=found)
    app = HostApp(desk_for(tmp_path, queries=queries))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Own/Here")
        await pilot.press("g")
        await sees(pilot, "Search official for:")
        await pilot.press(*"my words", "enter")
        await sees(pilot, "3 models were found.")
        await sees(pilot, "[Found]")
        big = table_row(app, "Else/Big")
        assert "1.2M" in big
        assert "2025-04-28" in big
        assert "8.0M" in big
        assert "gated" in table_row(app, "Else/Closed")
        assert "ready" in table_row(app, "Own/Here")
        assert [row.key for row in table(app).rows] == [m.repo for m in found]
        await pilot.press("s")
        await sees(pilot, "Updated v")
    assert queries.asked == [("search", "my words", "official")]


async def test_a_search_that_fails_says_what_to_do(tmp_path: Path):
    queries = FakeQueries(error=HubError("The hub is away.", hint="Try m."))
    app = HostApp(desk_for(tmp_path, queries=queries))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Qwen3-0.6B ")
        await pilot.press("g", *"words", "enter")
        await sees(pilot, "The hub is away.  Try m.")
        assert "Found" not in visible_text(app)


async def test_nothing_found_is_told(tmp_path: Path):
    app = HostApp(desk_for(tmp_path))
    async with app.run_test(size=(120, 36)) as pilot:
        await sees(pilot, "Qwen3-0.6B ")
        await pilot.press("g", *"words", "enter")
        await sees(pilot, "Nothing was found for words.")


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)])
async def test_hostile_search_results_stay_text(tmp_path: Path, size: tuple[int, int]):
    bad = "a/[/b]\x1b[31m\u202e"
    found = [RemoteModel(bad, 1, 1, "\x1b]0;owned\x07", tags=(bad,))]
    app = HostApp(desk_for(tmp_path, queries=FakeQueries(found=found)))
    async with app.run_test(size=size) as pilot:
        await sees(pilot, "Qwen3-0.6B ")
        await pilot.press("g", *"words", "enter")
        await sees(pilot, "a/[/b]\u241b[31m")
        await pilot.press("i")
        await pilot.pause()
        assert not any(c in visible_text(app) for c in "\x1b\x07\u202e")
