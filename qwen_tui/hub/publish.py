"""Where fetched bytes lie and how a finished blob gets its name.

Two places: the HF cache, as huggingface_hub 2.4 lays it out (blobs, snapshots,
trees, refs), and a plain folder of the user's (`local_dir`), where our own
records lie in .cache/huggingface/download, as the library's do.
"""

import errno
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from qwen_tui.hub.plan import Blob, Plan, RemoteFile
from qwen_tui.hub.repo_id import is_commit, repo_folder_name

_TREE_FORMAT = 1  # huggingface_hub 2.4 _tree_cache.py TREE_CACHE_FORMAT_VERSION
_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)

HashOf = Callable[[Path], str]


class Target(Protocol):
    """A place that a download ends in."""

    folder: Path
    """What the whole download is written below."""

    def partial(self, blob: Blob) -> Path:
        """The unfinished file; named by content, so any source can go on with it."""
        ...

    def lock_file(self, blob: Blob) -> Path:
        """Held while one process writes the partial."""
        ...

    def looks_published(self, blob: Blob) -> bool:
        """Whether it is there by size, at the cost of a stat."""
        ...

    def is_published(self, blob: Blob, hash_of: HashOf) -> bool:
        """Whether it is there for sure; may have whole files hashed."""
        ...

    def publish(self, blob: Blob) -> None:
        """Give the checked partial its name, or link what is there already."""
        ...

    def finish(self) -> Path:
        """Write what makes the whole thing found; returns its folder."""
        ...


class CacheTarget:
    """A repo in the HF cache."""

    def __init__(self, plan: Plan, cache_dir: Path) -> None:
        self.folder = cache_dir / repo_folder_name(plan.repo)
        self._plan = plan
        self._cache_dir = cache_dir
        self._blobs = self.folder / "blobs"
        self._snapshot = self.folder / "snapshots" / plan.commit

    def partial(self, blob: Blob) -> Path:
        return self._blobs / f"{blob.etag}.incomplete"

    def lock_file(self, blob: Blob) -> Path:
        # the library's own, so that its downloads and ours wait for each other
        return self._cache_dir / ".locks" / self.folder.name / f"{blob.etag}.lock"

    def looks_published(self, blob: Blob) -> bool:
        in_blobs = _has_size(self._blobs / blob.etag, blob.size_bytes)
        return in_blobs or self._snapshot_has(blob)

    def is_published(self, blob: Blob, hash_of: HashOf) -> bool:
        return self.looks_published(blob)

    def publish(self, blob: Blob) -> None:
        blob_file = self._blobs / blob.etag
        if not _has_size(blob_file, blob.size_bytes):
            if self._snapshot_has(blob):
                return  # a filesystem without links
            self.partial(blob).replace(blob_file)
        *others, last = blob.paths
        for path in others:
            self._link(blob_file, self._snapshot / path, instead=shutil.copyfile)
        # where there are no links, nothing may lie on the disk twice
        self._link(blob_file, self._snapshot / last, instead=os.replace)

    def finish(self) -> Path:
        plan = self._plan
        if len(plan.files) == len(plan.listing):
            # with the listing there, the library takes a snapshot without the
            # files we leave out for unfinished; without it, for what it is
            body = {
                "format_version": _TREE_FORMAT,
                "files": {
                    file.path: _tree_entry(file)
                    for file in sorted(plan.listing, key=lambda f: f.path)
                },
            }
            tree = self.folder / "trees" / f"{plan.commit}.json"
            self._write_text(tree, json.dumps(body, indent=1))
        if not is_commit(plan.revision):
            self._write_text(self.folder / "refs" / plan.revision, plan.commit)
        return self._snapshot

    def _write_text(self, file: Path, text: str) -> None:
        # not beside it: scan_cache_dir would take what a crash leaves for a ref
        _replace_text(self.folder / f".{file.name}.{os.getpid()}.tmp", file, text)

    def _snapshot_has(self, blob: Blob) -> bool:
        return all(
            _has_size(self._snapshot / path, blob.size_bytes) for path in blob.paths
        )

    def _link(
        self, blob_file: Path, link: Path, *, instead: Callable[[Path, Path], object]
    ) -> None:
        target = os.path.relpath(blob_file, link.parent)
        link.parent.mkdir(parents=True, exist_ok=True)
        if link.is_symlink() and str(link.readlink()) == target:
            return
        # made outside the snapshot: a crash must leave nothing foreign inside
        fresh = self.folder / f".{blob_file.name}.link"
        fresh.unlink(missing_ok=True)
        try:
            fresh.symlink_to(target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            instead(blob_file, fresh)
        fresh.replace(link)


class FolderTarget:
    """A plain folder: no links, and it loads offline from then on."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.folder = folder
        self._plan = plan
        self._records = folder / ".cache" / "huggingface" / "download"

    def partial(self, blob: Blob) -> Path:
        return self._records / f"{blob.etag}.incomplete"

    def lock_file(self, blob: Blob) -> Path:
        return self._records / f"{blob.etag}.lock"

    def looks_published(self, blob: Blob) -> bool:
        files = [self.folder / path for path in blob.paths]
        return all(
            _has_size(file, blob.size_bytes) and not file.is_symlink() for file in files
        )

    def is_published(self, blob: Blob, hash_of: HashOf) -> bool:
        """Checked by our record, and by the hash where there is none."""
        if not self.looks_published(blob):
            return False
        return all(
            self._is_recorded(blob, path) or hash_of(self.folder / path) == blob.etag
            for path in blob.paths
        )

    def publish(self, blob: Blob) -> None:
        first, *others = [self.folder / path for path in blob.paths]
        if self.partial(blob).exists():  # else they are all there already
            first.parent.mkdir(parents=True, exist_ok=True)
            self.partial(blob).replace(first)
            for other in others:
                other.parent.mkdir(parents=True, exist_ok=True)
                fresh = self._records / f"{blob.etag}.copy"
                shutil.copyfile(first, fresh)
                fresh.replace(other)
        # the library's form: commit, etag, when (_local_folder.py)
        text = f"{self._plan.commit}\n{blob.etag}\n{time.time()}\n"
        for path in blob.paths:
            record = self._record(path)
            _replace_text(self._records / f"{blob.etag}.record", record, text)

    def finish(self) -> Path:
        return self.folder

    def _record(self, path: str) -> Path:
        return self._records / f"{path}.metadata"

    def _is_recorded(self, blob: Blob, path: str) -> bool:
        try:
            lines = self._record(path).read_text(encoding="utf-8").splitlines()
            recorded_s, etag = float(lines[2]), lines[1]
            modified_s = (self.folder / path).stat().st_mtime
        except (OSError, ValueError, IndexError):
            return False
        return etag == blob.etag and modified_s - 1 <= recorded_s


def free_bytes(folder: Path) -> int:
    """Free space where `folder` is or will be."""
    return shutil.disk_usage(existing_folder(folder)).free


def existing_folder(folder: Path) -> Path:
    """The nearest folder that is there already, `folder` or one above it."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


def _has_size(file: Path, size_bytes: int) -> bool:
    try:
        return file.is_file() and file.stat().st_size == size_bytes
    except OSError:
        return False


def _replace_text(fresh: Path, file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with fresh.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())  # an empty ref would hide the whole repo
    fresh.replace(file)


def _tree_entry(file: RemoteFile) -> dict[str, object]:
    entry: dict[str, object] = {"size": file.size_bytes, "blob_id": file.git_sha1}
    if file.sha256:
        entry |= {"lfs_sha256": file.sha256, "lfs_size": file.size_bytes}
    return entry
