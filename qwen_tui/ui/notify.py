"""A sign to somebody who looks elsewhere that a long answer has ended."""

from collections.abc import Mapping

from qwen_tui.chat.answer import usage_from
from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.clipboard import through_screen, through_tmux

LONG_S = 10.0
"""An answer that took less is not worth a sign."""
_TITLE_CHARS = 60


def is_worth_a_sign(answer: ChatMessage | None) -> bool:
    """Tell whether an answer took long and ended without being stopped by hand."""
    if answer is None or answer.state not in ("complete", "failed"):
        return False
    usage = usage_from(answer.usage)
    return usage.prefill_s + usage.decode_s >= LONG_S


def sign_bytes(how: str, title: str, environ: Mapping[str, str]) -> str:
    """Return what to write to the terminal.

    Args:
        how: "bell", or "osc9" for a note on the desktop (iTerm2's sequence, which
            kitty, WezTerm, foot, Ghostty and Windows Terminal know too).
        title: Of the conversation; outside text.
        environ: Tells what stands between the program and the terminal.
    """
    if how == "bell":
        return "\a"
    told = _("{title}: the answer has ended").format(
        title=sanitize_line(title)[:_TITLE_CHARS] or "qwen-tui"
    )
    # the name first: numbers at the beginning mean other things to some terminals
    sequence = f"\x1b]9;qwen-tui: {told}\a"
    if environ.get("TMUX"):
        return through_tmux(sequence)
    return through_screen(sequence) if environ.get("STY") else sequence
