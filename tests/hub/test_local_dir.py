"""Plain files in a folder of the user's."""

import os
from pathlib import Path

from tests.fake_hub import FakeHub
from tests.hub.conftest import BIG, BIG_BYTES, REPO, Mover
from tests.hub.models import same_as


def test_a_plain_folder_gets_plain_files(
    mover: Mover, files: dict[str, bytes], tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    assert mover.fetch(local_dir=plain) == plain
    assert same_as(plain, files)
    assert not [f for f in plain.rglob("*") if f.is_symlink()]
    assert not list(plain.rglob("*.incomplete"))
    assert not mover.cache_dir.exists()


def test_the_real_library_trusts_a_plain_folder_of_ours(
    mover: Mover, hub: FakeHub, tmp_path: Path
) -> None:
    from huggingface_hub import snapshot_download

    plain = tmp_path / "plain"
    folder = mover.fetch(local_dir=plain)
    before = hub.file_bytes("/resolve/") + hub.file_bytes(
        BIG,
    )
    snapshot_download(
        REPO,
        revision=mover.plan.commit,
        endpoint=hub.url,
        cache_dir=mover.cache_dir,
        local_dir=folder,
        token=False,
    )
    assert hub.file_bytes("/resolve/") + hub.file_bytes(BIG) == before


def test_a_changed_file_of_a_plain_folder_is_fetched_again(
    mover: Mover, files: dict[str, bytes], hub: FakeHub, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    mover.fetch(local_dir=plain)
    (plain / BIG).write_bytes(bytes(BIG_BYTES))
    os.utime(plain / BIG, (2_000_000_000, 2_000_000_000))
    before = hub.file_bytes(BIG)
    mover.fetch(local_dir=plain)
    assert same_as(plain, files)
    assert hub.file_bytes(BIG) - before == BIG_BYTES
