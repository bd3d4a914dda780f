"""What a cached repo takes, what each revision of it would free, when it was used."""

import os
from pathlib import Path

import pytest

from qwen_tui.hub.cache import LocalModel, list_models
from qwen_tui.hub.leftovers import empty_repos, remove_empty_repos
from tests.fake_hub import FakeHub
from tests.hub.conftest import REPO
from tests.hub.library import library_snapshot
from tests.hub.models import (
    SHA_A,
    SHA_B,
    gguf,
    safetensors,
    sharded_model,
    tree,
    whole_model,
    write_files,
    write_ref,
    write_snapshot,
)

OLD = whole_model()
NEW = {**OLD, "model.safetensors": safetensors(64), "README.md": b"new"}


def only_model(cache_dir: Path) -> LocalModel:
    listed = list_models(cache_dir=cache_dir)
    assert [m.source.name for m in listed][1:] == ["demo"]
    return listed[0]


@pytest.fixture
def two(hub: FakeHub, cache_dir: Path) -> tuple[str, str]:
    """Two revisions by the real library; old and new commit."""
    commits: list[str] = []
    for files in (OLD, NEW):
        commits.append(hub.add_repo(REPO, files))
        library_snapshot(hub, REPO, cache_dir)
    return commits[0], commits[1]


def test_what_revisions_share_counts_once(
    two: tuple[str, str], cache_dir: Path
) -> None:
    from huggingface_hub import scan_cache_dir

    old, new = two
    model = only_model(cache_dir)
    assert model.in_cache
    assert (model.repo, model.source.revision) == (REPO, new)
    (scanned,) = scan_cache_dir(cache_dir).repos
    assert model.size_bytes == scanned.size_on_disk
    contents = {*OLD.values(), *NEW.values()}
    assert model.size_bytes == sum(map(len, contents))
    by_commit = {r.commit: r for r in model.revisions}
    for revision in scanned.revisions:
        ours = by_commit[revision.commit_hash]
        assert ours.size_bytes == revision.size_on_disk
        assert set(ours.refs) == revision.refs
    assert by_commit[old].freed_bytes == len(OLD["model.safetensors"])
    assert by_commit[new].freed_bytes == len(NEW["model.safetensors"]) + len(b"new")


def test_the_only_revision_frees_everything_partials_too(cache_dir: Path) -> None:
    write_snapshot(cache_dir, "o/m", OLD)
    partial = {f"{'f' * 64}.incomplete": b"12345"}
    write_files(cache_dir / "models--o--m" / "blobs", partial)
    model = only_model(cache_dir)
    assert model.complete
    assert model.partial_bytes == 5
    assert model.size_bytes == sum(map(len, OLD.values())) + 5
    assert model.revisions[0].freed_bytes == model.size_bytes


def test_last_used_is_the_newest_read_or_write(cache_dir: Path) -> None:
    snapshot = write_snapshot(cache_dir, "o/m", OLD)
    for number, file in enumerate(sorted(snapshot.iterdir())):
        os.utime(file, (5000 + number, 1000))
    assert only_model(cache_dir).last_used == 5001
    os.utime(snapshot / "config.json", (5000, 9000))  # a disk that keeps no reads
    assert only_model(cache_dir).last_used == 9000


@pytest.mark.parametrize("main", [SHA_A, SHA_B])
def test_revisions_are_told_apart_by_their_refs(cache_dir: Path, main: str) -> None:
    for sha in (SHA_A, SHA_B):
        write_snapshot(cache_dir, "o/m", OLD, sha=sha)
    write_ref(cache_dir, "o/m", main)
    refs = cache_dir / "models--o--m" / "refs"
    write_files(refs, {"v1": SHA_A.encode(), "refs/pr/1": SHA_B.encode()})
    write_files(refs, {"bad": b"\xff", "gone": b"c" * 40})
    model = only_model(cache_dir)
    assert model.revisions[0].commit == main
    named = {r.commit: set(r.refs) for r in model.revisions}
    assert named[SHA_A] - {"main"} == {"v1"}
    assert named[SHA_B] - {"main"} == {"refs/pr/1"}
    assert "main" in named[main]


@pytest.mark.parametrize("what", ["dangling link", "bad ref", "stray file", "loop"])
def test_damage_hides_neither_the_repo_nor_what_is_whole(
    cache_dir: Path, what: str
) -> None:
    write_snapshot(cache_dir, "o/m", OLD, sha=SHA_A)
    write_snapshot(cache_dir, "o/m", OLD, sha=SHA_B)
    repo = cache_dir / "models--o--m"
    if what == "dangling link":
        (repo / "snapshots" / SHA_B / "model.safetensors").resolve().unlink()
    elif what == "bad ref":
        write_ref(cache_dir, "o/m", "e" * 40)
    elif what == "stray file":
        write_files(repo / "snapshots", {"stray": b"x"})
    else:
        (repo / "snapshots" / "loop").symlink_to("loop")
        (repo / "blobs" / "loop").symlink_to(repo / "blobs")
    model = only_model(cache_dir)
    assert model.complete
    assert {r.commit for r in model.revisions} == {SHA_A, SHA_B}


def test_a_bad_gguf_does_not_hide_the_good_one(cache_dir: Path) -> None:
    write_snapshot(cache_dir, "o/g", {"q4.gguf": gguf(), "q8.gguf": b"nonsense"})
    states = {m.source.name: m.complete for m in list_models(cache_dir=cache_dir)}
    assert states == {"o/g/q4.gguf": True, "o/g/q8.gguf": False, "demo": True}


def test_a_gguf_counts_all_its_parts(tmp_path: Path, cache_dir: Path) -> None:
    parts = {f"m-0000{n}-of-00002.gguf": gguf() for n in (1, 2)}
    write_files(tmp_path / "watched" / "g", parts)
    model = list_models(cache_dir=cache_dir, folders=[tmp_path / "watched"])[0]
    assert model.size_bytes == 2 * len(gguf())


def test_watched_folders_are_read_to_depth_two_and_named_by_path(
    tmp_path: Path, cache_dir: Path
) -> None:
    watched = tmp_path / "watched"
    write_files(watched, {"loose.gguf": gguf(), "notes.txt": b"x"})
    write_files(watched / "plain", OLD)
    write_files(watched / "owner" / "sharded", sharded_model())
    write_files(watched / "owner" / "quant", {"q4.gguf": gguf(), "q8.gguf": gguf()})
    write_files(watched / "owner" / "too" / "deep", OLD)
    write_files(watched / ".hidden" / "m", OLD)
    (watched / "again").symlink_to(watched)
    before = tree(watched)
    folders = [watched, watched / "owner", tmp_path / "gone"]
    models = list_models(cache_dir=cache_dir, folders=folders)
    assert [m.source.name for m in models] == [
        "loose.gguf",
        "owner/quant/q4.gguf",
        "owner/quant/q8.gguf",
        "owner/sharded",
        "plain",
        # below the second folder, which lies in the first, one level more
        "too/deep",
        "demo",
    ]
    assert all(m.complete and not m.in_cache and not m.repo for m in models)
    assert tree(watched) == before


def test_a_pipe_in_the_way_holds_nothing_up(cache_dir: Path, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "watched" / "m", {"model.safetensors": b""})
    os.mkfifo(folder / "config.json")
    snapshot = write_snapshot(cache_dir, "o/m", OLD)
    os.mkfifo(snapshot / "pipe")
    models = list_models(cache_dir=cache_dir, folders=[tmp_path / "watched"])
    assert {m.source.name: m.complete for m in models} == {
        "o/m": True,
        "m": False,
        "demo": True,
    }


@pytest.mark.parametrize(
    "header",
    [
        b'{"w": {"data_offsets": [0, Infinity]}}',
        b'{"w": {"data_offsets": [0, 1e999]}}',
        b"[" * 100_000,
        b'{"w": null}',
        b"\xff\xfe",
    ],
    ids=["infinity", "overflow", "deep", "null", "bytes"],
)
def test_a_hostile_header_is_only_damaged(cache_dir: Path, header: bytes) -> None:
    weights = len(header).to_bytes(8, "little") + header
    write_snapshot(cache_dir, "o/m", {**OLD, "model.safetensors": weights})
    assert not only_model(cache_dir).complete


@pytest.mark.parametrize("how", ["a dry run", "a local dir"])
def test_what_the_library_leaves_without_files_is_cleaned(
    hub: FakeHub, cache_dir: Path, tmp_path: Path, how: str
) -> None:
    hub.add_repo(REPO, OLD)
    plain = tmp_path / "plain" if how == "a local dir" else None
    library_snapshot(hub, REPO, cache_dir, local_dir=plain, dry_run=plain is None)
    folder = cache_dir / "models--owner--model"
    assert (folder / "refs" / "main").exists()
    assert [m.source.name for m in list_models(cache_dir=cache_dir)] == ["demo"]
    assert empty_repos(cache_dir) == []  # it may be the beginning of a download
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (1000, 1000))
    assert empty_repos(cache_dir) == [folder]
    assert remove_empty_repos(cache_dir) == 1
    assert not folder.exists()


def test_nothing_that_holds_a_byte_is_cleaned_away(
    cache_dir: Path, tmp_path: Path
) -> None:
    write_snapshot(cache_dir, "o/m", OLD)
    partial = {f"{'f' * 64}.incomplete": b""}
    write_files(cache_dir / "models--o--partial" / "blobs", partial)
    write_files(cache_dir / "models--o--loose" / "snapshots" / SHA_A, OLD)
    write_files(cache_dir / "datasets--o--d" / "refs", {"main": SHA_A.encode()})
    write_files(tmp_path / "elsewhere" / "refs", {"main": SHA_A.encode()})
    (cache_dir / "models--o--link").symlink_to(tmp_path / "elsewhere")
    for path in tmp_path.rglob("*"):
        os.utime(path, (1000, 1000), follow_symlinks=False)
    assert empty_repos(cache_dir) == []
