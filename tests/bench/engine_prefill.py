"""Reading a prompt in chunks: what that costs, and how soon it can be stopped."""

import threading
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any, cast

import torch
from transformers import StoppingCriteria

from qwen_tui.engine.forward import Forward, Pace, chunk_rule
from qwen_tui.engine.model import LoadedModel
from tests.bench.engine_ours import answer, ids_of, prompt_of, request_for, seconds
from tests.bench.measure import Pair, Row, in_turn

N_PROMPT = 1200
CHUNKED_GOAL = 1.06
STOP_GOAL = 0.1
ROUNDS = 6
STOP_AT = (0.2, 0.4, 0.6, 0.8)  # of the time that the whole prompt takes


def prefill_rows(fast: LoadedModel, plain: LoadedModel) -> Iterator[Row]:
    chunked = _chunked(fast)
    detail = f"{chunked.ours:.2f} against {chunked.theirs:.2f} s"
    what = f"{N_PROMPT} tokens of a prompt in chunks, against one shot"
    yield Row(what, chunked.ratio, "x", CHUNKED_GOAL, at_least=False, detail=detail)
    stop = _stop(fast, plain)
    detail = f"{stop.ours:.3f} against {stop.theirs:.3f} s"
    what = f"stop in a prompt of {N_PROMPT} tokens, against StoppingCriteria"
    yield Row(what, stop.ratio, "x", STOP_GOAL, at_least=False, detail=detail)


def _chunked(model: LoadedModel) -> Pair:
    ids = ids_of(model, request_for(prompt_of(model, N_PROMPT)))
    rule = chunk_rule(model.model, model.device, can_rewind=True)
    pace = Pace(rule)  # kept, as between turns

    @torch.inference_mode()
    def in_chunks() -> float:
        forward = Forward(model.model, model.device, pace=pace)
        return seconds(lambda: list(forward.feed_in_chunks(ids)))

    @torch.inference_mode()
    def one_shot() -> float:
        forward = Forward(model.model, model.device)
        return seconds(lambda: forward.feed(ids))

    return in_turn(in_chunks, one_shot, rounds=ROUNDS)


def _stop(fast: LoadedModel, plain: LoadedModel) -> Pair:
    request = request_for(prompt_of(fast, N_PROMPT), limit=2)
    ids = torch.tensor([ids_of(fast, request)])

    def ours(flag: threading.Event) -> None:
        answer(fast, request, is_cancelled=flag.is_set)

    def theirs(flag: threading.Event) -> None:
        cast(Any, plain.model).generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=2,
            stopping_criteria=[_Flag(flag)],
        )

    return in_turn(_latency(ours), _latency(theirs), rounds=len(STOP_AT))


def _latency(work: Callable[[threading.Event], None]) -> Callable[[], float]:
    """Return what measures from a stop, somewhere in `work`, to its end."""
    whole_s = seconds(lambda: work(threading.Event()))
    shares = cycle((STOP_AT[-1], *STOP_AT))  # the first one is not counted

    def measure() -> float:
        flag, set_at = threading.Event(), 0.0

        def stop() -> None:
            nonlocal set_at
            set_at = time.perf_counter()
            flag.set()

        timer = threading.Timer(whole_s * next(shares), stop)
        timer.start()
        work(flag)
        ended_at = time.perf_counter()
        timer.join()
        return max(0.0, ended_at - set_at)

    return measure


class _Flag(StoppingCriteria):
    def __init__(self, flag: threading.Event) -> None:
        self._flag = flag

    def __call__(
        self,
        input_ids: torch.LongTensor,
        scores: tuple[torch.Tensor] | None,
        **_kwargs: object,
    ) -> torch.BoolTensor:
        return cast(Any, torch.full((input_ids.shape[0],), self._flag.is_set()))
