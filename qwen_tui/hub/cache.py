"""The models on this machine: what they are, what they take, whether they are whole.

The walk is our own: one dangling link or bad ref makes huggingface_hub 2.4's
`scan_cache_dir` leave a repo out. Standard library only, for the UI imports it.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from qwen_tui.chat.backend import ModelSource
from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.layout import (
    Stat,
    cached_snapshots,
    entries,
    exists,
    folder_stats,
    look,
    once,
    subfolders,
)
from qwen_tui.hub.repo_id import is_commit, repo_of_folder
from qwen_tui.hub.revisions import CachedRepo, LocalRevision, read_repo
from qwen_tui.hub.weights import (
    check_gguf,
    check_weights,
    gguf_models,
    gguf_parts,
    unfinished,
)
from qwen_tui.paths import demo_model

DEMO = "demo"
_FOLDER_DEPTH = 2  # folders/<model> and folders/<owner>/<model>


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model on this machine, whole or not."""

    source: ModelSource
    """Of a cached repo the revision that is loaded: the first whole one."""
    size_bytes: int
    """On disk: of a cached repo all revisions, what they share once, and partials."""
    complete: bool
    reason: str
    """Why it is not complete, translated; else empty."""
    last_used: float | None = None
    """Unix time of the newest read or write of its files, as far as the disk keeps
    it (see `layout.Stat`); None without files."""
    partial_bytes: int = 0
    """Of unfinished files of its repo, ours and other tools'."""
    revisions: tuple[LocalRevision, ...] = ()
    in_cache: bool = False
    repo: str = ""
    """Repo id; empty where it does not lie in the HF cache."""
    repo_folder: Path | None = None
    """The models--* folder; None where it does not lie in the HF cache."""

    @property
    def file_in_repo(self) -> str:
        """The .gguf file where its repo holds several models; else empty."""
        if not self.in_cache or self.source.name == self.repo:
            return ""
        return self.source.name.removeprefix(f"{self.repo}/")


def list_models(*, cache_dir: Path, folders: Sequence[Path] = ()) -> list[LocalModel]:
    """Every model on this machine: cached repos, watched folders, the demo last.

    Reads folders and headers only; what cannot be read is left out.

    Args:
        cache_dir: The folder of models--* folders.
        folders: Watched folders, read only: plain folders and .gguf files, down to
            two folders below each.
    """
    models: list[LocalModel] = []
    for repo_folder in subfolders(cache_dir):
        repo = repo_of_folder(repo_folder.name)
        if repo is not None:
            models.extend(_cached_models(repo, repo_folder))
    models.extend(_all_watched(folders))
    if demo_model().is_dir():
        models.extend(_inspect(DEMO, demo_model()))
    return models


def inspect_folder(folder: Path) -> LocalModel:
    """Look into one folder; `complete` and `reason` tell what was found.

    Of a folder with several .gguf files the first is told.
    """
    return _inspect(folder.name, folder)[0]


def inspect_path(path: Path) -> LocalModel:
    """Look into a folder or a .gguf file of any place.

    Raises:
        NotAModel: a file that is no .gguf.
    """
    if path.is_dir():
        return inspect_folder(path)
    if path.suffix != ".gguf":
        check_gguf(path)
    return _inspect_gguf(path.name, path)


def revision_of(folder: Path) -> str:
    """The commit of a snapshot folder of the HF cache; empty for another folder."""
    in_cache = folder.parent.name == "snapshots" and is_commit(folder.name)
    return folder.name if in_cache else ""


def _inspect(name: str, folder: Path) -> list[LocalModel]:
    """One entry; of several .gguf files one for each."""
    files = gguf_models(folder)
    if files:
        several = len(files) > 1
        return [
            _inspect_gguf(f"{name}/{file.name}" if several else name, file)
            for file in files
        ]
    source = ModelSource(name, str(folder.absolute()), "folder", revision_of(folder))
    return [_measured(source, folder_stats(folder), _trouble(check_weights, folder))]


def _inspect_gguf(name: str, file: Path) -> LocalModel:
    source = ModelSource(name, str(file.absolute()), "gguf", revision_of(file.parent))
    stats = once(look(part) for part in takewhile(exists, gguf_parts(file)))
    return _measured(source, stats, _trouble(check_gguf, file))


def _trouble(check: Callable[[Path], object], path: Path) -> str:
    try:
        check(path)
    except QwenTuiError as error:
        return error.message
    return ""


def _measured(source: ModelSource, stats: list[Stat], reason: str) -> LocalModel:
    size_bytes = sum(stat.size_bytes for stat in stats)
    last_used = max((stat.last_used for stat in stats), default=None)
    return LocalModel(source, size_bytes, not reason, reason, last_used)


def _cached_models(repo: str, repo_folder: Path) -> list[LocalModel]:
    on_disk = read_repo(repo_folder)
    found = _best_snapshot(repo, repo_folder)
    if not found:
        if not on_disk.partial_bytes:
            return []  # refs alone: huggingface_hub leaves them behind
        source = ModelSource(repo, str(repo_folder.absolute()), "folder")
        found = [LocalModel(source, 0, complete=False, reason="")]
    if not found[0].complete and on_disk.partial_bytes:
        found = [replace(found[0], reason=unfinished(repo).message)]
    return [_of_repo(model, repo, on_disk, alone=len(found) == 1) for model in found]


def _best_snapshot(repo: str, repo_folder: Path) -> list[LocalModel]:
    best: list[LocalModel] = []
    for snapshot in cached_snapshots(repo, repo_folder.parent):
        models = _inspect(repo, snapshot)
        if models[0].complete:
            return models
        best = best or models
    return best


def _of_repo(
    model: LocalModel, repo: str, on_disk: CachedRepo, *, alone: bool
) -> LocalModel:
    return replace(
        model,
        size_bytes=on_disk.size_bytes if alone else model.size_bytes,
        last_used=on_disk.last_used if alone else model.last_used,
        partial_bytes=on_disk.partial_bytes,
        revisions=on_disk.revisions(),
        in_cache=True,
        repo=repo,
        repo_folder=on_disk.folder,
    )


def _all_watched(folders: Sequence[Path]) -> Iterator[LocalModel]:
    seen: set[str] = set()
    for folder in folders:
        root = folder.expanduser()
        for model in _watched_models(root, root, _FOLDER_DEPTH):
            # watched folders may lie in one another, and links lead anywhere
            place = os.path.realpath(model.source.path)
            if place not in seen:
                seen.add(place)
                yield model


def _watched_models(root: Path, folder: Path, depth: int) -> Iterator[LocalModel]:
    # a watched folder may be on a disk that is not there now: then it has no entries
    is_model = any(entry.name == "config.json" for entry in entries(folder))
    if is_model:
        name = folder.name if folder == root else folder.relative_to(root).as_posix()
        yield from map(_named_by_path, _inspect(name, folder))
        return
    files = gguf_models(folder)
    below = folder.relative_to(root)
    for file in files:
        alone = len(files) == 1 and folder != root
        name = below if alone else below / file.name
        yield _named_by_path(_inspect_gguf(name.as_posix(), file))
    if depth > 0:
        for child in sorted(subfolders(folder), key=Path.is_symlink):
            if not child.name.startswith("."):
                yield from _watched_models(root, child, depth - 1)


def _named_by_path(model: LocalModel) -> LocalModel:
    return replace(model, source=replace(model.source, ref=model.source.path))
