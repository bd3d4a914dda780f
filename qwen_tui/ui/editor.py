"""A text in the person's own editor: $VISUAL, else $EDITOR."""

import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from qwen_tui.errors import UsageError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_LIMIT_BYTES = 1_000_000
_KEY_SIGNALS = (signal.SIGINT, signal.SIGQUIT)


class EditorFailed(UsageError):
    """The editor did not bring a text back."""

    code = "editor"


def editor_command(environ: Mapping[str, str]) -> list[str]:
    """Return the editor with its arguments.

    Raises:
        EditorFailed: none is set, or what is set cannot be read.
    """
    for name in ("VISUAL", "EDITOR"):
        try:
            command = shlex.split(environ.get(name, ""))
        except ValueError as error:
            raise EditorFailed(
                _("${name} cannot be read: {reason}.").format(name=name, reason=error)
            ) from error
        if command:
            return command
    raise EditorFailed(
        _("No editor is set."),
        hint=_("Set EDITOR before you start, as in: EDITOR=vim qwen-tui"),
    )


def edit_text(text: str, command: Sequence[str]) -> str:
    """Open `text` in the editor, wait for its end, return what was written.

    The file is the person's alone (0600) and is gone afterwards.

    Raises:
        EditorFailed: the editor cannot be started or failed, or what it left is no
            text or too long.
    """
    handle, name = tempfile.mkstemp(prefix="qwen-tui-", suffix=".md")
    file = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as stream:
            stream.write(f"{text}\n" if text else "")  # lines end, as editors expect
        _run([*command, name])
        return _read(file)
    except OSError as error:
        raise EditorFailed(
            _("The editor cannot be used: {reason}.").format(reason=error.strerror)
        ) from error
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def keys_for_the_editor() -> Generator[None]:
    r"""Let Ctrl+C and Ctrl+\ in an editor end nothing of this program.

    A terminal sends their signals to every process in front of it. A handler that
    does nothing is not handed on to the editor, as an ignored signal would be.
    """

    def do_nothing(number: int, frame: FrameType | None) -> None:
        """Leave the key to the editor."""

    before = {n: signal.signal(n, do_nothing) for n in _KEY_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(command: Sequence[str]) -> None:
    status = subprocess.run(command, check=False).returncode
    if status:
        name = sanitize_line(Path(command[0]).name)
        raise EditorFailed(
            _("{name} ended with status {n}; the message is as it was.").format(
                name=name, n=status
            )
        )


def _read(file: Path) -> str:
    with file.open("rb") as stream:
        data = stream.read(_LIMIT_BYTES + 1)
    if len(data) > _LIMIT_BYTES:
        raise EditorFailed(
            _("What the editor left is longer than 1 MB; the message is as it was.")
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EditorFailed(
            _("What the editor left is no UTF-8 text; the message is as it was.")
        ) from error
    return text.replace("\r\n", "\n").removesuffix("\n")
