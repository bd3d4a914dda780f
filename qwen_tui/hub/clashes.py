"""Paths of a repo that are two names to the hub and one to the disk."""

import tempfile
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from qwen_tui.errors import DownloadError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line


def check_clashes(paths: Sequence[str], *, folds_case: Callable[[], bool]) -> None:
    """Refuse paths of which one would overwrite another.

    Args:
        paths: Of one commit.
        folds_case: Tells whether the disk takes "A" and "a" for one name; asked
            only where it matters.

    Raises:
        DownloadError: "unsafe_path", two paths are one, or a file is also a folder.
    """
    if pair := _clash({path: path for path in paths}):
        raise _refused(*pair)
    folded: dict[str, str] = {}
    for path in paths:
        other = folded.setdefault(_folded(path), path)
        if other != path and folds_case():
            raise _refused(other, path)
    if (pair := _clash(folded)) and folds_case():
        raise _refused(*pair)


def folds_case(folder: Path) -> bool:
    """Whether names that differ by case alone are one name in an existing folder."""
    with tempfile.NamedTemporaryFile(prefix=".case-", dir=folder) as file:
        here = Path(file.name)
        return here.with_name(here.name.upper()).exists()


def _clash(paths: Mapping[str, str]) -> tuple[str, str] | None:
    """Two paths, by name on the disk, of which one is a folder of the other."""
    for name, path in paths.items():
        folder = name
        while "/" in folder:
            folder = folder.rpartition("/")[0]
            if folder in paths:
                return paths[folder], path
    return None


def _folded(path: str) -> str:
    # such disks take composed and decomposed letters for one as well
    return unicodedata.normalize("NFC", path).casefold()


def _refused(one: str, other: str) -> DownloadError:
    return DownloadError(
        _('"{one}" and "{other}" cannot both be written to this disk.').format(
            one=sanitize_line(one[:200]), other=sanitize_line(other[:200])
        ),
        hint=_("Choose a folder on another disk, or another repo."),
        code="unsafe_path",
    )
