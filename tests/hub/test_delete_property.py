"""Whatever the cache looks like: only what the chosen revisions alone have goes."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_tui.hub.cache import LocalModel, list_models
from qwen_tui.hub.delete import delete, plan_deletion
from qwen_tui.hub.prune import remove
from tests.hub.models import tree, write_files

COMMITS = tuple(letter * 40 for letter in "abcd")
PATHS: tuple[str, ...] = ("config.json", "model.safetensors", "q4.gguf", "sub/deep.txt")
CONTENTS = tuple(bytes([n]) * (10 * n) for n in range(1, 6))
REPO = "o/m"


@dataclass(frozen=True)
class Cache:
    """A repo of some revisions, what is wrong with it, and what shall go."""

    revisions: Mapping[str, Mapping[str, bytes]]
    damage: frozenset[str]
    chosen: tuple[str, ...]

    def blobs(self, commits: set[str]) -> set[str]:
        return {
            hashlib.sha256(content).hexdigest()
            for commit in commits
            for content in self.revisions[commit].values()
        }


@st.composite
def caches(draw: st.DrawFn) -> Cache:
    commits = draw(st.lists(st.sampled_from(COMMITS), min_size=1, unique=True))
    files: st.SearchStrategy[dict[str, bytes]] = st.dictionaries(
        st.sampled_from(PATHS), st.sampled_from(CONTENTS)
    )
    revisions = {commit: draw(files) for commit in commits}
    kinds = ["dangling", "outside", "outside blob", "bad ref", "partial", "stray"]
    damage = draw(st.frozensets(st.sampled_from(kinds)))
    chosen = draw(st.lists(st.sampled_from(commits), min_size=1, unique=True))
    return Cache(revisions, damage, tuple(chosen))


def build(cache: Cache, root: Path) -> Path:
    """Write it, with a precious folder and another repo beside it."""
    write_files(root / "outside", {"precious": b"p" * 77})
    for repo in (REPO, "a/other"):
        folder = root / "hub" / ("models--" + repo.replace("/", "--"))
        for commit, files in cache.revisions.items():
            (folder / "snapshots" / commit).mkdir(parents=True)
            for path, content in files.items():
                link(folder, commit, path, content)
        if repo == REPO:
            hurt(cache, folder, root / "outside" / "precious")
    return root / "hub"


def link(folder: Path, commit: str, path: str, content: bytes) -> None:
    name = hashlib.sha256(content).hexdigest()
    write_files(folder / "blobs", {name: content})
    file = folder / "snapshots" / commit / path
    file.parent.mkdir(exist_ok=True)
    file.symlink_to(os.path.relpath(folder / "blobs" / name, file.parent))


def hurt(cache: Cache, folder: Path, precious: Path) -> None:
    first = folder / "snapshots" / next(iter(cache.revisions))
    if "dangling" in cache.damage:
        (first / "gone").symlink_to("../../blobs/gone")
    if "outside" in cache.damage:
        (first / "evil").symlink_to(precious)
        (first / "evil folder").symlink_to(precious.parent)
    if "outside blob" in cache.damage:
        write_files(folder / "blobs", {})
        (folder / "blobs").mkdir(exist_ok=True)
        (folder / "blobs" / "evil").symlink_to(precious)
        (first / "evil blob").symlink_to("../../blobs/evil")
    if "bad ref" in cache.damage:
        write_files(folder / "refs", {"main": b"nonsense", "old": b"e" * 40})
    if "partial" in cache.damage:
        write_files(folder / "blobs", {f"{'f' * 64}.incomplete": b"x" * 33})
    if "stray" in cache.damage:
        write_files(folder / "snapshots", {"stray": b"x"})


def below(snapshot: Path) -> dict[str, bytes | None]:
    """What a program reads in a revision; None where a link dangles."""
    return {
        str(path.relative_to(snapshot)): path.read_bytes() if path.exists() else None
        for path in snapshot.rglob("*")
        if not path.is_dir()
    }


def disk_bytes(folder: Path) -> int:
    parts = [*folder.glob("blobs/*")]
    return sum(p.lstat().st_size for p in parts if p.is_file() and not p.is_symlink())


def model_in(hub: Path) -> LocalModel:
    listed = list_models(cache_dir=hub)
    found = [model for model in listed if model.repo == REPO]
    assert found, "a repo with snapshots is never hidden"
    return found[0]


@settings(max_examples=50, deadline=None)
@given(caches())
def test_only_what_the_chosen_revisions_alone_have_goes(cache: Cache) -> None:
    root = Path(tempfile.mkdtemp(prefix="qwen-tui-test-"))
    try:
        check(cache, root)
    finally:
        shutil.rmtree(root)


def check(cache: Cache, root: Path) -> None:
    hub = build(cache, root)
    folder = hub / "models--o--m"
    model = model_in(hub)
    if model.file_in_repo:
        return  # one .gguf of several is a model of its own: see test_delete
    kept = set(cache.revisions) - set(cache.chosen)
    around = {p: c for p, c in tree(root).items() if folder not in (p, *p.parents)}
    read = {commit: below(folder / "snapshots" / commit) for commit in kept}
    blobs = {path.name for path in folder.glob("blobs/*")}
    before = disk_bytes(folder)
    plan = plan_deletion(model, cache.chosen, cache_dir=hub)
    assert delete(plan, remove=remove) == plan.freed_bytes
    now = {p: c for p, c in tree(root).items() if folder not in (p, *p.parents)}
    assert now == around
    assert before - disk_bytes(folder) == plan.freed_bytes
    assert {c: below(folder / "snapshots" / c) for c in kept} == read
    assert not any((folder / "snapshots" / c).exists() for c in cache.chosen)
    if not kept:
        assert not folder.exists()
        return
    lost = blobs - {path.name for path in folder.glob("blobs/*")}
    own = cache.blobs(set(cache.chosen)) - cache.blobs(kept)
    assert lost - {"evil"} == own
