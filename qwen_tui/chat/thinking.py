"""Thinking and answer inside one finished text."""

from typing import NamedTuple

OPEN_TAG = "<think>"
CLOSE_TAG = "</think>"


class Parts(NamedTuple):
    """A finished answer in two."""

    thinking: str
    answer: str
    cut: bool
    """Thinking was opened and never closed."""


def split_finished(text: str, *, opened: bool = False) -> Parts:
    """Split a finished text by our user's rule.

    Everything up to the last `</think>` is thinking, the rest the answer, both
    stripped of newlines; with neither tag all is answer. Beyond that rule, a
    `<think>` that is opened (by the text, or by the prompt: `opened`) and never
    closed is thinking that was cut short. Of several `</think>` the last counts,
    and the earlier ones stay in the thinking as text.
    """
    head, close, tail = text.rpartition(CLOSE_TAG)
    if close:
        return Parts(_without_open_tag(head), tail.strip("\n"), cut=False)
    if opened or text.lstrip().startswith(OPEN_TAG):
        return Parts(_without_open_tag(text), "", cut=True)
    return Parts("", text.strip("\n"), cut=False)


def _without_open_tag(text: str) -> str:
    return text.lstrip().removeprefix(OPEN_TAG).strip("\n")
