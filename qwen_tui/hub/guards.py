"""What must not be deleted now: a model in use, a repo that is being downloaded."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.held import is_in_use, is_locked
from qwen_tui.hub.layout import entries
from qwen_tui.hub.partials import list_repo_partials
from qwen_tui.hub.weights import shown
from qwen_tui.i18n import _


def refuse_use(title: str, places: Iterable[Path], in_use: Sequence[Path]) -> None:
    """Raise QwenTuiError "in_use" where one of the places is loaded.

    Args:
        title: What is to be deleted, for the message.
        places: Snapshot folders and .gguf files, below a resolved folder.
        in_use: Paths that this program has loaded; other programs are asked for.
    """
    # resolved up to the last step: the file itself may be a link to a shared blob
    mine = {Path(os.path.realpath(path.parent)) / path.name for path in in_use}
    for place in places:
        if place in mine or is_in_use(place):
            raise QwenTuiError(
                _("{name} is in use.").format(name=shown(title)),
                hint=_("Unload it, or end the qwen-tui that has it loaded."),
                code="in_use",
            )


def refuse_download(repo_folder: Path, name: str) -> None:
    """Raise QwenTuiError "downloading" where one is running into this repo."""
    if is_downloading(repo_folder):
        raise QwenTuiError(
            _("{name} is being downloaded.").format(name=shown(name)),
            hint=_("Wait for the download, or pause it."),
            code="downloading",
        )


def is_downloading(repo_folder: Path) -> bool:
    """Whether a download, ours or the library's, writes into this models--* folder."""
    locks = entries(repo_folder.parent / ".locks" / repo_folder.name)
    return any(is_locked(lock) for lock in locks if lock.suffix == ".lock") or any(
        partial.in_use for partial in list_repo_partials(repo_folder)
    )


def is_own(folder: Path) -> bool:
    """Whether the folder and those right inside are no links to another place."""
    inner = [folder / name for name in ("blobs", "snapshots", "refs", "trees")]
    return folder.is_dir() and not any(path.is_symlink() for path in (folder, *inner))
