"""What a cached repo holds: its revisions, the blobs they share, what each would free.

A blob counts once however many revisions link to it. What counts as one is the inode,
because hard links and huggingface_hub 2.4's store for all repos (<cache>/blobs) make
several names of one content.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.hub.layout import Stat, all_files, entries, look, read_refs, subfolders

PARTIAL_SUFFIX = ".incomplete"


@dataclass(frozen=True, slots=True)
class LocalRevision:
    """One commit of a cached repo, as far as it is here."""

    commit: str
    refs: tuple[str, ...]
    """Branches and tags that name it."""
    size_bytes: int
    freed_bytes: int
    """What deleting this revision alone gives back."""
    last_used: float | None
    """Unix time of the newest read or write of its files; None without any."""


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """One file of a revision."""

    path: str
    """In the repo, with "/"."""
    file: Path
    """In the snapshot; mostly a link."""
    blob: Path
    """Where the link leads in its first step, or `file` itself where it is none."""
    stat: Stat | None
    """Of the content; None where the link dangles."""


@dataclass(frozen=True, slots=True)
class CachedRepo:
    """Everything below one models--* folder that takes space."""

    folder: Path
    snapshots: dict[str, tuple[SnapshotFile, ...]]
    """Commit to files."""
    blobs: dict[Path, Stat]
    """blobs/*, partials too."""
    refs: dict[str, str]
    """Name to commit; one that names no snapshot is here too."""

    @property
    def size_bytes(self) -> int:
        """Bytes on disk, each content once, partials too."""
        return _size({**self._loose_files(), **self.blobs}.values())

    @property
    def partial_bytes(self) -> int:
        """Bytes of unfinished blobs, ours and other tools'."""
        return _size(s for p, s in self.blobs.items() if is_partial(p))

    @property
    def last_used(self) -> float | None:
        """The newest read or write of any of its files."""
        return _newest([*self.blobs.values(), *self._loose_files().values()])

    def revisions(self) -> tuple[LocalRevision, ...]:
        """Its revisions: that of refs/main first, then the one used last."""
        found = [self._revision(commit) for commit in self.snapshots]
        found.sort(key=lambda r: ("main" in r.refs, r.last_used or 0.0), reverse=True)
        return tuple(found)

    def all_freed_bytes(self) -> int:
        """What removing the whole repo gives back."""
        return self._freed({**self._loose_files(), **self.blobs})

    def freed_bytes(self, doomed: Sequence[SnapshotFile]) -> int:
        """What removing these files, and the blobs only they use, gives back."""
        blobs = unshared_blobs(self, doomed)
        return self._freed({p: s for p, s in blobs.items() if s is not None})

    def _revision(self, commit: str) -> LocalRevision:
        files = self.snapshots[commit]
        stats = [f.stat for f in files if f.stat is not None]
        return LocalRevision(
            commit,
            tuple(sorted(name for name, sha in self.refs.items() if sha == commit)),
            _size(stats),
            # with its last revision the whole repo goes
            self.freed_bytes(files)
            if len(self.snapshots) > 1
            else self.all_freed_bytes(),
            _newest(stats),
        )

    def _loose_files(self) -> dict[Path, Stat]:
        """Files that lie in the snapshots themselves, where links are impossible."""
        return {
            f.file: f.stat
            for files in self.snapshots.values()
            for f in files
            if f.blob == f.file and f.stat is not None
        }

    def _freed(self, removed: dict[Path, Stat]) -> int:
        """Bytes of the contents whose every name is removed."""
        names = Counter(stat.key for stat in removed.values())
        elsewhere = self._keys_elsewhere(removed)
        return _size(
            stat
            for path, stat in removed.items()
            if stat.key not in elsewhere
            and stat.n_links <= names[stat.key]
            and self._is_inside(path)
        )

    def _is_inside(self, path: Path) -> bool:
        """Whether its bytes lie in this repo or in the store for all repos."""
        if not path.is_symlink():
            return True
        store = os.path.realpath(self.folder.parent / "blobs")
        return Path(os.path.realpath(path)).is_relative_to(store)

    def _keys_elsewhere(self, removed: Iterable[Path]) -> set[tuple[int, int]]:
        """Contents in the store for all repos that another repo uses, too."""
        if not any(path.is_symlink() for path in removed):
            return set()
        others = [f for f in subfolders(self.folder.parent) if f != self.folder]
        return {
            stat.key
            for other in others
            for blob in entries(other / "blobs")
            if blob.is_symlink() and (stat := look(blob)) is not None
        }


def read_repo(folder: Path) -> CachedRepo:
    """Look through one models--* folder; what cannot be read is left out."""
    blobs = {p: s for p in entries(folder / "blobs") if (s := look(p)) is not None}
    snapshots = {
        snapshot.name: tuple(_snapshot_files(snapshot))
        for snapshot in subfolders(folder / "snapshots")
        if not snapshot.is_symlink()
    }
    return CachedRepo(folder, snapshots, blobs, read_refs(folder))


def unshared_blobs(
    repo: CachedRepo, doomed: Sequence[SnapshotFile]
) -> dict[Path, Stat | None]:
    """The blobs that no other file of the repo links to, inside the repo only."""
    gone = {f.file for f in doomed}
    kept = {
        f.blob for files in repo.snapshots.values() for f in files if f.file not in gone
    }
    blobs_folder = repo.folder / "blobs"
    return {
        f.blob: f.stat
        for f in doomed
        # a link may lead anywhere; only what lies in this repo is its own
        if f.blob not in kept and (f.blob.parent == blobs_folder or f.blob == f.file)
    }


def is_partial(path: Path) -> bool:
    """Whether this is an unfinished file, ours or another tool's."""
    return path.name.endswith(PARTIAL_SUFFIX)


def _snapshot_files(snapshot: Path) -> Iterator[SnapshotFile]:
    for file in all_files(snapshot):
        yield SnapshotFile(
            file.relative_to(snapshot).as_posix(), file, _first_hop(file), look(file)
        )


def _first_hop(file: Path) -> Path:
    # one step only: a repo's blob may itself be a link into the store for all repos
    try:
        return Path(os.path.normpath(file.parent / file.readlink()))
    except OSError:
        return file


def _size(stats: Iterable[Stat]) -> int:
    return sum({stat.key: stat.size_bytes for stat in stats}.values())


def _newest(stats: Iterable[Stat]) -> float | None:
    return max((stat.last_used for stat in stats), default=None)
