"""Repo folders of the HF cache that hold nothing any more."""

import shutil
import time
from pathlib import Path

from qwen_tui.hub.guards import is_downloading, is_own
from qwen_tui.hub.layout import all_files, entries
from qwen_tui.hub.repo_id import repo_of_folder
from qwen_tui.hub.revisions import CachedRepo, read_repo

_FRESH_S = 60.0


def empty_repos(cache_dir: Path) -> list[Path]:
    """Repo folders of the cache that hold neither files nor partials.

    huggingface_hub 2.4 leaves them behind: a dry run or a local_dir writes the ref.
    What was touched within the last minute may be a download that begins.
    """
    return [
        folder
        for folder in entries(cache_dir)
        if repo_of_folder(folder.name) is not None
        and is_own(folder)
        and _is_empty(read_repo(folder))
        and not _is_fresh(folder)
        and not is_downloading(folder)
    ]


def remove_empty_repos(cache_dir: Path) -> int:
    """Remove what `empty_repos` finds; returns how many."""
    folders = empty_repos(cache_dir)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)  # it never follows a link
    return sum(not folder.exists() for folder in folders)


def _is_empty(repo: CachedRepo) -> bool:
    return not repo.blobs and not any(repo.snapshots.values())


def _is_fresh(folder: Path) -> bool:
    places = [folder, *entries(folder), *all_files(folder)]
    return any(time.time() - place.lstat().st_mtime < _FRESH_S for place in places)
