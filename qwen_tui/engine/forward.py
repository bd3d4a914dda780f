"""The model's forward pass with its KV cache, in pieces that can be stopped."""

import inspect
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor
from transformers import PreTrainedModel

from qwen_tui.engine.kv_cache import KVCache

_CHUNK_S = 0.15  # how long Esc may wait while a prompt is read
_CHUNK_MIN, _CHUNK_MAX = 32, 2048
_FIRST_CHUNK = 64


class Pace:
    """How many tokens of a prompt a model reads at a time, as learnt so far."""

    def __init__(self) -> None:
        self.tokens = _FIRST_CHUNK

    def learn(self, tokens: int, took_s: float) -> None:
        """Take into account how long a chunk took."""
        if tokens >= min(self.tokens, _FIRST_CHUNK):
            # a shorter rest costs more for each token, and would mislead
            self.tokens = next_chunk(tokens, took_s)


class Forward:
    """One sequence: its KV cache, and the logits after its last token."""

    def __init__(
        self,
        model: PreTrainedModel,
        device: torch.device,
        kv_cache: KVCache | None = None,
        pace: Pace | None = None,
    ) -> None:
        """Go on after what `kv_cache` holds; None begins an empty one."""
        self.kv_cache = kv_cache or KVCache()
        self._model = model
        self._device = device
        self._pace = pace or Pace()
        self._kwargs: dict[str, Any] = {"use_cache": True}
        if "logits_to_keep" in inspect.signature(model.forward).parameters:
            self._kwargs["logits_to_keep"] = 1

    def feed(self, ids: Sequence[int]) -> Tensor:
        """Append tokens; return the logits after the last, (vocab,) float32."""
        try:
            out = self._model(
                input_ids=torch.tensor([list(ids)], device=self._device),
                past_key_values=self.kv_cache.state,
                **self._kwargs,
            )
        except BaseException:
            self.kv_cache.drop()  # some layers hold these tokens now, others do not
            raise
        self.kv_cache.extend(ids, out.past_key_values)
        return out.logits[0, -1].float()

    def decoding(self) -> AbstractContextManager[None]:
        """Return a context for single tokens, which experts compute differently.

        transformers 5.23 has it for its own loop; a mixture of experts on a GPU is
        much slower without.
        """
        optimize = getattr(self._model, "_optimize_model_for_decode", nullcontext)
        return cast(AbstractContextManager[None], optimize())

    def feed_in_chunks(
        self, ids: Sequence[int], ends: Sequence[int] = ()
    ) -> Iterator[tuple[int, Tensor]]:
        """Append a prompt; after each chunk yield the tokens done and the logits.

        A chunk is as long as the last one's rate fits in about 0.15 s, and never
        goes beyond one of `ends`, which count from the first of `ids`.
        """
        done = 0
        while done < len(ids):
            begun = time.monotonic()
            until = min(done + self._pace.tokens, len(ids))
            until = min([until, *(end for end in ends if end > done)])
            logits = self.feed(ids[done:until])
            self._wait()
            took = max(time.monotonic() - begun, 1e-6)
            self._pace.learn(until - done, took)
            done = until
            yield done, logits

    def _wait(self) -> None:
        """Wait for the device, so that a chunk's time is its own."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        elif self._device.type == "mps":
            torch.mps.synchronize()


def next_chunk(tokens: int, took_s: float) -> int:
    """Return how many tokens the next chunk takes, from the last one's rate."""
    return max(_CHUNK_MIN, min(_CHUNK_MAX, int(tokens / took_s * _CHUNK_S)))
