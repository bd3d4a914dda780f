"""Unfinished files: ours, other tools', and never one that a download holds."""

import json
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.partials import list_partials, purge_partials
from qwen_tui.processes import this_process
from tests.fake_hub import FakeHub, Fault, etag
from tests.helpers import bytes_in, files_named, wait_until
from tests.hub.conftest import BIG, REPO, Mover
from tests.hub.library import ORPHAN_BYTES, library_download
from tests.hub.models import tree, write_files

HUGE = "huge.safetensors"
HUGE_FILES = {"config.json": b"{}", HUGE: bytes(ORPHAN_BYTES + 1_000_000)}


@contextmanager
def our_download(mover: Mover, local_dir: Path | None = None) -> Generator[Path]:
    """Yield the partial of a download of ours that hangs in the big file."""
    mover.hub.faults.append(Fault("hold", path=BIG, origin="cdn", after_bytes=500_000))
    place = local_dir or mover.cache_dir

    def partials() -> list[Path]:
        return [p for p in files_named("*.incomplete", place) if bytes_in(p) >= 400_000]

    thread = threading.Thread(target=mover.fetch, kwargs={"local_dir": local_dir})
    thread.start()
    try:
        wait_until(lambda: bool(partials()))
        yield partials()[0]
    finally:
        mover.hub.release.set()
        thread.join()


def test_an_orphan_of_the_library_is_told_and_purged(
    hub: FakeHub, cache_dir: Path
) -> None:
    hub.add_repo(REPO, HUGE_FILES)
    with library_download(hub, REPO, HUGE, cache_dir) as path:
        held = list_partials(cache_dir)
        assert [(p.path, p.in_use) for p in held] == [(path, True)]
        assert purge_partials(held) == 0
        assert path.exists()
    (orphan,) = list_partials(cache_dir)
    assert (orphan.repo, orphan.ours, orphan.in_use) == (REPO, False, False)
    assert orphan.size_bytes == path.stat().st_size > 0
    assert orphan.modified == path.stat().st_mtime
    before = tree(cache_dir)
    assert purge_partials([orphan]) == orphan.size_bytes
    del before[path]
    assert tree(cache_dir) == before


def test_an_orphan_of_the_library_in_a_plain_folder_is_found_from_above(
    hub: FakeHub, cache_dir: Path, tmp_path: Path
) -> None:
    hub.add_repo(REPO, HUGE_FILES)
    plain = tmp_path / "models" / "plain"
    with library_download(hub, REPO, HUGE, cache_dir, plain) as path:
        held = list_partials(cache_dir, [tmp_path / "models"])
        assert [(p.path, p.in_use) for p in held] == [(path, True)]
        assert purge_partials(held) == 0
    (orphan,) = list_partials(cache_dir, [tmp_path / "models"])
    assert (orphan.repo, orphan.ours, orphan.in_use) == (str(plain), False, False)
    assert purge_partials([orphan]) == orphan.size_bytes
    assert not path.exists()


@pytest.mark.parametrize("where", ["cache", "folder"])
def test_a_partial_of_ours_is_held_while_it_is_fetched(
    mover: Mover, tmp_path: Path, files: dict[str, bytes], where: str
) -> None:
    plain = None if where == "cache" else tmp_path / "plain"
    with our_download(mover, plain) as path:
        found = list_partials(mover.cache_dir, [tmp_path / "plain"])
        (partial,) = [p for p in found if p.path == path]  # others come and go
        assert (partial.ours, partial.in_use) == (True, True)
        assert path.name == f"{etag(BIG, files[BIG])}.incomplete"
        assert purge_partials([partial]) == 0
    assert list_partials(mover.cache_dir, [tmp_path / "plain"]) == []


def test_a_paused_download_of_ours_can_be_purged_and_starts_again(
    mover: Mover, files: dict[str, bytes]
) -> None:
    mover.hub.faults += [
        Fault("close", path=BIG, origin="cdn", after_bytes=500_000),
        Fault("status", path=BIG, origin="cdn", times=-1),
    ]
    with pytest.raises(QwenTuiError):
        mover.fetch()
    (partial,) = list_partials(mover.cache_dir)
    assert (partial.ours, partial.in_use) == (True, False)
    assert purge_partials([partial]) == partial.size_bytes > 0
    mover.hub.faults.clear()
    assert (mover.fetch() / BIG).read_bytes() == files[BIG]


def test_what_a_download_took_up_since_the_list_stays(cache_dir: Path) -> None:
    folder = write_files(
        cache_dir / "models--o--m" / "blobs", {f"{'a' * 40}.incomplete": b"12"}
    )
    (partial,) = list_partials(cache_dir)
    with partial.path.open("ab") as more:
        more.write(b"3")
    assert purge_partials([partial]) == 0
    assert len(list(folder.iterdir())) == 1
    assert purge_partials(list_partials(cache_dir)) == 3


def test_a_live_owner_counts_where_a_lock_lies(cache_dir: Path) -> None:
    name = "a" * 64
    blobs = {f"{name}.incomplete": b"12"}
    write_files(cache_dir / "models--o--m" / "blobs", blobs)
    locks = cache_dir / ".locks" / "models--o--m"
    owner = {**asdict(this_process()), "host": "another-host"}
    write_files(
        locks, {f"{name}.lock": b"", f"{name}.owner": json.dumps(owner).encode()}
    )
    (held,) = list_partials(cache_dir)
    assert held.in_use
    assert purge_partials([replace(held, in_use=False)]) == 0
    os.utime(locks / f"{name}.owner", (1000, 1000))  # silent for long: it has ended
    (free,) = list_partials(cache_dir)
    assert purge_partials([free]) == 2


def test_a_file_where_the_locks_should_lie_is_no_failure(cache_dir: Path) -> None:
    blobs = {f"{'a' * 64}.incomplete": b"12"}
    write_files(cache_dir / "models--o--m" / "blobs", blobs)
    write_files(cache_dir, {".locks": b""})
    (partial,) = list_partials(cache_dir)
    assert not partial.in_use
    assert purge_partials([partial]) == 0  # nothing would hold a download off


def test_where_locks_may_lie_only_silence_makes_an_orphan(cache_dir: Path) -> None:
    folder = write_files(
        cache_dir / "models--o--m" / "blobs", {f"{'a' * 40}.incomplete": b"12"}
    )
    (fresh,) = list_partials(cache_dir, is_network=lambda _folder: True)
    assert fresh.in_use
    assert purge_partials([fresh]) == 0
    os.utime(fresh.path, (1000, 1000))
    (silent,) = list_partials(cache_dir, is_network=lambda _folder: True)
    assert not silent.in_use
    assert purge_partials([silent]) == 2
    assert list(folder.iterdir()) == []


def test_other_folders_and_links_are_left_alone(
    cache_dir: Path, tmp_path: Path
) -> None:
    outside = write_files(tmp_path / "outside", {"x.incomplete": b"precious"})
    write_files(cache_dir / "datasets--o--d" / "blobs", {"x.incomplete": b"1"})
    write_files(cache_dir / "models--..--evil" / "blobs", {"x.incomplete": b"1"})
    linked = cache_dir / "models--o--linked"
    linked.mkdir()
    (linked / "blobs").symlink_to(outside)
    blobs = write_files(cache_dir / "models--o--m" / "blobs", {})
    blobs.mkdir(parents=True)
    (blobs / "y.incomplete").symlink_to(outside / "x.incomplete")
    (link,) = list_partials(cache_dir)
    purge_partials([link])
    assert not (blobs / "y.incomplete").is_symlink()
    assert (outside / "x.incomplete").read_bytes() == b"precious"


def test_no_cache_has_no_partials(tmp_path: Path) -> None:
    assert list_partials(tmp_path / "gone", [tmp_path / "gone too"]) == []
