"""Unfinished files on this machine: ours, and the orphans that other tools leave.

    <cache>/models--owner--repo/blobs/<etag>.incomplete              ours; goes on
    <cache>/models--owner--repo/blobs/<etag>.<random>.incomplete     huggingface_hub 2.4
    <folder>/.cache/huggingface/download/<etag>.incomplete           ours; goes on
    <folder>/.cache/huggingface/download/**/<short>.<etag>.<random>.incomplete

huggingface_hub 2.4 removes its own when it can; what a killed download leaves it never
looks at again.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.filesystem import is_on_network
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


def list_partials(
    cache_dir: Path,
    folders: Sequence[Path] = (),
    *,
    is_network: Callable[[Path], bool] = is_on_network,
) -> list[Partial]:
    """Every unfinished file in the HF cache and in plain folders of downloads.

    Args:
        cache_dir: The folder of models--* folders.
        folders: Folders that models were downloaded to, or that hold such folders.
        is_network: Whether locks in a folder may not hold between machines; there a
            file that was written just now counts as in use.
    """
    found: list[Partial] = []
    for repo_folder in subfolders(cache_dir):
        found.extend(list_repo_partials(repo_folder, is_network=is_network))
    for folder in folders:
        for place in _plain_folders(folder.expanduser(), _FOLDER_DEPTH):
            found.extend(_in_plain_folder(place, is_network))
    return found


def list_repo_partials(
    repo_folder: Path, *, is_network: Callable[[Path], bool] = is_on_network
) -> list[Partial]:
    """The unfinished files of one models--* folder; none of any other folder."""
    repo = repo_of_folder(repo_folder.name)
    if repo is None or (repo_folder / "blobs").is_symlink():
        return []
    locks = repo_folder.parent / ".locks" / repo_folder.name
    return [
        _look(path, repo, (locks / f"{_etag(path)}.lock",), is_network)
        for path in filter(is_partial, entries(repo_folder / "blobs"))
    ]


def purge_partials(partials: Iterable[Partial]) -> int:
    """Delete unfinished files and return the bytes freed.

    What a running download holds stays, and so does what was written since it was
    listed; meanwhile no download can begin with it.
    """
    return sum(_purge(partial) for partial in partials if not partial.in_use)


def _plain_folders(folder: Path, depth: int) -> Iterator[Path]:
    yield folder
    if depth > 0:
        for child in subfolders(folder):
            if not child.name.startswith("."):
                yield from _plain_folders(child, depth - 1)


def _in_plain_folder(
    folder: Path, is_network: Callable[[Path], bool]
) -> Iterator[Partial]:
    for path in filter(is_partial, all_files(folder / RECORDS)):
        if _is_ours(path):
            locks = [path.with_suffix(".lock")]
        else:  # the library's locks are named by file: any of them may be its
            locks = [f for f in entries(path.parent) if f.name.endswith(".lock")]
        yield _look(path, str(folder), tuple(locks), is_network)


def _look(
    path: Path,
    repo: str,
    lock_files: tuple[Path, ...],
    is_network: Callable[[Path], bool],
) -> Partial:
    size_bytes, modified = _size_and_time(path)
    is_held = any(is_locked(lock) for lock in lock_files)
    # between machines one lock may be given twice: there only silence tells
    is_fresh = time.time() - modified < _FRESH_S
    return Partial(
        path,
        repo,
        size_bytes,
        ours=_is_ours(path),
        modified=modified,
        in_use=is_held or (is_fresh and is_network(path.parent)),
        lock_files=lock_files,
    )


def _is_ours(path: Path) -> bool:
    return is_content_hash(path.name.removesuffix(PARTIAL_SUFFIX))


def _etag(path: Path) -> str:
    return path.name.split(".")[0]


def _size_and_time(path: Path) -> tuple[int, float]:
    try:
        stat = path.lstat()
    except OSError:
        return 0, 0.0
    return stat.st_size, stat.st_mtime


def _purge(partial: Partial) -> int:
    with contextlib.ExitStack() as stack:
        if len(partial.lock_files) == 1:
            is_free = stack.enter_context(locked(partial.lock_files[0]))
        else:
            is_free = not any(is_locked(lock) for lock in partial.lock_files)
        is_same = _size_and_time(partial.path) == (partial.size_bytes, partial.modified)
        if not (is_free and is_same):
            return 0
        try:
            partial.path.unlink()
        except OSError:
            return 0
    return partial.size_bytes
