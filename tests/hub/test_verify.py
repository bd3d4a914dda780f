"""Every flipped bit is found offline, and only its file is fetched again."""

import os
import threading
from pathlib import Path

import pytest

from qwen_tui.hub.cache import LocalModel, list_models
from qwen_tui.hub.find import find_local
from qwen_tui.hub.verify import (
    VerifyProgress,
    VerifyResult,
    discard_bad,
    verify_model,
)
from tests.fake_hub import FakeHub, etag
from tests.hub.conftest import BIG, REPO, Mover
from tests.hub.library import library_snapshot
from tests.hub.models import gguf, same_as, whole_model, write_files, write_snapshot

LONG_AGO = 1_000_000_000.0


def result_of(model: LocalModel) -> VerifyResult:
    last = list(verify_model(model, threading.Event()))[-1]
    assert isinstance(last, VerifyResult)
    return last


def cached(mover: Mover) -> LocalModel:
    return find_local(REPO, cache_dir=mover.cache_dir)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def test_a_good_model_is_good_without_any_request(
    mover: Mover, files: dict[str, bytes]
) -> None:
    mover.fetch()
    before = len(mover.hub.requests())
    events = list(verify_model(cached(mover), threading.Event()))
    assert events[-1] == VerifyResult(len(files), (), ())
    progress = [e for e in events if isinstance(e, VerifyProgress)]
    total = sum(map(len, files.values()))
    assert {e.total_bytes for e in progress} == {total}
    done = [e.done_bytes for e in progress]
    assert done == sorted(done)
    assert done[-1] <= total
    assert {e.file for e in progress} == set(files)
    assert len(mover.hub.requests()) == before


@pytest.mark.parametrize("bad", [BIG, "config.json"], ids=["sha256", "git sha1"])
def test_a_flipped_bit_is_named_and_only_that_file_comes_again(
    mover: Mover, files: dict[str, bytes], bad: str
) -> None:
    snapshot = mover.fetch()
    blob = mover.blob(etag(bad, files[bad]))
    flip(blob)
    result = result_of(cached(mover))
    (found,) = result.bad
    assert (found.path_in_repo, found.blob) == (bad, blob)
    assert found.revision == snapshot.name
    assert found.reason
    assert result.checked == len(files)
    before = {path: mover.hub.file_bytes(path) for path in files}
    assert discard_bad(result.bad) == len(files[bad])
    mover.fetch()
    again = {path for path in files if mover.hub.file_bytes(path) > before[path]}
    assert again == {bad}
    assert same_as(snapshot, files)
    assert result_of(cached(mover)).bad == ()


def test_a_missing_blob_is_bad_and_comes_again(
    mover: Mover, files: dict[str, bytes]
) -> None:
    snapshot = mover.fetch()
    mover.blob(etag(BIG, files[BIG])).unlink()
    result = result_of(cached(mover))
    assert [bad.path_in_repo for bad in result.bad] == [BIG]
    assert discard_bad(result.bad) == 0
    mover.fetch()
    assert same_as(snapshot, files)


def test_an_old_revision_is_checked_too_and_a_shared_blob_once(
    mover: Mover, files: dict[str, bytes]
) -> None:
    old = mover.fetch()
    newer = {**files, "config.json": b'{"model_type": "qwen3", "new": 1}'}
    mover.hub.add_repo(REPO, newer)
    mover.fetch()
    flip(mover.blob(etag("config.json", files["config.json"])))
    result = result_of(cached(mover))
    assert result.checked == len(files) + 1
    assert [(b.path_in_repo, b.revision) for b in result.bad] == [
        ("config.json", old.name)
    ]


def test_where_a_filesystem_has_no_links_the_listing_knows_the_hash(
    mover: Mover, files: dict[str, bytes]
) -> None:
    snapshot = mover.fetch()
    for path in files:
        link = snapshot / path
        content = link.read_bytes()
        link.resolve().unlink()
        link.unlink()
        link.write_bytes(content)
    assert result_of(cached(mover)) == VerifyResult(len(files), (), ())
    flip(snapshot / BIG)
    (bad,) = result_of(cached(mover)).bad
    assert bad.blob == snapshot / BIG


@pytest.mark.parametrize("by", ["us", "the library"])
def test_a_plain_folder_is_checked_by_its_records(
    mover: Mover, hub: FakeHub, files: dict[str, bytes], tmp_path: Path, by: str
) -> None:
    plain = tmp_path / "plain"
    if by == "us":
        mover.fetch(local_dir=plain)
    else:
        library_snapshot(hub, REPO, mover.cache_dir, local_dir=plain)
    write_files(plain, {"notes.txt": b"mine"})
    model = find_local(str(plain), cache_dir=mover.cache_dir)
    result = result_of(model)
    assert (result.checked, result.bad) == (len(files), ())
    assert "notes.txt" in result.unknown
    flip(plain / BIG)
    (bad,) = result_of(model).bad
    assert (bad.path_in_repo, bad.blob, bad.revision) == (BIG, plain / BIG, "")
    before = {path: hub.file_bytes(path) for path in files}
    discard_bad([bad])
    mover.fetch(local_dir=plain)
    again = {path for path in files if hub.file_bytes(path) > before[path]}
    assert again == {BIG}
    assert same_as(plain, files)


def test_what_has_no_known_hash_is_said_to_have_none(
    tmp_path: Path, cache_dir: Path
) -> None:
    file = write_files(tmp_path, {"m.gguf": gguf()}) / "m.gguf"
    model = find_local(str(file), cache_dir=cache_dir)
    assert result_of(model) == VerifyResult(0, (), ("m.gguf",))
    demo = result_of(find_local("demo", cache_dir=cache_dir))
    assert demo.checked == 0
    assert "config.json" in demo.unknown
    write_snapshot(cache_dir, "o/odd", whole_model())  # blobs named "a0", "a1"
    odd = result_of(find_local("o/odd", cache_dir=cache_dir))
    assert (odd.checked, set(odd.unknown)) == (0, set(whole_model()))


def test_one_gguf_of_several_is_checked_alone(mover: Mover) -> None:
    mover.hub.add_repo("o/g", {"q4.gguf": gguf() + b"4", "q8.gguf": gguf() + b"8"})
    library_snapshot(mover.hub, "o/g", mover.cache_dir)
    q4, q8 = (
        find_local(f"o/g/{name}", cache_dir=mover.cache_dir)
        for name in ("q4.gguf", "q8.gguf")
    )
    flip(Path(q8.source.path).resolve())
    assert result_of(q4) == VerifyResult(1, (), ())
    assert [bad.path_in_repo for bad in result_of(q8).bad] == ["q8.gguf"]
    assert result_of(find_local("o/g", cache_dir=mover.cache_dir)).checked == 2


def test_a_stop_ends_it_without_a_result(mover: Mover) -> None:
    mover.fetch()
    stop = threading.Event()
    seen: list[VerifyProgress | VerifyResult] = []
    for event in verify_model(cached(mover), stop):
        seen.append(event)
        if isinstance(event, VerifyProgress) and event.file == BIG:
            stop.set()
    assert not any(isinstance(event, VerifyResult) for event in seen)


def test_neither_a_list_nor_a_check_makes_a_model_look_used(mover: Mover) -> None:
    snapshot = mover.fetch()
    for file in snapshot.rglob("*"):
        if file.is_file():
            os.utime(file, (LONG_AGO, LONG_AGO))
    for _again in range(2):
        model = list_models(cache_dir=mover.cache_dir)[0]
        assert model.last_used == LONG_AGO
        assert not result_of(model).bad
