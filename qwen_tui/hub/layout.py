"""The HF cache on disk: snapshots, refs, partials, sizes. Never raises OSError."""

from pathlib import Path

from qwen_tui.hub.repo_id import repo_folder_name


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


def partial_bytes(repo_folder: Path) -> int:
    """Bytes in unfinished blobs of a repo, ours and other tools'."""
    try:
        partials = list((repo_folder / "blobs").glob("*.incomplete"))
    except OSError:
        return 0
    return sum(file_bytes(partial) for partial in partials)


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below, links followed; 0 when it cannot be read."""
    try:
        return sum(file_bytes(f) for f in folder.rglob("*") if f.is_file())
    except OSError:
        return 0


def file_bytes(file: Path) -> int:
    """Size of one file, links followed; 0 when it cannot be read."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def subfolders(folder: Path) -> list[Path]:
    """The folders right inside; none when it cannot be read."""
    try:
        return [entry for entry in folder.iterdir() if entry.is_dir()]
    except OSError:
        return []


def exists(path: Path) -> bool:
    """Whether there is something we may look at; a path too long is nothing."""
    try:
        return path.exists()
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
