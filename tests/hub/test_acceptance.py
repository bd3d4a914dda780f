"""Other tools take what a download leaves behind for their own."""

import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import HfApi, scan_cache_dir, snapshot_download

from qwen_tui.paths import demo_model
from tests.fake_hub import FakeHub
from tests.hub.conftest import BIG, REPO, Mover
from tests.hub.models import sharded_model

OTHER_FORMS = ("pytorch_model.bin", "original/consolidated.00.pth", "model.gguf")
LOAD_WITHOUT_NETWORK = """
import socket, sys
def cut(*_arguments):
    raise AssertionError("the network was asked for")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = cut
from transformers import AutoModelForCausalLM, AutoTokenizer
for folder in sys.argv[1:]:
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = AutoTokenizer.from_pretrained(folder)("Hello", return_tensors="pt").input_ids
    assert model(ids).logits.shape[1] == ids.shape[1]
"""


@pytest.fixture(params=["whole", "filtered"])
def repo_files(request: pytest.FixtureRequest) -> dict[str, bytes]:
    """A repo of which all, or not all, is fetched."""
    extra = OTHER_FORMS if request.param == "filtered" else ()
    return {**sharded_model(), **dict.fromkeys(extra, b"the same again")}


def test_the_library_finds_a_whole_snapshot(
    hub: FakeHub, tmp_path: Path, repo_files: dict[str, bytes]
) -> None:
    hub.add_repo(REPO, repo_files)
    folder = Mover(hub, tmp_path).fetch()
    asked = len(hub.seen)
    found = snapshot_download(REPO, cache_dir=tmp_path, local_files_only=True)
    assert Path(found) == folder
    assert len(hub.seen) == asked


def test_a_scan_of_the_cache_warns_of_nothing(
    hub: FakeHub, tmp_path: Path, repo_files: dict[str, bytes]
) -> None:
    sha = hub.add_repo(REPO, repo_files)
    Mover(hub, tmp_path).fetch()
    scan = scan_cache_dir(tmp_path)
    assert not scan.warnings
    (repo,) = scan.repos
    assert (repo.repo_id, set(repo.refs)) == (REPO, {"main"})
    (revision,) = repo.revisions
    n_fetched = len(set(repo_files) - set(OTHER_FORMS))
    assert (revision.commit_hash, revision.nb_files) == (sha, n_fetched)


@pytest.mark.parametrize("plain", [False, True])
def test_every_checksum_is_the_hubs(
    hub: FakeHub, tmp_path: Path, repo_files: dict[str, bytes], plain: bool
) -> None:
    hub.add_repo(REPO, repo_files)
    mover = Mover(hub, tmp_path / "hub")
    local_dir = tmp_path / "plain" if plain else None
    mover.fetch(local_dir=local_dir)
    checked = HfApi(hub.url, token=False).verify_repo_checksums(
        REPO, local_dir=local_dir, cache_dir=None if plain else mover.cache_dir
    )
    fetched = set(repo_files) - set(OTHER_FORMS)
    assert checked.checked_count == len(fetched)
    assert not checked.mismatches
    assert set(checked.missing_paths) == set(repo_files) - fetched
    assert not checked.extra_paths


def test_a_flipped_bit_is_found_by_the_library_too(
    mover: Mover, hub: FakeHub, files: dict[str, bytes]
) -> None:
    blob = (mover.fetch() / BIG).resolve()
    blob.write_bytes(bytes([files[BIG][0] ^ 1]) + files[BIG][1:])
    api = HfApi(hub.url, token=False)
    checked = api.verify_repo_checksums(REPO, cache_dir=mover.cache_dir)
    assert [bad["path"] for bad in checked.mismatches] == [BIG]


@pytest.mark.torch
def test_a_download_loads_with_the_network_cut(hub: FakeHub, tmp_path: Path) -> None:
    files = {f.name: f.read_bytes() for f in demo_model().iterdir() if f.is_file()}
    hub.add_repo(REPO, files)
    hub.add_repo(REPO, files | dict.fromkeys(OTHER_FORMS, b"x"), revision="filtered")
    mover = Mover(hub, tmp_path / "hub")
    folders = [
        mover.fetch(),
        mover.fetch(revision="filtered"),
        mover.fetch(local_dir=tmp_path / "plain"),
    ]
    command = [sys.executable, "-c", LOAD_WITHOUT_NETWORK, *map(str, folders)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
