"""Thinking and answer told apart by token id, while the tokens come.

What is shown cannot be taken back, so one rule differs from
`chat.thinking.split_finished`: a tag after the answer has begun stays in the
answer as text. Everywhere else the two agree to the character.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from transformers import PreTrainedTokenizerBase

from qwen_tui.chat.thinking import CLOSE_TAG, OPEN_TAG
from qwen_tui.engine.detokenize import Detokenizer


@dataclass(frozen=True, slots=True)
class ThinkTags:
    """The ids of `<think>` and `</think>`."""

    open_id: int
    close_id: int


def find_think_tags(tokenizer: PreTrainedTokenizerBase) -> ThinkTags | None:
    """Return the tags' ids, or None where either is no token of its own."""
    vocabulary = tokenizer.get_vocab()
    if OPEN_TAG not in vocabulary or CLOSE_TAG not in vocabulary:
        return None
    return ThinkTags(vocabulary[OPEN_TAG], vocabulary[CLOSE_TAG])


def opened_by(prompt_ids: Sequence[int], tags: ThinkTags | None) -> bool:
    """Tell whether a prompt leaves thinking open, as some templates do."""
    if tags is None:
        return False
    for token_id in reversed(prompt_ids):
        if token_id in (tags.open_id, tags.close_id):
            return token_id == tags.open_id
    return False


class Channel(Enum):
    """Where a piece of text belongs."""

    THINKING = auto()
    ANSWER = auto()


class Piece(NamedTuple):
    """Text that is complete and belongs to one channel."""

    channel: Channel
    text: str


class _Trimmed:
    """Drops newlines at both ends of a text that comes in parts."""

    def __init__(self, leading: str | None = "\n") -> None:
        self._leading = leading  # what `str.lstrip` takes off the front
        self.started = False
        self.held = ""

    def push(self, text: str) -> str:
        """Return what can be shown; blanks wait until something follows them."""
        text = self.held + text
        if not text.strip():
            self.held = text
            return ""
        if not self.started:
            self.started = True
            text = text.lstrip(self._leading)
        shown = text.rstrip("\n")
        self.held = text[len(shown) :]
        return shown

    def finish(self) -> str:
        """Return the blanks that no newline rule drops."""
        rest, self.held = self.held, ""
        return (rest if self.started else rest.lstrip(self._leading)).rstrip("\n")


class _State(Enum):
    OPENING = auto()  # nothing but blanks so far: a tag may still come
    THINKING = auto()
    ANSWERING = auto()


class ThinkingSplitter:
    """Sorts generated tokens into thinking and answer."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        tags: ThinkTags | None,
        *,
        opened: bool,
        resumed: bool = False,
    ) -> None:
        """Begin an answer.

        Args:
            tokenizer: Turns ids into text.
            tags: Its thinking tags; None leaves everything to the answer.
            opened: The prompt ends inside thinking.
            resumed: The prompt ends inside a text that was cut and now goes on, so
                that blanks at the start belong to it.
        """
        self._detokenizer = Detokenizer(tokenizer)
        self._tags = tags
        self._state = _State.THINKING if opened else _State.OPENING
        # a template that opens <think> itself also writes the newline after it
        self._thinking = _Trimmed(leading=None if opened else "\n")
        self._answer = _Trimmed()
        self._open_tag_expected = True
        if resumed:
            (self._thinking if opened else self._answer).started = True
            self._state = _State.THINKING if opened else _State.ANSWERING
        self._tokens = 0
        self._tokens_at_close = 0

    @property
    def is_thinking(self) -> bool:
        """Thinking is open now."""
        return self._state is _State.THINKING

    @property
    def thinking_tokens(self) -> int:
        """Tokens up to and including the end of thinking, or all while it lasts."""
        return self._tokens if self.is_thinking else self._tokens_at_close

    def push(self, token_id: int) -> list[Piece]:
        """Take one generated token, not the stop token; return what can be shown."""
        self._tokens += 1
        if self._tags is not None and token_id == self._tags.open_id:
            return self._open()
        if self._tags is not None and token_id == self._tags.close_id:
            return self._close()
        return self._text(self._detokenizer.push(token_id))

    def finish(self) -> list[Piece]:
        """Return what was held back; the answer has ended."""
        pieces = [Piece(Channel.THINKING, self._thinking.finish())]
        if not self.is_thinking:
            pieces.append(Piece(Channel.ANSWER, self._answer.finish()))
        return [piece for piece in pieces if piece.text]

    def _open(self) -> list[Piece]:
        self._detokenizer.restart()
        fresh = not self._answer.started and not self._thinking.started
        if self._open_tag_expected and fresh and self._state is not _State.ANSWERING:
            self._open_tag_expected = False
            self._thinking = _Trimmed()
            self._answer = _Trimmed()
            self._state = _State.THINKING
            return []
        return self._text(OPEN_TAG)

    def _close(self) -> list[Piece]:
        self._detokenizer.restart()
        if self._answer.started:
            return self._text(CLOSE_TAG)
        pieces: list[Piece] = []
        if self._state is _State.ANSWERING:  # a second one: the last counts
            earlier = self._thinking.push(CLOSE_TAG + self._answer.held)
            pieces.append(Piece(Channel.THINKING, earlier))
        self._answer = _Trimmed()
        self._state = _State.ANSWERING
        self._tokens_at_close = self._tokens
        return pieces

    def _text(self, text: str) -> list[Piece]:
        if self.is_thinking:
            pieces = [Piece(Channel.THINKING, self._thinking.push(text))]
        else:
            shown = self._answer.push(text)
            pieces = [Piece(Channel.ANSWER, shown)]
            if shown and self._thinking.held:
                pieces.insert(0, Piece(Channel.THINKING, self._thinking.finish()))
        return [piece for piece in pieces if piece.text]
