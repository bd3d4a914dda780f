"""Decoding by CUDA graphs: one launch for a token instead of hundreds.

A graph repeats what was recorded, at fixed addresses: the KV cache must have a fixed
size, and what the growing one holds is copied in before an answer and out after it.
Only what `compiled_step` compiles with by default is CUDA's; all else runs anywhere.
A graph belongs to the thread that recorded it: load and answers share one.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.cache_utils import StaticCache

from qwen_tui.engine.forward import Forward, decoding
from qwen_tui.engine.kv_cache import KVCache, makes_croppable_cache
from qwen_tui.engine.kv_layer import GrowingLayer

_log = logging.getLogger(__name__)

SIZES = (2048, 8192)  # tokens; each takes its whole memory and tens of seconds once
_STEPS = 4  # the first ones warm up and record, the last must replay
_ALIKE = 0.99  # cosine of logits; other kernels round bf16 otherwise

Step = Callable[[Tensor, Any], Tensor]
"""Takes a token's id, (1, 1), and a static cache; returns the logits, (vocab,)."""


def plain_step(model: PreTrainedModel) -> Step:
    """Return a step that computes as it is asked, without a graph."""
    return _step_of(model)


def compiled_step(model: PreTrainedModel, **how: Any) -> Step:  # noqa: ANN401 - passed on
    """Return a step that is compiled and recorded when it is first taken.

    Args:
        model: Any.
        how: What `torch.compile` takes; nothing for CUDA graphs.
    """
    # not dynamic: a second size would else be compiled for any size
    if how:
        return _step_of(torch.compile(model.__call__, dynamic=False, **how))
    replay = torch.compile(model.__call__, dynamic=False, mode="reduce-overhead")
    step = _step_of(replay)

    def begun(token: Tensor, cache: Any) -> Tensor:  # noqa: ANN401 - transformers' Cache
        torch.compiler.cudagraph_mark_step_begin()
        return step(token, cache)

    return begun


def _step_of(call: Callable[..., Any]) -> Step:
    def step(token: Tensor, cache: Any) -> Tensor:  # noqa: ANN401 - transformers' Cache
        out = call(input_ids=token, past_key_values=cache, use_cache=True)
        return out.logits[0, -1].float()

    return step


def record_graphs(
    model: PreTrainedModel,
    device: torch.device,
    context_length: int,
    heed: Callable[[], None],
) -> "Graphs | None":
    """Return the graphs of a model that lies on one CUDA device; None for others.

    Args:
        model: Any.
        device: The one that was chosen.
        context_length: Tokens that prompt and answer take together.
        heed: See `Graphs.record`.
    """
    places = {parameter.device for parameter in model.parameters()}
    if device.type != "cuda" or places != {device} or not makes_croppable_cache(model):
        _log.info("this model on %s is decoded without graphs", device)
        return None
    sizes = sorted({min(size, context_length) for size in SIZES})
    graphs = Graphs(model, device, sizes=sizes)
    graphs.record(heed)
    return graphs


class Graphs:
    """The recorded steps of one model, by the size of their cache."""

    def __init__(
        self,
        model: PreTrainedModel,
        device: torch.device,
        make_step: Callable[[PreTrainedModel], Step] = compiled_step,
        sizes: Sequence[int] = SIZES,
    ) -> None:
        self._model = model
        self._device = device
        self._make_step = make_step
        self._sizes = sizes
        self._step: Step | None = None
        self._caches: dict[int, Any] = {}

    def record(self, heed: Callable[[], None] = lambda: None) -> None:
        """Record a step for each size; what cannot be recorded is left to `Forward`.

        Args:
            heed: Called before each size, which takes tens of seconds; may raise.
        """
        self._step = self._make_step(self._model)
        for size in self._sizes:
            heed()
            try:
                with torch.inference_mode(), decoding(self._model):
                    cache, alike = self._recorded(size)
            except Exception:  # noqa: BLE001 - of a compiler; decoding works without it
                _log.exception("no graph for %d tokens", size)
                return
            if alike < _ALIKE:
                _log.error("a graph for %d tokens computes other logits", size)
                return
            self._caches[size] = cache
        _log.info("recorded graphs for %s tokens", ", ".join(map(str, self._sizes)))

    def open(self, forward: Forward) -> "Decoder":
        """Return what decodes after what `forward` has read."""
        return Decoder(self, forward)

    def fitting(self, kv_cache: KVCache) -> Any:  # noqa: ANN401 - transformers' Cache
        """Return a recorded cache with room for more than is held; None for none."""
        layers = getattr(kv_cache.state, "layers", [])
        if not layers or any(type(layer) is not GrowingLayer for layer in layers):
            return None
        fits = (size for size in sorted(self._caches) if size > len(kv_cache.ids))
        return self._caches.get(next(fits, 0))

    def take(self, token_id: int, cache: Any) -> Tensor:  # noqa: ANN401 - as above
        """Take one recorded step; return the logits, (vocab,) float32."""
        assert self._step is not None
        # a graph's output is overwritten by its next replay
        return self._step(self._token(token_id), cache).clone()

    def _recorded(self, size: int) -> tuple[Any, float]:
        """Return a cache with its graph, and how alike its logits are to plain ones."""
        cache: Any = StaticCache(
            config=cast(Any, self._model).config, max_cache_len=size
        )
        plain = plain_step(self._model)
        # first without a graph: only so the library marks the addresses as fixed
        expected = [plain(self._token(n), cache) for n in range(_STEPS)][-1]
        _set_length(cache, 0)
        got = [self.take(n, cache) for n in range(_STEPS)][-1]
        return cache, functional.cosine_similarity(got, expected, dim=0).item()

    def give_up(self) -> None:
        """Record and replay nothing any more."""
        self._caches.clear()

    def _token(self, token_id: int) -> Tensor:
        return torch.tensor([[token_id]], device=self._device)


class Decoder:
    """Feeds single tokens by graphs as long as one fits, else as `Forward` does."""

    def __init__(self, graphs: Graphs, forward: Forward) -> None:
        self._graphs = graphs
        self._forward = forward
        self._cache: Any = None
        self._fed: list[int] = []
        """What the static cache holds beyond the growing one."""

    def feed(self, ids: Sequence[int]) -> Tensor:
        """Append tokens; return the logits after the last, (vocab,) float32."""
        *forced, last = ids
        if forced:  # many at once cost one pass, not one replay each
            self.settle()
            return self._forward.feed(ids)
        if not self._is_open():
            return self._forward.feed(ids)
        try:
            logits = self._graphs.take(last, self._cache)
        except Exception:  # noqa: BLE001 - of a graph; the plain way is still there
            _log.exception("decoding goes on without graphs")
            self._graphs.give_up()
            self.settle()
            return self._forward.feed(ids)
        self._fed.append(last)
        return logits

    def settle(self) -> None:
        """Bring what was fed into the growing cache."""
        cache, fed = self._cache, self._fed
        self._cache, self._fed = None, []
        if not fed:
            return
        kv_cache = self._forward.kv_cache
        held = len(kv_cache.ids)
        new = slice(held, held + len(fed))
        try:
            for layer, static in zip(kv_cache.state.layers, cache.layers, strict=True):
                layer.update(static.keys[..., new, :], static.values[..., new, :])
        except BaseException:
            kv_cache.take_back()  # some layers hold these tokens now, others do not
            raise
        kv_cache.extend(fed, kv_cache.state)

    def _is_open(self) -> bool:
        """Have a static cache with room for one more token."""
        held = len(self._forward.kv_cache.ids) + len(self._fed)
        if self._cache is not None and held < self._cache.layers[0].max_cache_len:
            return True
        self.settle()
        self._cache = self._graphs.fitting(self._forward.kv_cache)
        if self._cache is None:
            return False
        state = self._forward.kv_cache.state
        for layer, static in zip(state.layers, self._cache.layers, strict=True):
            static.keys[..., :held, :] = layer.keys
            static.values[..., :held, :] = layer.values
        _set_length(self._cache, held)
        return True


def _set_length(cache: Any, tokens: int) -> None:  # noqa: ANN401 - transformers' Cache
    for layer in cache.layers:
        layer.cumulative_length.fill_(tokens)  # in place: its address is recorded
