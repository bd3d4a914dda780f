"""Text files that go into a prompt, each a fenced block under its name."""

import re
from pathlib import Path

from qwen_tui.errors import UsageError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

FILE_LIMIT_BYTES = 1_000_000  # a longer file would not fit any context we know
_LEAST_FENCE = 3  # CommonMark 0.31, section 4.5
_BACKTICKS = re.compile("`+")


def attach(path: Path) -> str:
    """Return a text file as a fenced block under its name.

    Raises:
        UsageError: the file cannot be read, is too long, or is no text.
    """
    shown = sanitize_line(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT_BYTES + 1)
        size_bytes = max(path.stat().st_size, len(data))  # a pipe has no size
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            _("Cannot read {path}: {reason}.").format(path=shown, reason=reason)
        ) from error
    if len(data) > FILE_LIMIT_BYTES:
        raise UsageError(
            _("{path} has {size} bytes; the limit is {limit}.").format(
                path=shown, size=size_bytes, limit=FILE_LIMIT_BYTES
            ),
            hint=_("Attach the part that matters."),
        )
    return fenced(path.name, _text_of(data, shown))


def fenced(name: str, text: str) -> str:
    """Return `text` between fences that are longer than any inside, under `name`."""
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(_LEAST_FENCE, longest + 1)
    return f"{sanitize_line(name)}\n{fence}\n{text.rstrip()}\n{fence}"


def _text_of(data: bytes, shown: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_text(shown) from error
    if "\0" in text:  # valid UTF-8, and in no text
        raise _no_text(shown)
    return text


def _no_text(shown: str) -> UsageError:
    return UsageError(
        _("{path} is no UTF-8 text.").format(path=shown),
        hint=_("Convert it first; pictures and programs cannot be attached."),
    )
