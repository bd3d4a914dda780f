"""Delete a cached model, or some of its revisions; never anything outside its folder.

What goes is planned by our own walk: huggingface_hub 2.4's scan gives up on a repo with
one dangling link, follows a link that leads out of the cache, and takes a commit for
the same in every repo. The library does the deleting itself, in a process of its own
(`prune`), for it knows how to give back what several repos share.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.errors import ModelNotFound, QwenTuiError
from qwen_tui.hub.cache import DEMO, LocalModel
from qwen_tui.hub.guards import is_own, refuse_download, refuse_use
from qwen_tui.hub.prune import Order, remove_in_process
from qwen_tui.hub.repo_id import repo_of_folder
from qwen_tui.hub.revisions import CachedRepo, read_repo, unshared_blobs
from qwen_tui.hub.weights import gguf_parts, shown
from qwen_tui.i18n import _

_SHORT_COMMIT = 7


@dataclass(frozen=True, slots=True)
class Deletion:
    """What is to go, and what that gives back."""

    title: str
    """The model's name, with the revisions where not all of them go."""
    freed_bytes: int
    commits: tuple[str, ...]
    """The revisions that go, or that lose `file`."""
    whole: bool
    """The whole repo goes, its partials too."""
    folder: Path
    """The models--* folder, absolute."""
    file: str = ""
    """One .gguf of several in its repo; empty for all files of the revisions."""
    files: tuple[Path, ...] = ()
    """Single entries of snapshots."""
    snapshots: tuple[Path, ...] = ()
    refs: tuple[Path, ...] = ()
    """Branches and tags of the revisions, and their listings."""
    blobs: tuple[Path, ...] = ()
    """Of these revisions alone."""

    @property
    def paths(self) -> tuple[Path, ...]:
        """Everything that is gone afterwards."""
        if self.whole:
            return (self.folder,)
        return (*self.files, *self.snapshots, *self.refs, *self.blobs)


def plan_deletion(
    model: LocalModel, commits: tuple[str, ...] = (), *, cache_dir: Path
) -> Deletion:
    """Return what deleting a model, or some of its revisions, removes and frees.

    Args:
        model: Of `list_models`. Of a repo with several .gguf files one is a model of
            its own: then only that file goes.
        commits: Full commits of its revisions; empty for all.
        cache_dir: The HF cache that the model was listed from.

    Raises:
        QwenTuiError: "not_ours", it does not lie in the cache itself.
        ModelNotFound: a commit is not here.
    """
    folder = _own_folder(model, cache_dir)
    repo = read_repo(folder)
    unknown = [commit for commit in commits if commit not in repo.snapshots]
    if unknown:
        raise ModelNotFound(
            _("{name} has no revision {revision} here.").format(
                name=shown(model.repo), revision=shown(unknown[0])
            ),
            hint=_("See what is there: {command}").format(
                command="qwen-tui models list --json"
            ),
        )
    wanted = commits or tuple(repo.snapshots)
    return _plan(model.repo, repo, wanted, model.file_in_repo)


def delete(
    deletion: Deletion,
    *,
    in_use: Sequence[Path] = (),
    remove: Callable[[Order], str] = remove_in_process,
) -> int:
    """Delete what was planned and return the bytes freed. Blocking.

    What has changed since the plan counts: a blob that a new revision uses stays.

    Args:
        deletion: Of `plan_deletion`.
        in_use: Paths of models that this program has loaded.
        remove: Carries an order out and returns what was said about it.

    Raises:
        QwenTuiError: "in_use", here or by another qwen-tui on this machine (see
            `held.is_in_use` for what that cannot see); "downloading"; "changed",
            more would go than was planned; "not_deleted", something is still there.
    """
    repo = read_repo(deletion.folder)
    name = repo_of_folder(deletion.folder.name) or deletion.folder.name
    present = tuple(c for c in deletion.commits if c in repo.snapshots)
    now = _plan(name, repo, present, deletion.file)
    if now.whole and not deletion.whole:
        raise QwenTuiError(
            _("{name} has changed meanwhile.").format(name=shown(name)),
            hint=_("Look at it again, then delete what is left."),
            code="changed",
        )
    refuse_use(now.title, _places(now, repo), in_use)
    refuse_download(now.folder, name)
    if now.paths:
        _look_again(now, remove(_order(now)))
    return now.freed_bytes


def _plan(name: str, repo: CachedRepo, commits: tuple[str, ...], file: str) -> Deletion:
    parts = {part.as_posix() for part in gguf_parts(Path(file))}
    title = f"{name}/{file}" if file else name
    if len(commits) == len(repo.snapshots) and not file:
        freed_bytes = repo.all_freed_bytes()
        return Deletion(title, freed_bytes, commits, whole=True, folder=repo.folder)
    if len(commits) < len(repo.snapshots):
        short = ", ".join(commit[:_SHORT_COMMIT] for commit in commits)
        title = _("{name}, revision {revision}").format(name=title, revision=short)
    doomed = [
        entry
        for commit in commits
        for entry in repo.snapshots[commit]
        if not file or entry.path in parts
    ]
    blobs = unshared_blobs(repo, doomed)
    return Deletion(
        title,
        repo.freed_bytes(doomed),
        commits,
        whole=False,
        folder=repo.folder,
        file=file,
        files=tuple(entry.file for entry in doomed) if file else (),
        snapshots=() if file else tuple(_snapshots(repo, commits)),
        refs=() if file else tuple(_refs(repo, commits)),
        blobs=tuple(p for p in blobs if p.parent == repo.folder / "blobs"),
    )


def _snapshots(repo: CachedRepo, commits: Iterable[str]) -> Iterator[Path]:
    return (repo.folder / "snapshots" / commit for commit in commits)


def _refs(repo: CachedRepo, commits: tuple[str, ...]) -> Iterator[Path]:
    for ref, commit in repo.refs.items():
        if commit in commits:
            yield repo.folder / "refs" / ref
    for commit in commits:
        tree = repo.folder / "trees" / f"{commit}.json"
        if tree.is_file():
            yield tree


def _places(deletion: Deletion, repo: CachedRepo) -> Iterator[Path]:
    """What an engine would have loaded of what goes."""
    if not deletion.file:
        yield from _snapshots(repo, deletion.commits)
    for commit in deletion.commits:
        for entry in repo.snapshots[commit]:
            goes = deletion.whole or entry.blob in deletion.blobs
            if goes and entry.path.endswith(".gguf"):
                yield entry.file


def _own_folder(model: LocalModel, cache_dir: Path) -> Path:
    """The repo's folder in the cache, its parent resolved."""
    cache = cache_dir.resolve()
    listed = model.repo_folder
    if listed is not None and listed.parent.resolve() == cache:
        folder = cache / listed.name
        if repo_of_folder(folder.name) is not None and is_own(folder):
            return folder
    hint = _("qwen-tui deletes nothing there; remove it by hand: {path}").format(
        path=shown(model.source.path)
    )
    if model.source.name == DEMO:
        hint = _("The demo model is a part of qwen-tui.")
    raise QwenTuiError(
        _("{name} does not lie in the Hugging Face cache itself.").format(
            name=shown(model.source.name)
        ),
        hint=hint,
        code="not_ours",
    )


def _order(deletion: Deletion) -> Order:
    return Order(
        cache_dir=deletion.folder.parent,
        repos=(deletion.folder,) if deletion.whole else (),
        files=deletion.files,
        snapshots=deletion.snapshots,
        refs=deletion.refs,
        blobs=deletion.blobs,
    )


def _look_again(deletion: Deletion, said: str) -> None:
    """Raise where something is still there: the library only logs what it cannot."""
    left = [path for path in deletion.paths if os.path.lexists(path)]
    if left:
        raise QwenTuiError(
            _("{path} could not be deleted: {reason}").format(
                path=shown(left[0]), reason=shown(said[-200:])
            ),
            hint=_("Check its permissions; what could be deleted is gone."),
            code="not_deleted",
        )
