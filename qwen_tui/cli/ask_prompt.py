"""What `ask` asks: its argument, standard input and files as one prompt."""

import sys
from collections.abc import Sequence
from pathlib import Path

from qwen_tui.chat.attachment import attach
from qwen_tui.errors import UsageError
from qwen_tui.i18n import _


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
