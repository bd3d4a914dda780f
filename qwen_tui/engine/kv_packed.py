"""A layer of the KV cache in 8 bits: half the memory of bf16."""

import logging
from typing import Any, cast

import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache

from qwen_tui.engine.kv_cache import makes_croppable_cache
from qwen_tui.engine.kv_layer import GrowingLayer

_log = logging.getLogger(__name__)

_MOST = 127  # of int8, the same both ways
_SCALE = torch.bfloat16
_TINY = 1e-30  # no row is divided by zero


class PackedLayer(GrowingLayer):
    """Keys and values as int8 rows, each with a scale of its own.

    Attention gets what the 8 bits say, of the newest tokens too: so an answer does not
    depend on how its prompt was cut into chunks, nor on what was there already.

    Attributes:
        keys: (batch, kv_heads, tokens, head_dim + 2) int8; the last two of a row are
            its scale in bf16.
        values: The same.
    """

    def update(
        self,
        key_states: Tensor,
        value_states: Tensor,
        *_args: object,
        **_kwargs: object,
    ) -> tuple[Tensor, Tensor]:
        """Append keys and values; return all of them, unpacked."""
        keys, values = self.append(pack(key_states), pack(value_states))
        return unpack(keys, key_states.dtype), unpack(values, value_states.dtype)


def pack(states: Tensor) -> Tensor:
    """Return (..., n) as (..., n + 2) int8: rows and their scales."""
    largest = states.abs().amax(-1, keepdim=True).float()
    scales = (largest / _MOST).clamp(min=_TINY).to(_SCALE)
    # by the scale as it is kept, so that its own rounding adds no error
    rows = (states.float() / scales.float()).round().to(torch.int8)
    return torch.cat([rows, scales.view(torch.int8)], dim=-1)


def unpack(packed: Tensor, dtype: torch.dtype) -> Tensor:
    """Return what `pack` was given, to within half a scale."""
    width = packed.shape[-1] - _SCALE.itemsize
    scales = packed[..., width:].view(_SCALE)
    return packed[..., :width].to(dtype).mul_(scales.to(dtype))


def can_pack(model: PreTrainedModel) -> bool:
    """Tell whether every layer of a model keeps all tokens; logged where not."""
    if makes_croppable_cache(model):
        return True
    _log.warning("the KV cache of this model cannot be kept in 8 bits")
    return False


def packed_cache(model: PreTrainedModel) -> DynamicCache:
    """Return an empty cache in 8 bits, for a model of which `can_pack` holds."""
    cache = DynamicCache(config=cast(Any, model).config)
    cache.layers[:] = [PackedLayer() for _layer in cache.layers]
    return cache
