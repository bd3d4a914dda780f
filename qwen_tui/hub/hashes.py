"""Which hash each file of a model must have, as far as the disk itself tells.

In the HF cache a blob is named by its hash; where a filesystem has no links, the file
in the snapshot stands in trees/<commit>.json. A plain folder has one record a file in
.cache/huggingface/download, ours and huggingface_hub's alike. Anything else is unknown.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from qwen_tui.hub.cache import LocalModel
from qwen_tui.hub.layout import Stat, all_files, look
from qwen_tui.hub.partials import RECORDS
from qwen_tui.hub.repo_id import is_content_hash
from qwen_tui.hub.revisions import CachedRepo, SnapshotFile, read_repo
from qwen_tui.hub.weights import gguf_parts

_ETAG_LINE = 1  # of commit, etag, time


@dataclass(frozen=True, slots=True)
class HashedFile:
    """One content to check."""

    path: str
    """In its repo or folder, with "/"."""
    blob: Path
    """What holds the bytes."""
    etag: str
    """sha256 or git's blob sha1 in hex; empty when no hash is known."""
    stat: Stat | None
    """None: it is missing."""
    commit: str = ""
    """A revision that has it; empty for a plain folder."""


def hashed_files(model: LocalModel) -> list[HashedFile]:
    """Every file of a model once: of a cached repo those of all its revisions."""
    if model.repo_folder is not None:
        return list(_cached_files(model, read_repo(model.repo_folder)))
    path = Path(model.source.path)
    if model.source.kind == "gguf":
        return [_recorded(part, path.parent) for part in gguf_parts(path)]
    records = path / RECORDS
    files = (f for f in all_files(path) if not f.is_relative_to(records))
    return [_recorded(file, path) for file in files]


def _cached_files(model: LocalModel, repo: CachedRepo) -> Iterator[HashedFile]:
    # what is loaded first, so that it is told first
    commits = sorted(repo.snapshots, key=lambda commit: commit != model.source.revision)
    wanted = {part.name for part in gguf_parts(Path(model.source.path))}
    seen: set[Path] = set()
    for commit in commits:
        listed = _listed_hashes(repo.folder / "trees" / f"{commit}.json")
        for file in repo.snapshots[commit]:
            if model.file_in_repo and file.file.name not in wanted:
                continue
            if file.blob not in seen:
                seen.add(file.blob)
                etag = _etag(repo, file, listed)
                yield HashedFile(file.path, file.blob, etag, file.stat, commit)


def _etag(repo: CachedRepo, file: SnapshotFile, listed: Mapping[str, str]) -> str:
    if file.blob.parent == repo.folder / "blobs":
        return file.blob.name if is_content_hash(file.blob.name) else ""
    return listed.get(file.path, "")


def _listed_hashes(tree: Path) -> dict[str, str]:
    """File to hash, from huggingface_hub 2.4's listing of a commit."""
    try:
        files = json.loads(tree.read_text(encoding="utf-8"))["files"]
        return {
            path: str(entry.get("lfs_sha256") or entry.get("blob_id"))
            for path, entry in cast(dict[str, dict[str, Any]], files).items()
        }
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return {}


def _recorded(file: Path, folder: Path) -> HashedFile:
    path = file.relative_to(folder).as_posix()
    record = folder / RECORDS / f"{path}.metadata"
    try:
        etag = record.read_text(encoding="utf-8").splitlines()[_ETAG_LINE].strip()
    except (OSError, ValueError, IndexError):
        etag = ""
    return HashedFile(path, file, etag if is_content_hash(etag) else "", look(file))
