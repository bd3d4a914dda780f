"""What `ask` asks: its argument, standard input and files as one prompt."""

import sys
from collections.abc import Sequence
from pathlib import Path

from qwen_tui.errors import UsageError
from qwen_tui.i18n import _

FILE_LIMIT_BYTES = 1_000_000  # a longer file would not fit any context we know


def build_prompt(prompt: str, files: Sequence[Path]) -> str:
    """Return the prompt with standard input and files appended.

    Raises:
        UsageError: nothing was asked, or a file is no text we can attach.
    """
    parts = [prompt] if prompt else []
    if sys.stdin is not None and not sys.stdin.isatty():  # pyright: ignore[reportUnnecessaryComparison]
        piped = sys.stdin.buffer.read().decode("utf-8", "replace").rstrip("\n")
        if piped.strip():
            parts.append(piped)
    parts.extend(attach(path) for path in files)
    if not parts:
        raise UsageError(
            _("There is nothing to ask."),
            hint=_('Try: qwen-tui ask --model demo "What is the capital of France?"'),
        )
    return "\n\n".join(parts)


def attach(path: Path) -> str:
    """Return a text file as a fenced block under its name.

    Raises:
        UsageError: the file cannot be read, is too long, or is no text.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            _("Cannot read {path}: {reason}.").format(path=path, reason=reason)
        ) from error
    if len(data) > FILE_LIMIT_BYTES:
        raise UsageError(
            _("{path} has {size} bytes; the limit is {limit}.").format(
                path=path, size=len(data), limit=FILE_LIMIT_BYTES
            ),
            hint=_("Attach the part that matters."),
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(
            _("{path} is no UTF-8 text.").format(path=path),
            hint=_("Convert it first; pictures and programs cannot be attached."),
        ) from error
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{path.name}\n{fence}\n{text.rstrip()}\n{fence}"
