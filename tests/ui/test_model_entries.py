"""One entry for each model, whatever is known of it, in the order that is asked."""

from pathlib import Path
from typing import Any

import pytest

from qwen_tui.chat.backend import ModelSource
from qwen_tui.hub.cache import LocalModel
from qwen_tui.hub.catalog import load_catalog
from qwen_tui.hub.machine import Gpu, Machine
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.hub.verify import BadFile, VerifyResult
from qwen_tui.ui.model_disk import DiskModel
from qwen_tui.ui.screens.model_entries import (
    Known,
    ModelEntry,
    dtype_of,
    make_entries,
    row_of,
)
from qwen_tui.ui.screens.model_order import shown_entries, sort_entries
from qwen_tui.wire_hub import RemoteModel

CACHE = "/hf/hub"
REPO = "Qwen/Qwen3-8B"
GIB = 1024**3
CARD = load_catalog()["qwen3-8b"]


def on_disk(name: str = REPO, *, complete: bool = True, **more: Any) -> DiskModel:
    source = ModelSource(name, f"{CACHE}/{name}", "folder", "a" * 40)
    facts: dict[str, Any] = {
        "in_cache": True,
        "repo": name,
        "reason": "" if complete else "cut",
    }
    return DiskModel(
        LocalModel(source, 16 * GIB, complete=complete, **{**facts, **more}),
        {"model_type": "qwen3", "dtype": "bfloat16"},
    )


def job(repo: str = REPO, **more: Any) -> DownloadJob:
    facts: dict[str, Any] = {
        "revision": "main",
        "endpoint": "official",
        "cache_dir": CACHE,
        "local_dir": "",
        "connections": 2,
        "created_at": 0.0,
    }
    return DownloadJob(repo, repo, **{**facts, **more})


def entries(**known: Any) -> dict[str, ModelEntry]:
    made = make_entries(Known(cache_dir=CACHE, **known))
    return {entry.key: entry for entry in made}


def test_all_that_is_known_of_a_repo_is_one_entry():
    found = entries(
        disk=[on_disk()],
        catalog=[CARD],
        found=[RemoteModel(REPO, 7)],
        jobs=[job(state="paused")],
    )
    assert list(found) == [REPO]
    entry = found[REPO]
    assert None not in (entry.disk, entry.catalog, entry.remote, entry.job)


def test_a_download_into_a_folder_is_an_entry_of_its_own():
    found = entries(catalog=[CARD], jobs=[job(local_dir="/models/mine")])
    assert set(found) == {REPO, "/models/mine"}
    assert found["/models/mine"].name == "mine"


def test_a_download_into_another_cache_is_an_entry_of_its_own():
    found = entries(catalog=[CARD], jobs=[job(cache_dir="/old/hub")])
    assert set(found) == {REPO, f"/old/hub/{REPO}"}


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({}, "remote"),
        ({"disk": on_disk()}, "ready"),
        ({"disk": on_disk(), "in_use": True}, "in_use"),
        ({"disk": on_disk(complete=False)}, "incomplete"),
        (
            {
                "disk": on_disk(),
                "check": VerifyResult(1, (BadFile("x", Path("x"), "bad"),), ()),
            },
            "corrupt",
        ),
        ({"job": job(state="queued")}, "queued"),
        ({"job": job(state="running")}, "downloading"),
        ({"job": job(state="running", waiting="stalled")}, "waiting"),
        ({"job": job(state="paused"), "disk": on_disk(complete=False)}, "paused"),
        ({"job": job(state="failed", message="no way")}, "failed"),
        ({"job": job(state="done"), "disk": on_disk()}, "ready"),
    ],
)
def test_the_state_is_one_word(facts: dict[str, Any], state: str):
    entry = ModelEntry(REPO, REPO, **facts)
    assert entry.state == state
    assert row_of(entry, "fits").state == state


def test_the_reason_comes_from_what_is_in_the_way():
    waiting = ModelEntry(REPO, REPO, job=job(state="running", waiting="reset"))
    failed = ModelEntry(REPO, REPO, job=job(state="failed", message="gone"))
    cut = ModelEntry(REPO, REPO, disk=on_disk(complete=False))
    assert [row_of(e, "fits").reason for e in (waiting, failed, cut)] == [
        "reset",
        "gone",
        "cut",
    ]


def test_memory_is_counted_by_the_card_where_no_config_is_known():
    machine = Machine((Gpu(0, "H100", 80 * GIB, 79 * GIB, 0),), GIB, GIB)
    entry = ModelEntry(REPO, REPO, catalog=CARD)
    need = entry.need(32768, "cuda")
    assert need.weights_bytes == CARD.size_bytes
    assert need.kv_bytes == 147_456 * 32768  # 144 KiB a token, as the card counts
    assert entry.fit(32768, machine) == "fits"
    assert entry.fit(32768, None) == "unknown"


def test_memory_of_a_part_is_counted_for_the_whole():
    part = on_disk(complete=False)
    half = ModelEntry(REPO, REPO, catalog=CARD, disk=part)
    assert half.need(4096, "cuda").weights_bytes == max(CARD.size_bytes, 16 * GIB)
    paused = job(state="paused", total_bytes=20 * GIB)
    fetched = ModelEntry(REPO, REPO, catalog=CARD, disk=part, job=paused)
    assert fetched.need(4096, "cuda").weights_bytes == 20 * GIB


def test_the_context_counts_up_to_what_the_model_has():
    entry = ModelEntry(REPO, REPO, catalog=CARD)
    assert entry.need(262_144, "cuda").kv_bytes == entry.need(32768, "cuda").kv_bytes


def test_fp8_is_counted_twice_where_it_is_unpacked():
    card = load_catalog()["qwen3-8b-fp8"]
    entry = ModelEntry(card.repo, card.repo, catalog=card)
    assert entry.need(4096, "cpu").weights_bytes == 2 * card.size_bytes
    assert entry.need(4096, "cuda").weights_bytes == card.size_bytes


@pytest.mark.parametrize(
    ("name", "config", "dtype"),
    [
        ("a/b", {"dtype": "bfloat16"}, "bf16"),
        ("a/b", {"torch_dtype": "float16"}, "fp16"),
        ("a/b", {"quantization_config": {"quant_method": "fp8"}}, "fp8"),
        ("a/b-AWQ", {}, "awq"),
        ("Qwen/Qwen3-8B-FP8", {}, "fp8"),
        ("a/b", {"dtype": 7}, ""),
    ],
)
def test_the_number_format_is_read_or_guessed(
    name: str, config: dict[str, Any], dtype: str
):
    assert dtype_of(name, config, None) == dtype


def test_tabs_and_words_choose_what_is_shown():
    found = list(
        entries(
            disk=[on_disk("Own/Here")],
            catalog=[CARD],
            found=[RemoteModel("Else/There")],
        ).values()
    )
    fits: dict[str, Any] = {"Own/Here": "tight", REPO: "too_big", "Else/There": "fits"}

    def shown(tab: Any, words: str = "") -> set[str]:
        return {e.key for e in shown_entries(found, tab=tab, words=words, fits=fits)}

    assert shown("all") == set(fits)
    assert shown("local") == {"Own/Here"}
    assert shown("fits") == {"Own/Here", "Else/There"}
    assert shown("found") == {"Else/There"}
    assert shown("all", "QWEN 8b") == {REPO}
    assert shown("all", "qwen nothing") == set()


def test_entries_are_sorted_by_what_is_asked():
    found = list(
        entries(
            disk=[on_disk("Own/Here")],
            catalog=[CARD],
            found=[
                RemoteModel("Else/Old", 9, updated_at="2024-01-01", size_bytes=5),
                RemoteModel("Else/New", 3, updated_at="2025-01-01"),
            ],
        ).values()
    )
    fits: dict[str, Any] = dict.fromkeys([e.key for e in found], "fits")
    fits[REPO] = "too_big"

    def first(by: Any) -> str:
        return sort_entries(found, by, fits)[0].key

    assert first("state") == "Own/Here"
    assert first("name") == "Else/New"
    assert first("size") == "Else/Old"
    assert first("downloads") == "Else/Old"
    assert first("date") == "Else/New"
    assert sort_entries(found, "fit", fits)[-1].key == REPO
