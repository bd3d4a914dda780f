"""Looking at files and at the HF cache's folders. Never raises OSError."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from qwen_tui.hub.repo_id import is_commit, repo_folder_name


@dataclass(frozen=True, slots=True)
class Stat:
    """What the disk says of one file, links followed."""

    key: tuple[int, int]
    """Device and inode: the same for two names of one content."""
    size_bytes: int
    n_links: int
    last_used: float
    """Unix time of the newer one of the last read and the last write.

    A disk mounted "noatime" keeps no reads, and "relatime", the usual way, one a day.
    """


def look(file: Path) -> Stat | None:
    """Stat a regular file; None for anything else and for what cannot be read."""
    try:
        found = file.stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    last_used = max(found.st_atime, found.st_mtime)
    return Stat((found.st_dev, found.st_ino), found.st_size, found.st_nlink, last_used)


def open_unseen(file: Path) -> BufferedReader:
    """Open to read bytes, and leave no trace in when the file was last used.

    Linux lets only a file's owner do that; for others it is an ordinary read.

    Raises:
        OSError: as `open` does.
    """
    return open(file, "rb", opener=_open_noatime)


def cached_snapshots(repo: str, cache_dir: Path) -> list[Path]:
    """The snapshot folders of a cached repo: that of refs/main first, then by age.

    An empty, foreign or dangling ref counts as none.
    """
    repo_folder = cache_dir / repo_folder_name(repo)
    snapshots = subfolders(repo_folder / "snapshots")
    snapshots.sort(key=_modified, reverse=True)
    main = _read_ref(repo_folder / "refs" / "main")
    snapshots.sort(key=lambda folder: folder.name != main)  # stable: age stays
    return snapshots


def read_refs(repo_folder: Path) -> dict[str, str]:
    """Branches and tags of a cached repo, each with its commit; bad ones left out."""
    folder = repo_folder / "refs"
    refs = {
        file.relative_to(folder).as_posix(): _read_ref(file)
        for file in all_files(folder)
        if look(file) is not None
    }
    return {name: commit for name, commit in refs.items() if is_commit(commit)}


def all_files(folder: Path) -> Iterator[Path]:
    """Everything below that is no folder, sorted; links to folders not followed."""
    for place, folders, files in os.walk(folder):
        folders.sort()
        links = (name for name in folders if (Path(place) / name).is_symlink())
        for name in sorted([*files, *links]):
            yield Path(place) / name


def folder_stats(folder: Path) -> list[Stat]:
    """Stat every file below, each content once."""
    return once(look(file) for file in all_files(folder))


def once(stats: Iterable[Stat | None]) -> list[Stat]:
    """The same without a second name of a content, and without what is not there."""
    return list({found.key: found for found in stats if found is not None}.values())


def entries(folder: Path) -> list[Path]:
    """What is right inside, sorted; none when it cannot be read."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def subfolders(folder: Path) -> list[Path]:
    """The folders right inside; none when it cannot be read."""
    return [entry for entry in entries(folder) if _is_folder(entry)]


def exists(path: Path) -> bool:
    """Whether there is something we may look at; a path too long is nothing."""
    try:
        return path.exists()
    except OSError:
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _read_ref(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _open_noatime(path: str, flags: int) -> int:
    flags |= os.O_NONBLOCK  # nobody may ever write to a pipe that stands in the way
    try:
        return os.open(path, flags | getattr(os, "O_NOATIME", 0))
    except PermissionError:
        return os.open(path, flags)
