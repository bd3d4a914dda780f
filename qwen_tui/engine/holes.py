"""Messages as a chat template gets them, with placeholders for outside texts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qwen_tui.chat.backend import PromptMessage
from qwen_tui.chat.thinking import CLOSE_TAG, OPEN_TAG, split_finished
from qwen_tui.engine.controls import ControlTokens

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class TemplateTurn:
    """A message as the template gets it."""

    role: str
    content: str
    thinking: str

    @classmethod
    def of(cls, message: PromptMessage) -> "TemplateTurn":
        content = _LONE_SURROGATES.sub("\ufffd", message.content)
        thinking = _LONE_SURROGATES.sub("\ufffd", message.thinking)
        inline = content.lstrip().startswith(OPEN_TAG) and CLOSE_TAG in content
        if message.role == "assistant" and inline and not thinking:
            # a history from elsewhere keeps its thinking inside the content
            thinking, content, _cut = split_finished(content)
        return cls(message.role, content, thinking)

    def for_template(self) -> dict[str, str]:
        body = {"role": self.role, "content": self.content}
        if self.role == "assistant":
            # always, even empty: without it Qwen3's template cuts a content that
            # speaks of </think>
            body["reasoning_content"] = self.thinking
        return body


class Holes:
    """Placeholders that stand for texts while a template runs."""

    def __init__(self, turns: Sequence[TemplateTurn], controls: ControlTokens) -> None:
        self._controls = controls
        self._texts: list[str] = []
        everything = "".join(turn.content + turn.thinking for turn in turns)
        self._open = "\ue000"  # private use; doubled until no text contains it
        while self._open in everything:
            self._open += "\ue000"
        self._marks = re.compile(f"{self._open}([0-9]+)\ue001")
        self.forged = False
        """Some text contains what would become a control token."""

    def hide_turn(self, turn: TemplateTurn) -> TemplateTurn:
        return TemplateTurn(
            turn.role, self.hide(turn.content), self.hide(turn.thinking)
        )

    def hide(self, text: str) -> str:
        """Return the text, or a mark for it where it contains a control token.

        Blanks at its ends stay outside, for templates that trim.
        """
        if not self._controls.occur_in(text):
            return text
        core = text.strip()
        head, _core, tail = text.partition(core)
        return head + self.mark(core) + tail

    def hide_all(self, text: str) -> str:
        """Return a mark for the text, whatever it contains, up to its very end."""
        return self.mark(text.lstrip("\n"))

    def split(self, rendered: str) -> list[tuple[str, bool]]:
        """Return the rendered prompt in parts: a text, and if it is an outside one."""
        return [self.text_of(piece) for piece in self.cut(rendered)]

    def text_of(self, piece: str | int) -> tuple[str, bool]:
        """Return the text of one piece of `cut`, and if it is an outside one."""
        if isinstance(piece, int):
            return self._texts[piece], True
        return piece, False

    def mark(self, text: str) -> str:
        """Return a mark that stands for the text."""
        self.forged = self.forged or self._controls.occur_in(text)
        self._texts.append(text)
        return f"{self._open}{len(self._texts) - 1}\ue001"

    def cut(self, rendered: str) -> list[str | int]:
        """Return the rendered prompt in order: template texts, and numbers of marks.

        A mark's number counts the calls of `mark`.
        """
        parts = self._marks.split(rendered)
        return [int(part) if i % 2 else part for i, part in enumerate(parts)]
