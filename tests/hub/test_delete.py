"""What is deleted is what was chosen, and never a byte more."""

import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from qwen_tui.errors import ModelNotFound, QwenTuiError
from qwen_tui.hub.cache import LocalModel, list_models
from qwen_tui.hub.delete import Deletion, delete, plan_deletion
from qwen_tui.hub.find import find_local
from qwen_tui.hub.prune import remove
from tests.fake_hub import FakeHub, etag
from tests.hub.conftest import REPO, Mover
from tests.hub.library import library_download, library_snapshot
from tests.hub.models import (
    SHA_A,
    SHA_B,
    gguf,
    safetensors,
    tree,
    whole_model,
    write_files,
    write_ref,
    write_snapshot,
)
from tests.hub.test_partials import HUGE, HUGE_FILES, our_download

OLD = whole_model()
NEW = {**OLD, "model.safetensors": safetensors(64)}


def model_of(cache_dir: Path, name: str = REPO) -> LocalModel:
    return find_local(name, cache_dir=cache_dir)


def gone(plan: Deletion, *, in_use: Sequence[Path] = ()) -> int:
    """Delete in this process: starting another one takes most of a second."""
    return delete(plan, in_use=in_use, remove=remove)


def code_of(refused: pytest.ExceptionInfo[QwenTuiError]) -> str:
    assert refused.value.message
    assert refused.value.hint
    return refused.value.code


@pytest.fixture
def two(hub: FakeHub, cache_dir: Path) -> tuple[str, str]:
    """Two revisions of one repo that share config.json; old and new commit."""
    commits: list[str] = []
    for files in (OLD, NEW):
        commits.append(hub.add_repo(REPO, files))
        library_snapshot(hub, REPO, cache_dir)
    return commits[0], commits[1]


def test_a_model_goes_as_a_whole_and_nothing_else_does(
    mover: Mover, hub: FakeHub, files: dict[str, bytes]
) -> None:
    hub.add_repo("o/other", whole_model())
    library_snapshot(hub, "o/other", mover.cache_dir)
    folder = mover.fetch().parent.parent
    before = {p: c for p, c in tree(mover.cache_dir).items() if folder not in p.parents}
    plan = plan_deletion(model_of(mover.cache_dir), cache_dir=mover.cache_dir)
    assert plan.freed_bytes == sum(map(len, files.values()))
    assert plan.paths == (folder,)
    assert delete(plan) == plan.freed_bytes
    del before[folder]
    assert tree(mover.cache_dir) == before


def test_an_old_revision_goes_and_what_it_shares_stays(
    two: tuple[str, str], cache_dir: Path
) -> None:
    from huggingface_hub import scan_cache_dir

    old, new = two
    model = model_of(cache_dir)
    assert [(r.commit, r.refs) for r in model.revisions] == [
        (new, ("main",)),
        (old, ()),
    ]
    plan = plan_deletion(model, (old,), cache_dir=cache_dir)
    only_old = len(OLD["model.safetensors"])
    assert plan.freed_bytes == model.revisions[1].freed_bytes == only_old
    assert old[:7] in plan.title
    assert gone(plan) == only_old
    left = model_of(cache_dir)
    assert left.complete
    assert [r.commit for r in left.revisions] == [new]
    assert left.size_bytes == sum(map(len, NEW.values()))
    scan = scan_cache_dir(cache_dir)
    assert not scan.warnings
    assert [r.size_on_disk for r in scan.repos] == [left.size_bytes]
    assert not [p for p in cache_dir.rglob("*") if old in p.name]


def test_the_last_revision_takes_the_repo_with_it(
    two: tuple[str, str], cache_dir: Path
) -> None:
    for commit in two:
        gone(plan_deletion(model_of(cache_dir), (commit,), cache_dir=cache_dir))
    assert [p.name for p in cache_dir.iterdir() if p.name.startswith("models")] == []


def test_a_revision_that_is_not_here_is_named(
    two: tuple[str, str], cache_dir: Path
) -> None:
    with pytest.raises(ModelNotFound, match="cccc"):
        plan_deletion(model_of(cache_dir), ("c" * 40,), cache_dir=cache_dir)


def test_a_commit_that_another_repo_has_too_goes_only_here(cache_dir: Path) -> None:
    for repo in ("o/copy", "o/m", "o/z-copy"):
        write_snapshot(cache_dir, repo, OLD, sha=SHA_A)
        write_snapshot(cache_dir, repo, OLD, sha=SHA_B)
    keep = {p: c for p, c in tree(cache_dir).items() if "models--o--m" not in p.parts}
    plan = plan_deletion(model_of(cache_dir, "o/m"), (SHA_A,), cache_dir=cache_dir)
    gone(plan)
    now = {p: c for p, c in tree(cache_dir).items() if "models--o--m" not in p.parts}
    assert now == keep
    assert [r.commit for r in model_of(cache_dir, "o/m").revisions] == [SHA_B]


def damage(repo_folder: Path, kind: str) -> None:
    if kind == "dangling link":
        next((repo_folder / "blobs").iterdir()).unlink()
    elif kind == "bad ref":
        write_files(repo_folder / "refs", {"main": b"nonsense"})
    elif kind == "stray file":
        write_files(repo_folder / "snapshots", {"stray": b"x"})
    else:
        write_files(repo_folder / "blobs", {f"{'a' * 40}.incomplete": b"x" * 100})


@pytest.mark.parametrize("kind", ["dangling link", "bad ref", "stray file", "partial"])
def test_a_damaged_repo_can_be_deleted(
    two: tuple[str, str], cache_dir: Path, kind: str
) -> None:
    folder = cache_dir / "models--owner--model"
    damage(folder, kind)
    plan = plan_deletion(model_of(cache_dir), cache_dir=cache_dir)
    assert gone(plan) == plan.freed_bytes > 0
    assert not folder.exists()


@pytest.mark.parametrize("kind", ["dangling link", "bad ref", "stray file", "partial"])
def test_a_revision_of_a_damaged_repo_can_be_deleted(
    two: tuple[str, str], cache_dir: Path, kind: str
) -> None:
    old, new = two
    damage(cache_dir / "models--owner--model", kind)
    gone(plan_deletion(model_of(cache_dir), (old,), cache_dir=cache_dir))
    assert [r.commit for r in model_of(cache_dir).revisions] == [new]


def test_a_link_that_leads_out_of_the_cache_costs_nothing_outside(
    cache_dir: Path, tmp_path: Path
) -> None:
    outside = write_files(tmp_path / "outside", {"a": b"precious", "sub/b": b"too"})
    before = tree(outside)
    for sha in (SHA_A, SHA_B):
        snapshot = write_snapshot(cache_dir, "o/m", OLD, sha=sha)
        (snapshot / "evil.json").symlink_to("../../../../outside/a")
        (snapshot / "evil").symlink_to(outside)
        blob = snapshot.parent.parent / "blobs" / ("d" * 40)
        if not blob.is_symlink():
            blob.symlink_to(outside / "a")
        (snapshot / "out.json").symlink_to(f"../../blobs/{blob.name}")
    model = model_of(cache_dir, "o/m")
    plan = plan_deletion(model, (SHA_A,), cache_dir=cache_dir)
    own = sum(map(len, OLD.values()))
    assert plan.freed_bytes == own
    gone(plan)
    assert tree(outside) == before
    plan = plan_deletion(model_of(cache_dir, "o/m"), cache_dir=cache_dir)
    assert plan.freed_bytes == own
    gone(plan)
    assert tree(outside) == before
    assert not (cache_dir / "models--o--m").exists()


@pytest.mark.parametrize("linked", ["repo", "blobs", "snapshots", "refs"])
def test_what_is_only_linked_into_the_cache_is_not_ours(
    cache_dir: Path, tmp_path: Path, linked: str
) -> None:
    write_snapshot(cache_dir, "o/m", OLD)
    write_ref(cache_dir, "o/m", SHA_A)
    repo = cache_dir / "models--o--m"
    place = repo if linked == "repo" else repo / linked
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    before = tree(tmp_path)
    with pytest.raises(QwenTuiError) as refused:
        plan_deletion(list_models(cache_dir=cache_dir)[0], cache_dir=cache_dir)
    assert code_of(refused) == "not_ours"
    assert tree(tmp_path) == before


def test_watched_folders_and_the_demo_are_not_ours(
    cache_dir: Path, tmp_path: Path
) -> None:
    write_files(tmp_path / "watched" / "mine", OLD)
    models = list_models(cache_dir=cache_dir, folders=[tmp_path / "watched"])
    assert [m.source.name for m in models] == ["mine", "demo"]
    for model in models:
        with pytest.raises(QwenTuiError) as refused:
            plan_deletion(model, cache_dir=cache_dir)
        assert code_of(refused) == "not_ours"


def test_a_model_of_another_cache_is_not_ours(cache_dir: Path, tmp_path: Path) -> None:
    write_snapshot(cache_dir, "o/m", OLD)
    with pytest.raises(QwenTuiError) as refused:
        plan_deletion(model_of(cache_dir, "o/m"), cache_dir=tmp_path / "other")
    assert code_of(refused) == "not_ours"


def test_the_revision_that_is_loaded_stays(
    two: tuple[str, str], cache_dir: Path, tmp_path: Path
) -> None:
    old, _new = two
    model = model_of(cache_dir)
    (tmp_path / "link").symlink_to(cache_dir)
    loaded = tmp_path / "link" / Path(model.source.path).relative_to(cache_dir)
    plan = plan_deletion(model, cache_dir=cache_dir)
    with pytest.raises(QwenTuiError) as refused:
        gone(plan, in_use=[loaded])
    assert code_of(refused) == "in_use"
    assert model_of(cache_dir) == model
    gone(plan_deletion(model, (old,), cache_dir=cache_dir), in_use=[loaded])
    assert model_of(cache_dir).complete


@contextmanager
def held_by_another(path: Path) -> Generator[None]:
    """Hold a model in another process as an engine does."""
    code = (
        "import fcntl, os, sys\n"
        "fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_SH)\n"
        "print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield
        process.kill()


def test_a_model_that_another_program_has_loaded_stays(
    two: tuple[str, str], cache_dir: Path
) -> None:
    old, _new = two
    model = model_of(cache_dir)
    plan = plan_deletion(model, cache_dir=cache_dir)
    with held_by_another(Path(model.source.path)):
        with pytest.raises(QwenTuiError) as refused:
            gone(plan)
        gone(plan_deletion(model, (old,), cache_dir=cache_dir))
    assert code_of(refused) == "in_use"
    gone(plan)


def test_a_gguf_that_is_loaded_stays_and_the_other_one_goes(
    hub: FakeHub, cache_dir: Path
) -> None:
    hub.add_repo("o/g", {"q4.gguf": gguf() + b"4", "q8.gguf": gguf() + b"88"})
    library_snapshot(hub, "o/g", cache_dir)
    q4, q8 = model_of(cache_dir, "o/g/q4.gguf"), model_of(cache_dir, "o/g/q8.gguf")
    plans = [plan_deletion(m, cache_dir=cache_dir) for m in (q4, q8)]
    assert [p.title for p in plans] == ["o/g/q4.gguf", "o/g/q8.gguf"]
    for _name, use in (("ours", True), ("another's", False)):
        with held_by_another(Path(q4.source.path)), pytest.raises(QwenTuiError) as no:
            gone(plans[0], in_use=[Path(q4.source.path)] if use else [])
        assert code_of(no) == "in_use"
    assert gone(plans[1], in_use=[Path(q4.source.path)]) == len(gguf()) + 2
    left = [m.source.name for m in list_models(cache_dir=cache_dir)]
    assert left == ["o/g", "demo"]
    assert model_of(cache_dir, "o/g").complete


def test_a_repo_that_is_being_downloaded_stays(
    mover: Mover, two: tuple[str, str], cache_dir: Path, files: dict[str, bytes]
) -> None:
    plan = plan_deletion(model_of(cache_dir), cache_dir=cache_dir)
    mover.hub.add_repo(REPO, files)
    with our_download(mover), pytest.raises(QwenTuiError) as refused:
        gone(plan)
    assert code_of(refused) == "downloading"
    hub = mover.hub
    hub.release.clear()
    hub.add_repo(REPO, HUGE_FILES)
    with (
        library_download(hub, REPO, HUGE, cache_dir),
        pytest.raises(QwenTuiError) as refused,
    ):
        gone(plan)
    assert code_of(refused) == "downloading"


def test_a_blob_that_a_new_revision_took_up_meanwhile_stays(
    hub: FakeHub, cache_dir: Path
) -> None:
    for files in (OLD, NEW):
        hub.add_repo(REPO, files)
        library_snapshot(hub, REPO, cache_dir)
    model = model_of(cache_dir)
    old = model.revisions[1].commit
    plan = plan_deletion(model, (old,), cache_dir=cache_dir)
    hub.add_repo(REPO, {**OLD, "README.md": b"again"})
    library_snapshot(hub, REPO, cache_dir)
    assert gone(plan) == 0
    left = model_of(cache_dir)
    assert left.complete
    assert len(left.revisions) == 2
    assert (
        (cache_dir / "models--owner--model" / "blobs")
        .joinpath(etag("model.safetensors", OLD["model.safetensors"]))
        .exists()
    )


def test_a_plan_for_one_revision_never_takes_the_whole_repo(
    two: tuple[str, str], cache_dir: Path
) -> None:
    old, new = two
    model = model_of(cache_dir)
    plan = plan_deletion(model, (old,), cache_dir=cache_dir)
    gone(plan_deletion(model, (new,), cache_dir=cache_dir))
    before = tree(cache_dir)
    with pytest.raises(QwenTuiError) as refused:
        gone(plan)
    assert code_of(refused) == "changed"
    assert tree(cache_dir) == before


def test_what_has_another_name_elsewhere_frees_nothing(
    cache_dir: Path, tmp_path: Path
) -> None:
    snapshot = write_snapshot(cache_dir, "o/m", OLD)
    weights = (snapshot / "model.safetensors").resolve()
    os.link(weights, tmp_path / "backup")
    model = model_of(cache_dir, "o/m")
    assert model.size_bytes == sum(map(len, OLD.values()))
    plan = plan_deletion(model, cache_dir=cache_dir)
    assert plan.freed_bytes == len(OLD["config.json"])


def share(cache_dir: Path, repo: str, name: str, content: bytes) -> None:
    """Move a blob into the store for all repos, as huggingface_hub 2.4 does."""
    from huggingface_hub.utils import _shared_blobs

    blob = cache_dir / ("models--" + repo.replace("/", "--")) / "blobs" / name
    assert _shared_blobs.publish_blob_to_shared_store(
        blob_path=str(blob),
        xet_hash="f" * 64,
        cache_dir=cache_dir,
        expected_size=len(content),
    )
    assert blob.is_symlink()


def test_what_several_repos_share_goes_with_the_last_of_them(
    hub: FakeHub, cache_dir: Path
) -> None:
    weights = OLD["model.safetensors"]
    for repo in ("o/a", "o/b"):
        hub.add_repo(repo, OLD)
        library_snapshot(hub, repo, cache_dir)
        share(cache_dir, repo, etag("model.safetensors", weights), weights)
    payload = cache_dir / "blobs" / "ff" / ("f" * 64)
    assert model_of(cache_dir, "o/a").size_bytes == sum(map(len, OLD.values()))
    first = plan_deletion(model_of(cache_dir, "o/a"), cache_dir=cache_dir)
    assert delete(first) == first.freed_bytes == len(OLD["config.json"])
    assert payload.read_bytes() == weights
    assert model_of(cache_dir, "o/b").complete
    last = plan_deletion(model_of(cache_dir, "o/b"), cache_dir=cache_dir)
    assert delete(last) == last.freed_bytes == sum(map(len, OLD.values()))
    assert not payload.exists()


def test_what_could_not_be_deleted_is_named(
    two: tuple[str, str], cache_dir: Path
) -> None:
    plan = plan_deletion(model_of(cache_dir), cache_dir=cache_dir)
    with pytest.raises(QwenTuiError) as failed:
        delete(plan, remove=lambda _order: "PermissionError: denied")
    assert code_of(failed) == "not_deleted"
    assert "models--owner--model" in failed.value.message
    assert "denied" in failed.value.message


def test_deleting_twice_is_no_failure(two: tuple[str, str], cache_dir: Path) -> None:
    plan = plan_deletion(model_of(cache_dir), cache_dir=cache_dir)
    gone(plan)
    assert gone(plan) == 0
