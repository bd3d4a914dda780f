"""Decoding behind a prompt, against generate() with its streamer."""

import threading
import time
from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor
from transformers import DynamicCache, TextIteratorStreamer

from qwen_tui.engine.model import LoadedModel
from qwen_tui.engine.prefill import PromptReader
from tests.bench.engine_ours import SAMPLING, answer, ids_of, prompt_of, request_for
from tests.bench.measure import Row, in_turn

GOALS = {512: 1.8, 2048: 2.5}
N_TOKENS = 16
ROUNDS = 7


def decode_rows(fast: LoadedModel, plain: LoadedModel) -> Iterator[Row]:
    for context, goal in GOALS.items():
        ours, theirs = _Ours(fast, context), _Theirs(plain, context)
        pair = in_turn(ours.rate, theirs.rate, rounds=ROUNDS)
        cpu = theirs.cpu_s / ours.cpu_s
        detail = (
            f"{pair.ours:.2f} against {pair.theirs:.2f} tokens/s; CPU time {cpu:.2f} x"
        )
        what = f"decode at context {context}, against generate() and its streamer"
        yield Row(what, pair.ratio, "x", goal, detail=detail)


class _Ours:
    def __init__(self, model: LoadedModel, context: int) -> None:
        self.cpu_s = 0.0
        self._model = model
        self._reader = PromptReader(model)
        self._request = request_for(prompt_of(model, context), limit=N_TOKENS)

    def rate(self) -> float:
        begun = time.process_time()
        usage = answer(self._model, self._request, self._reader).usage
        if usage.cached_tokens:
            self.cpu_s += time.process_time() - begun
        # all that was read is kept but for the last token, as below
        return (N_TOKENS - 1) / usage.decode_s


class _Theirs:
    def __init__(self, model: LoadedModel, context: int) -> None:
        self.cpu_s = 0.0
        self._model = model
        request = request_for(prompt_of(model, context))
        self._ids = torch.tensor([ids_of(model, request)])
        self._cache: DynamicCache | None = None

    def rate(self) -> float:
        is_first = self._cache is None
        if self._cache is None:
            self._cache = DynamicCache(config=cast(Any, self._model.model).config)
        begun = time.process_time()
        streamer = _Streamer(self._model.tokenizer, skip_prompt=True)
        thread = threading.Thread(target=self._generate, args=(streamer,))
        thread.start()
        for _text in streamer:
            pass
        thread.join()
        if not is_first:
            self.cpu_s += time.process_time() - begun
        extra = self._cache.get_seq_length() - (self._ids.shape[1] - 1)
        self._cache.crop(-extra)
        _prompt, first, *_more, last = streamer.put_at
        return (N_TOKENS - 1) / (last - first)

    def _generate(self, streamer: TextIteratorStreamer) -> None:
        cast(Any, self._model.model).generate(
            self._ids,
            attention_mask=torch.ones_like(self._ids),
            past_key_values=self._cache,
            streamer=streamer,
            do_sample=True,
            temperature=SAMPLING.temperature,
            top_p=SAMPLING.top_p,
            top_k=SAMPLING.top_k,
            min_new_tokens=N_TOKENS,
            max_new_tokens=N_TOKENS,
        )


class _Streamer(TextIteratorStreamer):
    """Notes when each token came."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.put_at: list[float] = []

    def put(self, value: Tensor) -> None:
        self.put_at.append(time.perf_counter())
        super().put(value)
