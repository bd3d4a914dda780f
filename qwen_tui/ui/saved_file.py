"""Texts that a person saves to a file of their own."""

from pathlib import Path

from qwen_tui.errors import FileError
from qwen_tui.i18n import _


def path_named(name: str) -> Path:
    """Return the path that a person means: ~ is home, quotes around it are dropped.

    Raises:
        FileError: it cannot be a path.
    """
    if len(name) > 1 and name[0] == name[-1] and name[0] in "'\"":
        name = name[1:-1]
    try:
        path = Path(name).expanduser().absolute()
        path.exists()
    except (OSError, RuntimeError, ValueError) as error:  # no such user, a NUL
        raise _cannot(name, error) from error
    return path


def file_named(name: str) -> Path:
    """Return the file that a person means, to be written.

    Raises:
        FileError: it is a folder, or something else that is no file.
    """
    path = path_named(name)
    try:
        if not path.exists() or path.is_file():
            return path
        is_folder = path.is_dir()
    except OSError as error:
        raise _cannot(name, error) from error
    if is_folder:
        text = _("{path} is a folder.").format(path=name)
        raise FileError(text, hint=_("Name a file in it."))
    raise FileError(_("{path} is no plain file.").format(path=name))


def save(path: Path, text: str, *, overwrite: bool) -> bool:
    """Write a text to a file, with a line end behind it.

    Returns:
        False where the file is there already and may not be overwritten.

    Raises:
        FileError: it cannot be written.
    """
    if text and not text.endswith("\n"):
        text += "\n"
    try:
        with path.open("w" if overwrite else "x", encoding="utf-8", errors="replace",
                       newline="") as out:  # fmt: skip
            out.write(text)
    except FileExistsError:
        return False
    except (OSError, ValueError) as error:
        raise _cannot(str(path), error) from error
    return True


def _cannot(name: str, error: Exception) -> FileError:
    reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
    text = _("{file} cannot be written: {reason}.")
    return FileError(text.format(file=name, reason=reason))
