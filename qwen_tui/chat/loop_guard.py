"""Noticing that an answer goes round in circles."""

from collections import Counter, deque

_NGRAM = 8
_HISTORY = 1024  # n-grams looked back at; the longest circle is half of it
_SEEN_BEFORE = 2  # a thing said three times; twice is a refrain
_RECENT = 256  # tokens of the answer's end that are judged
_MOST = 0.95  # of them; a word that differs now and then hides no circle


class LoopGuard:
    """Counts how much of an answer's end was said before, word for word.

    A token is stale where the eight tokens that end with it came at least twice
    before. An answer whose last 256 tokens are nearly all stale is in a loop. About
    3 microseconds a token.
    """

    def __init__(self) -> None:
        self._last: deque[int] = deque(maxlen=_NGRAM)
        self._history: deque[tuple[int, ...]] = deque()
        self._times: Counter[tuple[int, ...]] = Counter()
        self._stale: deque[bool] = deque(maxlen=_RECENT)
        self._n_stale = 0

    def push(self, token_id: int) -> bool:
        """Take one generated token; tell whether the answer is in a loop."""
        self._last.append(token_id)
        if len(self._last) < _NGRAM:
            return False
        ngram = tuple(self._last)
        self._judge(stale=self._times[ngram] >= _SEEN_BEFORE)
        self._history.append(ngram)
        self._times[ngram] += 1
        if len(self._history) > _HISTORY:
            self._forget(self._history.popleft())
        return self._n_stale >= _MOST * _RECENT

    def _judge(self, *, stale: bool) -> None:
        if len(self._stale) == _RECENT:
            self._n_stale -= self._stale[0]
        self._stale.append(stale)
        self._n_stale += stale

    def _forget(self, ngram: tuple[int, ...]) -> None:
        self._times[ngram] -= 1
        if not self._times[ngram]:
            del self._times[ngram]
