"""The fake hub is a hub to the real huggingface_hub."""

from pathlib import Path

from huggingface_hub import HfApi, snapshot_download

from tests.fake_hub import FakeHub
from tests.hub.conftest import BIG, BIG_BYTES, REPO
from tests.hub.models import same_as


def test_a_snapshot_is_fetched(
    hub: FakeHub, files: dict[str, bytes], tmp_path: Path
) -> None:
    hub.add_repo(REPO, files)
    found = snapshot_download(
        REPO, endpoint=hub.url, cache_dir=tmp_path, token=False, max_workers=2
    )
    assert same_as(Path(found), files)


def test_model_info_has_sizes_and_hashes(
    hub: FakeHub, files: dict[str, bytes], tmp_path: Path
) -> None:
    sha = hub.add_repo(REPO, files, gated=True, info={"likes": 3})
    info = HfApi(hub.url, token=False).model_info(REPO, files_metadata=True)
    assert (info.sha, info.gated, info.likes) == (sha, "manual", 3)
    assert info.siblings is not None
    sizes = {s.rfilename: s.size for s in info.siblings}
    assert sizes == {path: len(content) for path, content in files.items()}
    assert info.safetensors is not None
    assert info.safetensors.total == BIG_BYTES // 2
    big = next(s for s in info.siblings if s.rfilename == BIG)
    assert big.lfs is not None
    assert big.lfs.size == BIG_BYTES


def test_a_search_finds_and_sorts_page_by_page(hub: FakeHub) -> None:
    for n, name in enumerate(("Qwen/Qwen3-8B", "Qwen/Qwen3-0.6B", "other/qwen3-x")):
        info = {"downloads": n, "tags": ["gguf"] if n else []}
        hub.add_repo(name, {"config.json": b"{}"}, info=info)
    hub.add_repo("someone/llama", {"config.json": b"{}"})
    hub.add_repo("Qwen/qwen3-secret", {"config.json": b"{}"}, private=True)
    hub.page_entries = 1
    api = HfApi(hub.url, token=False)

    def names(**query: object) -> list[str]:
        return [m.id for m in api.list_models(token=False, **query)]  # pyright: ignore[reportArgumentType]

    assert names(search="qwen3", sort="downloads") == [
        "other/qwen3-x",
        "Qwen/Qwen3-0.6B",
        "Qwen/Qwen3-8B",
    ]
    assert names(search="QWEN3", author="Qwen", filter="gguf") == ["Qwen/Qwen3-0.6B"]
    assert names(search="qwen3", sort="downloads", limit=1) == ["other/qwen3-x"]


def test_a_search_tells_more_when_it_is_asked_to(hub: FakeHub) -> None:
    hub.add_repo(REPO, {BIG: bytes(1000)}, gated=True, info={"downloads": 7})
    api = HfApi(hub.url, token=False)
    (plain,) = api.list_models(search="model")
    assert (plain.downloads, plain.gated, plain.siblings) == (7, None, None)
    (full,) = api.list_models(search="model", full=True)
    assert (full.gated, full.last_modified is None) == ("manual", False)
    assert [s.rfilename for s in full.siblings or ()] == [BIG]
    (some,) = api.list_models(search="model", expand=["safetensors", "usedStorage"])
    assert some.safetensors is not None
    assert (some.safetensors.total, some.used_storage) == (500, 1000)
    assert some.downloads is None
