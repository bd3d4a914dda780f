"""The model's forward pass with its KV cache, in pieces that can be stopped."""

import inspect
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from qwen_tui.engine.kv_cache import KVCache
from qwen_tui.engine.kv_packed import packed_cache

_CHUNK_MAX = 2048
Watch = Callable[[int], bool]
"""Hears how many tokens are read, about; returns whether to stop."""


@dataclass(frozen=True, slots=True)
class ChunkRule:
    """How a prompt is cut into chunks."""

    first: int
    """Tokens of a chunk while nothing is known of the rate."""
    least: int
    seconds: float
    """What a chunk should take."""
    stops_inside: bool
    """A chunk can be stopped in its midst, between two layers."""


# Small chunks cost more for each token: on a CPU 1.5 times as much for 32, 1.2 for
# 64, 1.03 for 256. So they are small only where Esc waits for the end of one.
WHOLE_CHUNKS = ChunkRule(first=64, least=32, seconds=0.15, stops_inside=False)
LAYER_BY_LAYER = ChunkRule(first=256, least=256, seconds=0.5, stops_inside=True)


def chunk_rule(
    model: PreTrainedModel, device: torch.device, *, can_rewind: bool
) -> ChunkRule:
    """Return how prompts of a model are cut.

    Args:
        model: Any.
        device: Where it runs. On a GPU layers are only queued one by one.
        can_rewind: Its KV cache can give back what a stopped chunk left in it.
    """
    inside = device.type == "cpu" and can_rewind and bool(_layers(model))
    return LAYER_BY_LAYER if inside else WHOLE_CHUNKS


class Pace:
    """How many tokens of a prompt a model reads at a time, as learnt so far."""

    def __init__(self, rule: ChunkRule = WHOLE_CHUNKS) -> None:
        self.rule = rule
        self.tokens = rule.first

    def learn(self, tokens: int, took_s: float) -> None:
        """Take into account how long a chunk took."""
        if tokens >= min(self.tokens, self.rule.first):
            # a shorter rest costs more for each token, and would mislead
            self.tokens = next_chunk(self.rule, tokens, took_s)


class _Stopped(Exception):
    """A forward pass was ended between two layers."""


class Forward:
    """One sequence: its KV cache, and the logits after its last token."""

    def __init__(
        self,
        model: PreTrainedModel,
        device: torch.device,
        kv_cache: KVCache | None = None,
        pace: Pace | None = None,
        *,
        packs_kv: bool = False,
    ) -> None:
        """Go on after what `kv_cache` holds; None begins an empty one.

        `packs_kv` begins one in 8 bits; see `kv_packed.can_pack`.
        """
        self.kv_cache = kv_cache or KVCache()
        self._model = model
        self._device = device
        self._pace = pace or Pace()
        self._packs_kv = packs_kv
        self._kwargs: dict[str, Any] = {"use_cache": True}
        if "logits_to_keep" in inspect.signature(model.forward).parameters:
            self._kwargs["logits_to_keep"] = 1

    def feed(self, ids: Sequence[int]) -> Tensor:
        """Append tokens; return the logits after the last, (vocab,) float32."""
        state = self.kv_cache.state
        if state is None and self._packs_kv:
            state = packed_cache(self._model)
        try:
            out = self._model(
                input_ids=torch.tensor([list(ids)], device=self._device),
                past_key_values=state,
                **self._kwargs,
            )
        except _Stopped:
            self.kv_cache.take_back()
            raise
        except BaseException:
            self.kv_cache.drop()  # some layers hold these tokens now, others do not
            raise
        self.kv_cache.extend(ids, out.past_key_values)
        return out.logits[0, -1].float()

    def decoding(self) -> AbstractContextManager[None]:
        """Return a context for single tokens; see the function `decoding`."""
        return decoding(self._model)

    def feed_in_chunks(
        self,
        ids: Sequence[int],
        ends: Sequence[int] = (),
        watch: Watch = lambda _done: False,
    ) -> Iterator[tuple[int, Tensor]]:
        """Append a prompt; after each chunk yield the tokens done and the logits.

        A chunk takes as long as the pace's rule says, by the rate of the last one.

        Args:
            ids: The tokens.
            ends: How many of them are done where a chunk shall end.
            watch: Asked before each chunk, and between its layers where the rule
                allows; ends it all. What a stopped chunk read is given up.
        """
        done = 0
        while done < len(ids) and not watch(done):
            begun = time.monotonic()
            until = min(done + self._pace.tokens, len(ids))
            until = min([until, *(end for end in ends if end > done)])
            try:
                with self._watched(done, until, watch):
                    logits = self.feed(ids[done:until])
            except _Stopped:
                return
            self._wait()
            took = max(time.monotonic() - begun, 1e-6)
            self._pace.learn(until - done, took)
            done = until
            yield done, logits

    @contextmanager
    def _watched(self, done: int, until: int, watch: Watch) -> Generator[None]:
        """Ask `watch` before each layer while the body runs one forward pass."""
        layers = _layers(self._model) if self._pace.rule.stops_inside else ()

        def look(share: float, *_call: object) -> None:
            if watch(done + int(share * (until - done))):
                raise _Stopped

        handles = [
            layer.register_forward_pre_hook(partial(look, i / len(layers)))
            for i, layer in enumerate(layers)
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _wait(self) -> None:
        """Wait for the device, so that a chunk's time is its own."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        elif self._device.type == "mps":
            torch.mps.synchronize()


def decoding(model: PreTrainedModel) -> AbstractContextManager[None]:
    """Return a context for single tokens, which experts compute differently.

    transformers 5.23 has it for its own loop; a mixture of experts on a GPU is much
    slower without.
    """
    optimize = getattr(model, "_optimize_model_for_decode", nullcontext)
    return cast(AbstractContextManager[None], optimize())


def next_chunk(rule: ChunkRule, tokens: int, took_s: float) -> int:
    """Return how many tokens the next chunk takes, from the last one's rate."""
    return max(rule.least, min(_CHUNK_MAX, int(tokens / took_s * rule.seconds)))


def _layers(model: PreTrainedModel) -> Sequence[nn.Module]:
    layers = getattr(model.base_model, "layers", None)
    return list(layers) if isinstance(layers, nn.ModuleList) else []
