"""Disks that fill up, cannot link, or take two names for one."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from qwen_tui.errors import DiskFull, DownloadError
from qwen_tui.hub.clashes import check_clashes
from qwen_tui.hub.download import Job, download
from qwen_tui.hub.faults import file_trouble
from qwen_tui.hub.progress import Progressed
from qwen_tui.hub.retry import TransferOptions
from tests.fake_hub import FakeHub, Fault
from tests.hub.conftest import BIG, BIG_BYTES, QUICK, REPO, Mover
from tests.hub.models import same_as

STEP_BYTES = 256 * 1024
HELD_BYTES = 500_000
DISK_BYTES = 3 * 1024 * 1024


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of its own in memory, a little larger than the repo."""
    disk = tmp_path / "disk"
    disk.mkdir()
    options = ("-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk))
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no right to mount: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.parametrize("plain", [False, True])
def test_a_disk_that_fills_up_stops_with_numbers_and_goes_on_after(
    hub: FakeHub, files: dict[str, bytes], small_disk: Path, plain: bool
) -> None:
    hub.add_repo(REPO, files)
    cache_dir, ballast = small_disk / "hub", small_disk / "ballast"
    local_dir = small_disk / "plain" if plain else None
    job = Job(REPO, hub.url, cache_dir, local_dir=local_dir)

    hub.faults.append(Fault("hold", path=BIG, after_bytes=HELD_BYTES))

    def fill_the_disk(report: object) -> None:
        is_held = isinstance(report, Progressed) and report.done_bytes > HELD_BYTES
        if is_held and not ballast.exists():
            ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - STEP_BYTES))
            hub.release.set()

    with pytest.raises(DiskFull) as caught:
        download(job, fill_the_disk, options=QUICK)
    (partial,) = small_disk.rglob("*.incomplete")
    kept = partial.stat().st_size
    assert HELD_BYTES < kept < BIG_BYTES
    assert caught.value.code == "disk_full"
    assert f"{(BIG_BYTES - kept) / 1e6:.1f} MB to go" in caught.value.message
    assert caught.value.hint

    ballast.unlink()
    assert same_as(download(job, lambda _report: None, options=QUICK), files)
    assert hub.requests(BIG, "cdn")[-1].first_byte == kept
    assert not list(small_disk.rglob("*.incomplete"))


def test_what_does_not_fit_is_refused_before_it_is_fetched(
    mover: Mover, hub: FakeHub
) -> None:
    mover.options = TransferOptions(reserve_bytes=1 << 62)
    with pytest.raises(DiskFull) as caught:
        mover.fetch()
    total = sum(item.size_bytes for item in mover.plan.items)
    assert f"{total / 1e6:.1f} MB are needed" in caught.value.message
    assert "TB to spare" in caught.value.message
    assert not hub.requests("/resolve/")
    assert not mover.cache_dir.exists()


def test_a_quota_is_told_apart_from_a_full_disk(tmp_path: Path) -> None:
    quota = file_trouble(OSError(errno.EDQUOT, ""), tmp_path, 9_000_000, 12_000_000)
    full = file_trouble(OSError(errno.ENOSPC, ""), tmp_path, 9_000_000, 12_000_000)
    assert isinstance(quota, DiskFull)
    assert isinstance(full, DiskFull)
    assert "12.0 MB" in quota.message
    assert "9.0 MB" not in quota.message
    assert "12.0 MB" in full.message
    assert "9.0 MB" in full.message


def test_a_folder_that_cannot_be_written_is_told(mover: Mover, tmp_path: Path) -> None:
    (tmp_path / "hub").write_bytes(b"a file is in the way")
    with pytest.raises(DownloadError) as caught:
        mover.fetch()
    assert "hub" in caught.value.message


def test_a_disk_that_loses_what_was_written_gets_nothing_named(
    mover: Mover, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DownloadError) as caught:
        mover.fetch()
    assert "Input/output error" in caught.value.message
    blobs = list((mover.cache_dir / "models--owner--model" / "blobs").iterdir())
    assert blobs
    assert all(blob.suffix == ".incomplete" for blob in blobs)
    monkeypatch.undo()
    assert same_as(mover.fetch(), files)


def test_a_disk_without_links_holds_every_file_once(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    content = os.urandom(200_000)
    files = {"a.bin": content, "sub/b.bin": content, "config.json": b"{}"}
    hub.add_repo(REPO, files)
    monkeypatch.setattr(Path, "symlink_to", refuse)
    mover = Mover(hub, tmp_path / "hub")
    folder = mover.fetch()
    assert same_as(folder, files)
    assert not [f for f in folder.rglob("*") if f.is_symlink()]
    assert not list((folder.parent.parent / "blobs").iterdir())
    before = len(hub.requests("/resolve/"))
    mover.fetch()
    assert len(hub.requests("/resolve/")) == before


def test_names_that_differ_by_case_are_two_files_where_they_can_be(
    hub: FakeHub, tmp_path: Path
) -> None:
    files = {"a.json": b"1", "A.json": b"2"}
    hub.add_repo(REPO, files)
    if (tmp_path / "x").touch() or (tmp_path / "X").exists():
        pytest.skip("this disk folds case")
    assert same_as(Mover(hub, tmp_path / "hub").fetch(), files)


@pytest.mark.parametrize(
    ("paths", "folds", "ok"),
    [
        (["a.json", "A.json"], True, False),
        (["a.json", "A.json"], False, True),
        (["caf\u00e9", "cafe\u0301"], True, False),
        (["A/x", "a/y"], True, True),
        (["A/x", "a"], True, False),
        (["a/x/y", "a"], False, False),
        (["a", "a.b", "a-b/c"], True, True),
    ],
)
def test_paths_that_would_overwrite_each_other_are_refused(
    paths: list[str], folds: bool, ok: bool
) -> None:
    if ok:
        check_clashes(paths, folds_case=lambda: folds)
        return
    with pytest.raises(DownloadError) as caught:
        check_clashes(paths, folds_case=lambda: folds)
    assert caught.value.code == "unsafe_path"
    assert all(path in caught.value.message for path in paths)
