"""Of a repo that holds one model in many packings, one is fetched, and told."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from qwen_tui.errors import HubError
from qwen_tui.hub.plan import Choice, RemoteFile, wanted_files
from qwen_tui.hub.quantisations import quantisations, with_gguf
from qwen_tui.wire_hub import RemoteFileInfo, RemoteInfo
from tests.fake_hub import FakeHub
from tests.hub.conftest import REPO, Mover

SIZES = {
    "README.md": 1,
    "mmproj-F16.gguf": 9,
    "Qwen3-8B-Q4_K_M.gguf": 50,
    "Qwen3-8B-Q8_0.gguf": 85,
    "Qwen3-8B-UD-IQ2_XXS.gguf": 24,
    "BF16/Qwen3-8B-BF16-00001-of-00002.gguf": 80,
    "BF16/Qwen3-8B-BF16-00002-of-00002.gguf": 79,
}


@dataclass(frozen=True)
class Sized:
    path: str
    size_bytes: int


def names(*paths: str) -> list[str]:
    return [offer.name for offer in quantisations([Sized(p, 1) for p in paths])]


def wanted(gguf: str, *paths: str) -> list[str]:
    listing = [RemoteFile(path, SIZES.get(path, 1), "0" * 40) for path in paths]
    return [file.path for file in wanted_files(listing, gguf)]


def test_a_listing_offers_each_packing_once_the_smallest_first() -> None:
    offers = quantisations([Sized(path, size) for path, size in SIZES.items()])
    assert [(offer.name, offer.size_bytes) for offer in offers] == [
        ("UD-IQ2_XXS", 24),
        ("Q4_K_M", 50),
        ("Q8_0", 85),
        ("BF16", 159),
    ]
    assert len(offers[-1].paths) == 2


def test_a_packing_is_named_as_people_name_it_else_by_its_file() -> None:
    assert names("qwen2.5-7b-instruct-q4_k_m.gguf") == ["Q4_K_M"]
    assert names("model.f16.gguf", "tiny.gguf") == ["F16", "tiny"]
    assert names("base-Q4_0.gguf", "chat-Q4_0.gguf") == ["base-Q4_0", "chat-Q4_0"]


def test_the_usual_packing_is_taken_where_nobody_says_which() -> None:
    assert wanted("", *SIZES) == ["README.md", "Qwen3-8B-Q4_K_M.gguf"]
    assert wanted("", "m-Q8_0.gguf", "m-Q5_0.gguf", "m-F16.gguf") == ["m-Q5_0.gguf"]
    assert wanted("", "b.gguf", "a.gguf") == ["a.gguf"]


@pytest.mark.parametrize("gguf", ["BF16", "bf16", "BF*"])
def test_a_named_packing_is_taken_with_all_its_parts(gguf: str) -> None:
    parts = [path for path in SIZES if path.startswith("BF16/")]
    assert wanted(gguf, *SIZES) == ["README.md", *parts]


def test_all_are_taken_only_by_asking_for_all() -> None:
    assert wanted("*", *SIZES) == [path for path in SIZES if "mmproj" not in path]


def test_a_name_with_signs_of_patterns_in_it_is_that_name() -> None:
    assert wanted("a[1]", "a[1].gguf", "a1.gguf") == ["a[1].gguf"]


def test_a_named_packing_comes_instead_of_safetensors() -> None:
    paths = ("config.json", "model.safetensors", "m-Q4_0.gguf", "m-Q8_0.gguf")
    assert wanted("Q8_0", *paths) == ["config.json", "m-Q8_0.gguf"]
    assert wanted("", *paths) == ["config.json", "model.safetensors"]


def test_one_packing_travels_and_the_plan_tells_which_of_which(
    hub: FakeHub, tmp_path: Path
) -> None:
    files = {"m-Q8_0.gguf": b"GGUF" * 9, "m-Q4_K_M.gguf": b"GGUF" * 5, "x.md": b""}
    hub.add_repo(REPO, files)
    mover = Mover(hub, tmp_path / "hub")
    folder = mover.fetch()
    assert (mover.plan.gguf, mover.plan.other_ggufs) == ("Q4_K_M", ("Q8_0",))
    assert sorted(file.name for file in folder.iterdir()) == ["m-Q4_K_M.gguf", "x.md"]
    assert not hub.requests("Q8_0")
    assert mover.fetch(choice=Choice(gguf="Q8_0")) == folder
    assert (mover.plan.gguf, mover.plan.other_ggufs) == ("", ())  # no news to who chose
    assert sorted(file.name for file in folder.iterdir()) == sorted(files)


@pytest.mark.parametrize(
    ("path", "hint"), [("m-Q8_0.gguf", "Q8_0"), ("model.safetensors", "no .gguf")]
)
def test_a_packing_that_is_not_there_is_refused_with_what_is(
    hub: FakeHub, tmp_path: Path, path: str, hint: str
) -> None:
    hub.add_repo(REPO, {path: b"GGUF"})
    with pytest.raises(HubError) as caught:
        Mover(hub, tmp_path / "hub").fetch(choice=Choice(gguf="Q9"))
    assert caught.value.code == "not_found"
    assert "Q9" in caught.value.message
    assert hint in caught.value.hint


def test_a_description_can_be_told_for_another_packing() -> None:
    files = tuple(
        RemoteFileInfo(path, size, wanted=path in ("README.md", "Qwen3-8B-Q4_K_M.gguf"))
        for path, size in SIZES.items()
    )
    info = with_gguf(RemoteInfo("o/m", "0" * 40, files=files), "Q8_0")
    assert [file.path for file in info.files if file.wanted] == [
        "README.md",
        "Qwen3-8B-Q8_0.gguf",
    ]
    assert (info.wanted_bytes, info.weights_bytes) == (86, 85)
