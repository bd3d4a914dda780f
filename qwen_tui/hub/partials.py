"""Unfinished files on this machine: ours, and the orphans that other tools leave.

    <cache>/models--owner--repo/blobs/<etag>.incomplete              ours; goes on
    <cache>/models--owner--repo/blobs/<etag>.<random>.incomplete     huggingface_hub 2.4
    <folder>/.cache/huggingface/download/<etag>.incomplete           ours; goes on
    <folder>/.cache/huggingface/download/**/<short>.<etag>.<random>.incomplete

huggingface_hub 2.4 removes its own when it can; what a killed download leaves it never
looks at again.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.hub.filesystem import filesystem_of
from qwen_tui.hub.held import is_locked, locked
from qwen_tui.hub.layout import all_files, entries, subfolders
from qwen_tui.hub.repo_id import is_content_hash, repo_of_folder
from qwen_tui.hub.revisions import PARTIAL_SUFFIX, is_partial

RECORDS = Path(".cache") / "huggingface" / "download"
_FOLDER_DEPTH = 2
_FRESH_S = 120.0  # of a download that writes; a stalled one is tried again before


@dataclass(frozen=True, slots=True)
class Partial:
    """One unfinished file."""

    path: Path
    repo: str
    """Repo id; of a plain folder its path."""
    size_bytes: int
    ours: bool
    """Our next download goes on with it; else nothing ever will."""
    modified: float
    """Unix time of the last write."""
    in_use: bool
    """A running download holds it."""
    lock_files: tuple[Path, ...] = ()
    """Whoever writes it holds one of these."""


def list_partials(cache_dir: Path, folders: Sequence[Path] = ()) -> list[Partial]:
    """Every unfinished file in the HF cache and in plain folders of downloads.

    Args:
        cache_dir: The folder of models--* folders.
        folders: Folders that models were downloaded to, or that hold such folders.
    """
    found: list[Partial] = []
    for repo_folder in subfolders(cache_dir):
        found.extend(list_repo_partials(repo_folder))
    for folder in folders:
        found.extend(_in_folder(folder.expanduser(), _FOLDER_DEPTH))
    return found


def list_repo_partials(repo_folder: Path) -> list[Partial]:
    """The unfinished files of one models--* folder; none of any other folder."""
    repo = repo_of_folder(repo_folder.name)
    if repo is None or (repo_folder / "blobs").is_symlink():
        return []
    locks = repo_folder.parent / ".locks" / repo_folder.name
    found: list[Partial] = []
    for path in filter(is_partial, entries(repo_folder / "blobs")):
        etag = path.name.split(".")[0]
        found.extend(_partial(path, repo, (locks / f"{etag}.lock",)))
    return found


def purge_partials(partials: Iterable[Partial]) -> int:
    """Delete unfinished files and return the bytes freed.

    What a running download holds stays, and is held off while its file goes.
    """
    return sum(_purge(partial) for partial in partials)


def _in_folder(folder: Path, depth: int) -> Iterator[Partial]:
    for path in filter(is_partial, all_files(folder / RECORDS)):
        # the library locks by file name, ours by etag: any held lock counts
        locks = [f for f in entries(path.parent) if f.name.endswith(".lock")]
        yield from _partial(path, str(folder), tuple(locks))
    if depth > 0:
        for child in subfolders(folder):
            if not child.name.startswith("."):
                yield from _in_folder(child, depth - 1)


def _partial(path: Path, repo: str, lock_files: tuple[Path, ...]) -> Iterator[Partial]:
    try:
        stat = path.lstat()
    except OSError:
        return
    yield Partial(
        path,
        repo,
        stat.st_size,
        ours=is_content_hash(path.name.removesuffix(PARTIAL_SUFFIX)),
        modified=stat.st_mtime,
        in_use=_is_written(path, stat.st_mtime, lock_files),
        lock_files=lock_files,
    )


def _is_written(path: Path, modified: float, lock_files: tuple[Path, ...]) -> bool:
    if any(is_locked(lock) for lock in lock_files):
        return True
    # between machines a lock may be given twice: there only silence tells
    is_fresh = time.time() - modified < _FRESH_S
    return is_fresh and filesystem_of(path.parent).is_network


def _purge(partial: Partial) -> int:
    path = partial.path
    try:
        size_bytes = path.lstat().st_size
        if _is_written(path, path.lstat().st_mtime, partial.lock_files):
            return 0
        own_lock = partial.lock_files[0] if len(partial.lock_files) == 1 else None
        if own_lock is None:
            path.unlink()
            return size_bytes
        with locked(own_lock) as is_free:
            if not is_free:
                return 0
            path.unlink()
    except OSError:
        return 0
    return size_bytes
