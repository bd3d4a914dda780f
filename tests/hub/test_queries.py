"""What is asked of a hub between downloads, each in a process of its own."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from qwen_tui.errors import HubError, UsageError
from qwen_tui.hub.queries import (
    PROBE_FILE,
    PROBE_REPO,
    ProbeResult,
    best_source,
    model_info,
    probe_sources,
    search_models,
)
from tests.fake_hub import FakeHub, Fault
from tests.helpers import until

CLOSED = "http://127.0.0.1:9"  # the discard port: nobody listens
CONFIG = b'{"max_position_embeddings": 40960, "architectures": ["Qwen3ForCausalLM"]}'
FILES = {
    "config.json": CONFIG,
    PROBE_FILE: bytes(2_000_000),
    "original/consolidated.pth": b"1" * 500,
}


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        hub.add_repo(PROBE_REPO, FILES)
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


async def test_sources_are_tried_at_once_and_the_best_is_known(
    hub: FakeHub, told: dict[str, Any]
) -> None:
    with FakeHub() as other:
        other.add_repo(PROBE_REPO, FILES)
        # it answers only when the first one has been heard of
        other.faults.append(Fault("hang", path="/api/"))
        order: list[str] = []
        endpoints = [other.url, CLOSED, hub.url, hub.url + "/"]
        async with aclosing(probe_sources(endpoints, **told)) as results:
            async for result in results:
                order.append(result.endpoint)
                if result.reachable:
                    other.release.set()
                    assert result.bytes_per_s > 0
    assert order.index(hub.url) < order.index(other.url)
    assert sorted(order) == sorted([CLOSED, hub.url, other.url])


async def test_no_query_shows_a_token_to_another_endpoint(
    hub: FakeHub, told: dict[str, Any]
) -> None:
    await probe_all(hub.url, **told)
    await search_models("qwen", endpoint=hub.url, **told)
    await model_info(PROBE_REPO, endpoint=hub.url, **told)
    assert len(hub.seen) > 6
    assert "hf_" not in str([seen.headers for seen in hub.seen])


async def test_a_host_that_is_allowed_sees_the_token_and_nobody_behind_it(
    hub: FakeHub, told: dict[str, Any]
) -> None:
    hub.add_repo("owner/closed", FILES, private=True, readers=("hf_variable",))
    told["token_hosts"] = [hub.url]
    info = await model_info("owner/closed", endpoint=hub.url, **told)
    assert info.repo == "owner/closed"
    with FakeHub() as elsewhere:
        elsewhere.add_repo("owner/qwen", FILES)
        fault = Fault("redirect", path="/api/models", location=elsewhere.url, times=-1)
        hub.faults.append(fault)
        with pytest.raises(HubError) as refused:
            await search_models("qwen", endpoint=hub.url, **told)
        assert refused.value.code == "redirected"
        assert not elsewhere.seen
    tokens = {seen.headers["authorization"] for seen in hub.seen}
    assert tokens == {"Bearer hf_variable"}


async def test_info_tells_files_sizes_licence_and_config(
    hub: FakeHub, told: dict[str, Any]
) -> None:
    card = {"cardData": {"license": "apache-2.0"}}
    sha = hub.add_repo(PROBE_REPO, FILES, info=card)
    info = await model_info("qwen3-0.6b", endpoint=hub.url, **told)
    assert (info.repo, info.commit, info.license) == (PROBE_REPO, sha, "apache-2.0")
    assert {f.path for f in info.files if f.wanted} == {"config.json", PROBE_FILE}
    assert info.wanted_bytes == 2_000_000 + len(CONFIG)
    assert info.total_bytes == info.wanted_bytes + 500
    assert info.weights_bytes == 2_000_000
    assert (info.context_length, info.architecture) == (40960, "Qwen3ForCausalLM")
    assert info.config["max_position_embeddings"] == 40960
    again = await model_info(PROBE_REPO, revision=sha, endpoint=hub.url, **told)
    assert again == info


async def test_offline_nothing_is_asked(hub: FakeHub, told: dict[str, Any]) -> None:
    told["environ"] = told["environ"] | {"HF_HUB_OFFLINE": "1"}
    with pytest.raises(HubError):
        await search_models("qwen", endpoint=hub.url, **told)
    with pytest.raises(HubError):
        await model_info(PROBE_REPO, endpoint=hub.url, **told)
    with pytest.raises(HubError):
        await probe_all(hub.url, **told)
    assert hub.seen == []


async def test_what_is_no_repo_or_endpoint_is_not_asked_for(
    hub: FakeHub, told: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        await model_info("../etc", endpoint=hub.url, **told)
    with pytest.raises(UsageError):
        await model_info(PROBE_REPO, revision="../x", endpoint=hub.url, **told)
    with pytest.raises(UsageError):
        await probe_all(hub.url, "nowhere", **told)
    assert hub.seen == []


async def test_a_query_that_hangs_can_be_given_up(
    hub: FakeHub, told: dict[str, Any]
) -> None:
    hub.faults.append(Fault("hang", times=-1))
    task = asyncio.create_task(probe_all(hub.url, **told))
    await until(lambda: bool(hub.seen))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_process_that_cannot_start_is_told(
    hub: FakeHub, told: dict[str, Any]
) -> None:
    told["environ"] = told["environ"] | {"PYTHONHOME": "/nowhere"}
    with pytest.raises(HubError) as caught:
        await search_models("qwen", endpoint=hub.url, **told)
    assert caught.value.code == "query_died"
    assert "download.log" in caught.value.message


def test_the_official_hub_is_taken_unless_another_is_clearly_faster() -> None:
    official = ProbeResult("https://huggingface.co", True, bytes_per_s=9e6)
    mirror = ProbeResult("https://hf-mirror.com", True, bytes_per_s=10e6)
    fast = ProbeResult("https://fast.example.com", True, bytes_per_s=30e6)
    cut = ProbeResult("https://cut.example.com", True, bytes_per_s=90e6, code="x")
    gone = ProbeResult("https://gone.example.com", False, code="unreachable")
    assert best_source([mirror, official, cut, gone]) == official.endpoint
    assert best_source([mirror, official, fast]) == fast.endpoint
    assert best_source([gone, cut]) is None
    assert best_source([]) is None
