"""From pieces of text to stream events, as many a second as a reader can use."""

import time
from collections.abc import Callable, Iterable

from qwen_tui.chat.events import AnswerDelta, StreamEvent, ThinkingDelta
from qwen_tui.engine.stops import StopTexts
from qwen_tui.engine.thinking import Channel, Piece

_TELL_INTERVAL_S = 1 / 30  # more events a second cost the reader, and show nothing


class Teller:
    """Merges the pieces of one channel, and ends the answer at a stop text."""

    def __init__(self, tell: Callable[[StreamEvent], None], stops: StopTexts) -> None:
        self._tell = tell
        self._stops = stops
        self._channel = Channel.ANSWER
        self._text = ""
        self._n_tokens = 0
        self._told_at = 0.0

    def take(self, pieces: Iterable[Piece]) -> None:
        """Take what one token made."""
        self._n_tokens += 1
        self._sort(pieces)
        if time.monotonic() - self._told_at >= _TELL_INTERVAL_S:
            self._flush()

    def finish(self, pieces: Iterable[Piece]) -> None:
        """Take the last pieces, and tell all that waits."""
        self._sort(pieces)
        self._add(Channel.ANSWER, self._stops.finish())
        self._flush()

    def _sort(self, pieces: Iterable[Piece]) -> None:
        for channel, text in pieces:
            # a stop text ends answers; a thought may well contain it
            is_answer = channel is Channel.ANSWER
            self._add(channel, self._stops.push(text) if is_answer else text)

    def _add(self, channel: Channel, text: str) -> None:
        if not text:
            return
        if channel is not self._channel:
            self._flush()
            self._channel = channel
        self._text += text

    def _flush(self) -> None:
        if not self._text:
            return
        delta = ThinkingDelta if self._channel is Channel.THINKING else AnswerDelta
        self._tell(delta(self._text, tokens=self._n_tokens))
        self._text, self._n_tokens = "", 0
        self._told_at = time.monotonic()
