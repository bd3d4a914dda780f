"""Thinking and answer in the deltas of a server, which tells them apart or not."""

from dataclasses import dataclass

from qwen_tui.chat.thinking import CLOSE_TAG, OPEN_TAG


@dataclass(frozen=True, slots=True)
class Part:
    """Text of one channel."""

    text: str
    is_thinking: bool


ALL_WAS_THINKING = Part("", is_thinking=True)
"""What was given as the answer so far is thinking after all."""


class ThinkingSplit:
    """Splits a stream as `chat.thinking.split_finished` splits a finished text.

    Some servers send thinking under a name of its own, some send the raw text with
    the tags in it. `<think>` counts only before any answer, and only where nothing
    came under the name of thinking. A `</think>` that nothing opened, where thinking
    was asked for, tells that a template had opened it: all before it was thinking.
    Line ends before the first word of either are dropped.

    Attributes:
        is_open: Thinking was begun and has not ended.
    """

    def __init__(self, *, opened: bool = False, may_open: bool = False) -> None:
        """Begin.

        Args:
            opened: The prompt opens the thinking of raw text.
            may_open: It may, but nobody knows.
        """
        self.is_open = False
        self._opened = opened
        self._may_open = may_open
        self._is_raw = True
        self._has_begun = False
        self._answer_began = False
        self._strip_next = False
        self._held: str = ""

    def thinking(self, text: str) -> list[Part]:
        """Take what the server itself calls thinking."""
        self._is_raw = False
        text = text if self.is_open else text.lstrip("\n")
        if not text:
            return []
        self.is_open = True
        return [Part(text, is_thinking=True)]

    def answer(self, text: str) -> list[Part]:
        """Take what the server calls the answer."""
        if not self._is_raw:
            self.is_open = False
            return self._say(text)
        self._held += text
        return self._begin() if not self._has_begun else self._go_on()

    def end(self) -> list[Part]:
        """Return what was held back because a tag might have begun in it."""
        held = self._let_go()
        if not held:
            return []
        return [Part(held, is_thinking=True)] if self.is_open else self._say(held)

    def _begin(self) -> list[Part]:
        """Find out whether the raw text starts with thinking."""
        start = self._held.lstrip()
        if start.startswith(OPEN_TAG):
            self._held = start.removeprefix(OPEN_TAG)
        elif OPEN_TAG.startswith(start):
            return []  # nothing, or half a tag
        elif not self._opened:
            self._has_begun = True
            return self._go_on()
        else:
            self._held = start
        self._has_begun = self.is_open = True
        self._strip_next = True
        return self._go_on()

    def _go_on(self) -> list[Part]:
        if not self.is_open:
            return self._watch() if self._may_open else self._say(self._let_go())
        self._may_open = False
        if self._strip_next:
            self._held = self._held.lstrip("\n")
            self._strip_next = not self._held
        thought, tag, rest = self._held.partition(CLOSE_TAG)
        if tag:
            self._held, self.is_open = "", False
            parts = [Part(thought, is_thinking=True)] if thought else []
            return parts + self._say(rest)
        ready = self._let_go(_half_tag(self._held))
        return [Part(ready, is_thinking=True)] if ready else []

    def _watch(self) -> list[Part]:
        """Say what is answer as far as anybody knows."""
        thought, tag, rest = self._held.partition(CLOSE_TAG)
        if not tag:
            return self._say(self._let_go(_half_tag(self._held)))
        self._held, self._may_open = "", False
        said = self._say(thought)
        self._answer_began = False
        return [*said, ALL_WAS_THINKING, *self._say(rest)]

    def _let_go(self, n_kept: int = 0) -> str:
        """Return what is held but for the last characters."""
        ready = self._held[: len(self._held) - n_kept]
        self._held = self._held[len(ready) :]
        return ready

    def _say(self, text: str) -> list[Part]:
        text = text if self._answer_began else text.lstrip("\n")
        if not text:
            return []
        self._answer_began = True
        return [Part(text, is_thinking=False)]


def _half_tag(text: str) -> int:
    """Return how many characters at the end may be the beginning of `</think>`."""
    longest = min(len(CLOSE_TAG) - 1, len(text))
    return next(
        (n for n in range(longest, 0, -1) if CLOSE_TAG.startswith(text[-n:])), 0
    )
