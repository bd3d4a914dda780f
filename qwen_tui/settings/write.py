"""Write one setting into the user's file."""

import os
import tempfile
from pathlib import Path
from typing import Any, cast

from qwen_tui import paths
from qwen_tui.errors import SettingsError
from qwen_tui.i18n import _
from qwen_tui.settings.checks import checked
from qwen_tui.settings.file import read_file, split_known
from qwen_tui.settings.known import nearest, read_known


def save_setting(file: Path, key: str, value: object) -> None:
    """Set `key` (dotted) in `file` for good; keys we do not know stay as they are.

    The file appears whole or not at all, readable by its owner alone (0600).

    Raises:
        SettingsError: the key or value is wrong, or the file cannot be read or
            written; it is untouched then.
    """
    known = read_known()
    if key not in known:
        raise SettingsError(
            _("There is no setting {key}.").format(key=key),
            hint=_("Did you mean {nearest}?").format(nearest=nearest(key, known)),
        )
    tables = read_file(file)
    split_known(tables, known, file)  # a value in the place of a section
    *sections, name = key.split(".")
    table = tables
    for section in sections:
        table = cast(dict[str, Any], table.setdefault(section, {}))
    table[name] = checked(known[key], value, str(file))
    _write(file, tables)


def forget_setting(file: Path, key: str) -> None:
    """Take `key` (dotted) out of `file`, so that its default holds again.

    Raises:
        SettingsError: the file cannot be read or written; it is untouched then.
    """
    tables = read_file(file)
    split_known(tables, read_known(), file)
    *sections, name = key.split(".")
    table = tables
    for section in sections:
        table = cast(dict[str, Any], table.get(section, {}))
    if table.pop(name, None) is not None:
        _write(file, tables)


def _write(file: Path, tables: dict[str, Any]) -> None:
    import tomli_w  # only needed here; starting the program must stay fast

    write_private(file, tomli_w.dumps(tables).encode("utf-8"))


def write_private(file: Path, data: bytes) -> None:
    """Write a file of the person's own: whole or not at all, for them alone (0600).

    Raises:
        SettingsError: it cannot be written; it is untouched then.
    """
    try:
        _write_whole(file.resolve(), data)  # a dotfiles folder's link stays a link
    except OSError as error:
        raise SettingsError(
            _("{file} cannot be written: {reason}.").format(
                file=file, reason=error.strerror
            ),
            hint=_("Check the disk and who owns the file and its folder."),
        ) from error


def _write_whole(target: Path, data: bytes) -> None:
    paths.private_folder(target.parent)
    # mkstemp makes the file 0600.
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
