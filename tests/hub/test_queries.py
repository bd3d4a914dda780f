"""What is asked of a hub between downloads, each in a process of its own."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qwen_tui.errors import HubError
from qwen_tui.hub.queries import (
    PROBE_FILE,
    PROBE_REPO,
    ProbeResult,
    best_source,
    model_info,
    probe_sources,
    search_models,
)
from tests.hub.searching_hub import SearchingHub

CLOSED = "http://127.0.0.1:9"  # the discard port: nobody listens
CONFIG = b'{"max_position_embeddings": 40960, "architectures": ["Qwen3ForCausalLM"]}'


@pytest.fixture
def hub() -> Iterator[SearchingHub]:
    with SearchingHub() as hub:
        hub.add_repo(PROBE_REPO, {"config.json": CONFIG, PROBE_FILE: bytes(2_000_000)})
        yield hub


@pytest.fixture
def told(tmp_path: Path, no_proxy: None) -> dict[str, Any]:
    """Where queries look: a home with a saved token, and a log of their own."""
    ours = ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH")
    env = {name: value for name, value in os.environ.items() if name not in ours}
    (tmp_path / "token").write_text("hf_saved\n")
    environ = env | {"HF_HOME": str(tmp_path), "HF_TOKEN": "hf_variable"}
    return {"log_dir": tmp_path / "log", "environ": environ}


async def probe_all(*endpoints: str, **told: Any) -> dict[str, ProbeResult]:
    return {r.endpoint: r async for r in probe_sources(endpoints, **told)}


async def test_a_probe_tells_who_serves_the_bytes_and_how_fast(
    hub: SearchingHub, told: dict[str, Any]
) -> None:
    results = await probe_all(hub.url, CLOSED, hub.url + "/", **told)
    good, bad = results[hub.url], results[CLOSED]
    assert good.reachable
    assert good.hosts == (hub.url.partition("//")[2], hub.cdn_url.partition("//")[2])
    assert good.latency_s > 0
    assert good.bytes_per_s > 0
    assert not bad.reachable
    assert (bad.code, bool(bad.message), bool(bad.hint)) == ("unreachable", True, True)
    assert best_source([*results.values()]) == hub.url
    ranges = [s.headers.get("range") for s in hub.requests(PROBE_FILE, "cdn")]
    assert ranges == ["bytes=0-0", f"bytes=0-{4 * 1024 * 1024 - 1}"]


async def test_no_query_shows_a_token_to_another_endpoint(
    hub: SearchingHub, told: dict[str, Any]
) -> None:
    hub.found = [{"id": PROBE_REPO}]
    await probe_all(hub.url, **told)
    await search_models("qwen", endpoint=hub.url, **told)
    await model_info(PROBE_REPO, endpoint=hub.url, **told)
    assert len(hub.seen) > 6
    assert "hf_" not in str([seen.headers for seen in hub.seen])


async def test_a_host_that_is_allowed_sees_the_token_and_nobody_behind_it(
    hub: SearchingHub, told: dict[str, Any]
) -> None:
    await model_info(PROBE_REPO, endpoint=hub.url, token_hosts=[hub.url], **told)
    tokens = {seen.headers.get("authorization", "") for seen in hub.seen}
    assert tokens == {"Bearer hf_variable"}


async def test_a_search_tells_what_a_person_chooses_by(
    hub: SearchingHub, told: dict[str, Any]
) -> None:
    hub.found = [
        {
            "id": "Qwen/Qwen3-0.6B",
            "downloads": 1234,
            "likes": 5,
            "lastModified": "2025-07-26T03:46:27.000Z",
            "gated": "manual",
            "safetensors": {"parameters": {"BF16": 600, "F8_E4M3": 50}},
            "tags": ["a", 7],
        },
        {"id": "qwen/bare"},
        {"id": "qwen/../evil"},
    ]
    first, second = await search_models("qwen", endpoint=hub.url, **told)
    assert (first.repo, first.downloads, first.likes) == ("Qwen/Qwen3-0.6B", 1234, 5)
    assert (first.size_bytes, first.gated, first.tags) == (1250, True, ("a",))
    assert (second.repo, second.size_bytes, second.gated) == ("qwen/bare", None, False)


async def test_info_tells_files_sizes_and_config(
    hub: SearchingHub, told: dict[str, Any]
) -> None:
    info = await model_info("qwen3-0.6b", endpoint=hub.url, **told)
    assert info.repo == PROBE_REPO
    assert {f.path for f in info.files} == {"config.json", PROBE_FILE}
    assert info.total_bytes == info.wanted_bytes == 2_000_000 + len(CONFIG)
    assert (info.context_length, info.architecture) == (40960, "Qwen3ForCausalLM")


async def test_a_repo_that_is_not_there_is_a_hub_error(
    hub: SearchingHub, told: dict[str, Any]
) -> None:
    with pytest.raises(HubError) as caught:
        await model_info("owner/nothing", endpoint=hub.url, **told)
    assert caught.value.code == "not_found"
    assert caught.value.hint


async def test_offline_nothing_is_asked(
    hub: SearchingHub, told: dict[str, Any]
) -> None:
    told["environ"] = told["environ"] | {"HF_HUB_OFFLINE": "1"}
    with pytest.raises(HubError):
        await search_models("qwen", endpoint=hub.url, **told)
    with pytest.raises(HubError):
        await probe_all(hub.url, **told)
    assert hub.seen == []


async def test_a_query_that_hangs_can_be_given_up(
    hub: SearchingHub, told: dict[str, Any]
) -> None:
    from tests.fake_hub import Fault
    from tests.helpers import until

    hub.faults.append(Fault("hold", path=PROBE_FILE, origin="cdn", times=-1))
    task = asyncio.create_task(probe_all(hub.url, **told))
    await until(lambda: bool(hub.requests(PROBE_FILE, "cdn")))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
