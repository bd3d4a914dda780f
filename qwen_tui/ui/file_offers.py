"""Files that a path in a prompt may mean; every function here reads the disk."""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_LIMIT = 50
_ENTRIES = 20_000  # of one folder; the rest is not looked at
_DEPTH = 6
_LOOK_S = 0.3
_LEAST_DEEP = 2  # characters, before folders are searched below
_SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "target", "build"})


@dataclass(frozen=True, slots=True)
class FoundPath:
    """A file or folder that fits what was typed."""

    typed: str
    """As it would be written in the place of what was typed; folders end in "/"."""
    path: str
    is_folder: bool
    size_bytes: int = 0


def find_paths(typed: str, folder: Path) -> list[FoundPath]:
    """Return what fits `typed`, the best first.

    A name fits that begins with what stands after the last "/", or holds its letters
    in order; such names under folders below count where no folder was typed. Hidden
    ones only where a dot was typed.

    Args:
        typed: A beginning of a path: relative, absolute, or from "~".
        folder: What a relative path starts at.
    """
    head, slash, name = typed.rpartition("/")
    base = Path(os.path.expanduser(head + slash) or ".")  # noqa: PTH111 - "~" may stay
    found = [
        _Found(entry, head + slash, name) for entry in _entries(folder / base, name)
    ]
    fitting = sorted((f for f in found if f.rank is not None), key=_order)
    if not slash and len(name) >= _LEAST_DEEP and not name.startswith((".", "~")):
        deeper = (_Found(entry, at, name) for entry, at in _below(folder))
        fitting += sorted((f for f in deeper if f.rank is not None), key=_order)
    return [f.path() for f in fitting[:_LIMIT]]


class _Found:
    """One entry of a folder, and how well it fits."""

    def __init__(self, entry: os.DirEntry[str], head: str, name: str) -> None:
        self.entry = entry
        self.is_folder = _is_folder(entry)
        self._head = head
        self.rank = _rank(entry.name, name)

    def path(self) -> FoundPath:
        typed = self._head + self.entry.name + ("/" if self.is_folder else "")
        try:
            size_bytes = 0 if self.is_folder else self.entry.stat().st_size
        except OSError:
            size_bytes = 0
        return FoundPath(typed, self.entry.path, self.is_folder, size_bytes)


def _order(found: _Found) -> tuple[int, int, str]:
    rank = found.rank if found.rank is not None else 0
    return rank, len(found.entry.path) if rank else 0, found.entry.name.lower()


def _rank(candidate: str, typed: str) -> int | None:
    """Return 0 for the same beginning, 1 for a part, 2 for the letters in order."""
    candidate, typed = candidate.lower(), typed.lower()
    if candidate.startswith(typed):
        return 0
    if typed.startswith("."):  # hidden files, by their beginning alone
        return None
    if typed in candidate:
        return 1
    letters = iter(candidate)
    return 2 if all(letter in letters for letter in typed) else None


def _entries(folder: Path, name: str) -> Iterator[os.DirEntry[str]]:
    """Yield files and folders of one folder; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            yield from _usable(entries, hidden=name.startswith("."))
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return


def _usable(
    entries: Iterable[os.DirEntry[str]], *, hidden: bool
) -> Iterator[os.DirEntry[str]]:
    for n, entry in enumerate(entries):
        if n >= _ENTRIES:
            return
        if entry.name.startswith(".") and not hidden:
            continue
        if _is_folder(entry) or _is_file(entry):
            yield entry


def _below(folder: Path) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield files in folders below, the nearest first, as long as it takes no time."""
    until = time.monotonic() + _LOOK_S
    level = [(folder, "")]
    for _depth in range(_DEPTH):
        coming: list[tuple[Path, str]] = []
        for place, head in level:
            for entry in _entries(place, ""):
                if time.monotonic() > until:
                    return
                if _is_folder(entry):
                    if entry.name not in _SKIPPED and not entry.is_symlink():
                        coming.append((Path(entry.path), f"{head}{entry.name}/"))
                elif head:
                    yield entry, head
        level = coming


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Tell whether it is a plain file: a pipe or a device would not end."""
    try:
        return entry.is_file()
    except OSError:
        return False
