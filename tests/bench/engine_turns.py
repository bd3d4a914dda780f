"""The time to the first token of a late turn, with and without what is kept."""

from collections.abc import Iterator

from qwen_tui.chat.backend import PromptMessage, TurnRequest
from qwen_tui.engine.model import LoadedModel
from qwen_tui.engine.prefill import PromptReader
from qwen_tui.engine.warm import warm
from tests.bench.engine_ours import answer, request_for, seconds
from tests.bench.measure import Row, in_turn

GOALS = {10: 0.16, 20: 0.09}
QUESTION, THOUGHTS, ANSWER = 30, 200, 100  # tokens; a byte is one
ROUNDS = 3


def turn_rows(fast: LoadedModel, _plain: LoadedModel) -> Iterator[Row]:
    for turn, goal in GOALS.items():
        talk = _Talk(fast, turn)
        pair = in_turn(talk.with_reuse, talk.without, rounds=ROUNDS)
        ahead = in_turn(talk.read_ahead, talk.with_reuse, rounds=ROUNDS)
        detail = (
            f"{pair.ours:.2f} against {pair.theirs:.2f} s; read ahead while the "
            f"question is written: {ahead.ours:.2f} s, {ahead.ratio:.2f} of that"
        )
        what = f"first token of turn {turn}, thinking on, against no reuse"
        yield Row(what, pair.ratio, "x", goal, at_least=False, detail=detail)


class _Talk:
    """A conversation up to a turn; its answers are written, not generated."""

    def __init__(self, model: LoadedModel, turn: int) -> None:
        self._model = model
        self._reader = PromptReader(model)
        self._last = self._asks(turn - 1)
        self._now = self._asks(turn)
        history = request_for(*self._now.messages[:-1])
        self._history = history

    def with_reuse(self) -> float:
        self._answer_the_turn_before()
        return seconds(lambda: answer(self._model, self._now, self._reader))

    def read_ahead(self) -> float:
        self._answer_the_turn_before()
        warm(self._model, self._history, self._reader, lambda: False)
        return seconds(lambda: answer(self._model, self._now, self._reader))

    def without(self) -> float:
        return seconds(lambda: answer(self._model, self._now))

    def _answer_the_turn_before(self) -> None:
        # Its thoughts and answer are not drawn: the thoughts come first and are gone
        # in the next prompt, so nothing after them is of use.
        answer(self._model, self._last, self._reader)

    def _asks(self, turn: int) -> TurnRequest:
        messages: list[PromptMessage] = []
        for i in range(turn):
            text = f"{i:0{QUESTION}}"
            messages.append(PromptMessage("user", text))
            if i < turn - 1:
                said = f"{i:0{ANSWER}}"
                messages.append(PromptMessage("assistant", said, "t" * THOUGHTS))
        return request_for(*messages)
