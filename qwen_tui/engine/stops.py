"""Texts that end an answer, found wherever they fall in the stream of tokens."""

from collections.abc import Sequence


class StopTexts:
    """Lets an answer through up to the first of some texts.

    What may be the beginning of one is held back until more has come, so that no
    part of it is shown.

    Attributes:
        found: The answer has ended; nothing more comes through.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [text for text in texts if text]
        self._held = ""
        self.found = False

    def push(self, text: str) -> str:
        """Take more of the answer; return what can be shown."""
        if self.found:
            return ""
        text = self._held + text
        places = [at for stop in self._texts if (at := text.find(stop)) >= 0]
        if places:
            self.found, self._held = True, ""
            return text[: min(places)].rstrip("\n")
        shown = len(text) - self._n_unsure(text)
        self._held = text[shown:]
        return text[:shown]

    def finish(self) -> str:
        """Return what was held back; the answer has ended otherwise."""
        rest, self._held = self._held, ""
        return rest

    def _n_unsure(self, text: str) -> int:
        """Return the length of the longest end of `text` that begins a stop text."""
        longest = max(map(len, self._texts), default=0) - 1
        for n in range(min(longest, len(text)), 0, -1):
            if any(stop.startswith(text[-n:]) for stop in self._texts):
                return n
        return 0
