"""A folder that shall become HF_HOME: can it."""

import errno
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.errors import SettingsError
from qwen_tui.filesystem import filesystem_of
from qwen_tui.hub.weights import shown
from qwen_tui.i18n import _

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class HomeCheck:
    """What is to be known of a folder before models go there."""

    path: Path
    free_bytes: int
    """For this user."""
    filesystem: str
    """As the kernel names it, "ext4" or "nfs4"; empty where it is not known."""
    is_network: bool
    """Slower, and locks between machines may not hold."""
    created: bool
    """The folder was not there and is now."""


def check_hf_home(path: Path) -> HomeCheck:
    """Make sure that models can be kept in `path`, by writing a file there.

    The folder is created where it is missing.

    Raises:
        SettingsError: not absolute ("~" is expanded), no folder, or not writable.
    """
    folder = _absolute(path)
    created = _make(folder)
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"qwen-tui")
            probe.flush()
            os.fsync(probe.fileno())
        free_bytes = shutil.disk_usage(folder).free
    except OSError as error:
        if created:
            folder.rmdir()
        raise _not_writable(folder, error) from error
    filesystem = filesystem_of(folder)
    return HomeCheck(
        folder, free_bytes, filesystem.kind, filesystem.is_network, created
    )


def _absolute(path: Path) -> Path:
    try:
        folder = path.expanduser()
    except RuntimeError:
        folder = path  # "~somebody" who has no home
    if folder.is_absolute():
        return folder
    raise SettingsError(
        _("{path} is no absolute path.").format(path=shown(path)),
        hint=_('Begin the folder with "/" or "~".'),
    )


def _make(folder: Path) -> bool:
    try:
        if folder.is_dir():
            return False
        folder.mkdir(parents=True)
    except (FileExistsError, NotADirectoryError, ValueError) as error:  # a NUL
        raise SettingsError(
            _("{path} is no folder.").format(path=shown(folder)),
            hint=_("Choose another folder."),
        ) from error
    except OSError as error:
        raise _not_writable(folder, error) from error
    return True


def _not_writable(folder: Path, error: OSError) -> SettingsError:
    hint = _("Check its permissions, or choose another folder.")
    if error.errno in _NO_ROOM:
        hint = _("Free some space, or choose another folder.")
    return SettingsError(
        _("{path} cannot be written: {reason}.").format(
            path=shown(folder), reason=error.strerror
        ),
        hint=hint,
    )
