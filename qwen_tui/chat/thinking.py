"""Whether a model thinks, and thinking and answer inside one finished text."""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

OPEN_TAG = "<think>"
CLOSE_TAG = "</think>"


SoftSwitch = Literal["", "/think", "/no_think"]

# not a path such as /usr/think or ./think, nor the start of a longer word
_SOFT_SWITCH = re.compile(r"(?<![\w./-])/(?:no_)?think(?![\w/-]|\.\w)", re.ASCII)


class ThinkingMode(NamedTuple):
    """Whether a turn thinks."""

    on: bool
    switch: SoftSwitch = ""
    """The soft switch in the conversation that decided it."""


def thinking_mode(
    *, wanted: bool, kind: str, texts: Iterable[str] = ()
) -> ThinkingMode:
    """Return whether a turn thinks, by Qwen3's rules.

    `/think` and `/no_think` in the text of a user's or the system message are soft
    switches: while thinking is on, the last one counts; while it is off they mean
    nothing. Source: Qwen3 model card, "Advanced Usage".

    Args:
        wanted: The hard switch.
        kind: What the model offers: "switch", "always" or "never".
        texts: The system's and the user's messages, oldest first.
    """
    if kind != "switch":
        return ThinkingMode(kind == "always")
    if not wanted:
        return ThinkingMode(on=False)
    found = [switch for text in texts for switch in _SOFT_SWITCH.findall(text)]
    if not found:
        return ThinkingMode(on=True)
    is_on = found[-1] == "/think"
    return ThinkingMode(is_on, "/think" if is_on else "/no_think")


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
