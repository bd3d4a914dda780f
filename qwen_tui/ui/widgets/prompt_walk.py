"""A walk through earlier prompts, and back to what was being written."""

from collections.abc import Sequence


class PromptWalk:
    """Where in the earlier prompts a person is.

    Whoever begins to walk with text typed sees only what begins with that text,
    where anything does.
    """

    def __init__(self) -> None:
        self._prompts: list[str] = []
        self._found: list[str] = []
        self._place = 0
        self._draft = ""
        self._shown: str | None = None

    def is_at(self, text: str) -> bool:
        """Tell whether `text` is an earlier prompt as `showing` noted it."""
        return self._shown is not None and text == self._shown

    def replace(self, prompts: Sequence[str]) -> None:
        """Take what there is to walk through, oldest first."""
        self._prompts = list(prompts)
        self.end()

    def add(self, prompt: str) -> None:
        """Take over a new prompt; one that is there already moves to the end."""
        if prompt.strip():
            self._prompts = [p for p in self._prompts if p != prompt] + [prompt]
        self.end()

    def end(self) -> None:
        """Be where new text is written, with no draft to come back to."""
        self._shown = None
        self._draft = ""

    def step(self, step: int, text: str) -> str | None:
        """Return the prompt `step` places away, or the draft past the newest one.

        Args:
            step: -1 for the one before, 1 for the one after.
            text: What stands in the composer now.

        Returns:
            None when there is none that way.
        """
        if not self.is_at(text):
            self._begin(text)
        place = self._place + step
        if not 0 <= place <= len(self._found):
            return None
        self._place = place
        return self._draft if place == len(self._found) else self._found[place]

    def showing(self, text: str) -> None:
        """Note how the composer shows what `step` returned."""
        self._shown = text if self._place < len(self._found) else None

    def _begin(self, draft: str) -> None:
        others = [p for p in self._prompts if p != draft]
        alike = [p for p in others if p.startswith(draft)] if draft.strip() else []
        self._draft = draft
        self._found = alike or others
        self._place = len(self._found)
        self._shown = None
