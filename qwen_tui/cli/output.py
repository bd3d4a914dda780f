"""Printing: plain text for people, one JSON object a line for programs."""

import json
import sys
from collections.abc import Mapping
from typing import Any, TextIO

from qwen_tui.errors import QwenTuiError, UsageError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize, sanitize_line


def say(text: str, stream: TextIO | None = None, *, end: str = "\n") -> None:
    """Print text from anywhere: sanitized on a terminal, as it is in a pipe."""
    out = sys.stdout if stream is None else stream
    shown = sanitize(text) if out.isatty() else text
    # A lone surrogate cannot be encoded; it must not end the program.
    safe = shown.encode("utf-8", "replace").decode("utf-8")
    print(safe, end=end, file=out, flush=True)


def say_json(body: Mapping[str, Any]) -> None:
    """Print one JSON object as one line, at once.

    ASCII escapes, so that no control or bidi character of a model's text reaches a
    terminal as itself.
    """
    print(json.dumps(body), flush=True)


def say_error(error: QwenTuiError, *, as_json: bool = False) -> None:
    """Print a failure as one line on stderr, and as an event where JSON was asked."""
    if as_json:
        say_json({"event": "error", **failure_fields(error)})
    text = f"{error.message} {error.hint}" if error.hint else error.message
    print(f"qwen-tui: {sanitize_line(text)}", file=sys.stderr, flush=True)


def failure_fields(error: QwenTuiError) -> dict[str, str]:
    """Return the three fields every error carries."""
    return {"code": error.code, "message": error.message, "hint": error.hint}


def confirmed(question: str, *, refusal: str = "") -> bool:
    """Ask a yes-or-no question on the terminal; anything but yes is no.

    Raises:
        UsageError: with `refusal`, there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise UsageError(refusal, hint=_("Add --yes where nobody can be asked."))
    say(f"{question} [y/N] ", sys.stderr, end="")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def size_text(size_bytes: float) -> str:
    """Return a size in the units disks are sold in: 1.2 GB."""
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:  # noqa: PLR2004 - the step between decimal units
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
