"""A layer of the KV cache whose memory grows in steps, and shrinks for nothing."""

from typing import Any, cast

import torch
from torch import Tensor
from transformers.cache_utils import DynamicLayer

_STEP = 256  # tokens
_GROWTH = 1.125  # of what is held, so at most an eighth lies idle


class GrowingLayer(DynamicLayer):
    """Keys and values of one attention layer, in memory that is taken ahead.

    transformers' own layer copies everything it holds for each new token.

    Attributes:
        keys: (batch, kv_heads, tokens, head_dim), a view of the memory taken.
        values: The same.
    """

    def __init__(self) -> None:
        super().__init__()
        self._memory: tuple[Tensor, Tensor] | None = None

    @classmethod
    def of(cls, layer: DynamicLayer, tokens: int | None = None) -> "GrowingLayer":
        """Return a layer with the first `tokens` of another one, None for all."""
        copied = cls()
        if layer.is_initialized:
            keys, values = cast(Tensor, layer.keys), cast(Tensor, layer.values)
            copied.append(keys[..., :tokens, :], values[..., :tokens, :])
        return copied

    def update(
        self,
        key_states: Tensor,
        value_states: Tensor,
        *_args: object,
        **_kwargs: object,
    ) -> tuple[Tensor, Tensor]:
        """Append keys and values; return all of them."""
        return self.append(key_states, value_states)

    def append(self, key_states: Tensor, value_states: Tensor) -> tuple[Tensor, Tensor]:
        """Append keys and values as they are held; return all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        held = self.get_seq_length()
        total = held + key_states.shape[-2]
        keys, values = self._reserve(total, key_states, value_states)
        keys[..., held:total, :] = key_states
        values[..., held:total, :] = value_states
        self.keys, self.values = keys[..., :total, :], values[..., :total, :]
        return self.keys, self.values

    def reset(self) -> None:
        """Give everything back."""
        self._memory = None
        super().reset()

    def _reserve(self, tokens: int, keys: Tensor, values: Tensor) -> tuple[Tensor, ...]:
        """Return memory for `tokens`, with what is held so far in it."""
        if self._memory is None or self._memory[0].shape[-2] < tokens:
            room = -(-int(tokens * _GROWTH) // _STEP) * _STEP
            held = (cast(Tensor, self.keys), cast(Tensor, self.values))
            self._memory = (_grown(held[0], keys, room), _grown(held[1], values, room))
        return self._memory


def _grown(held: Tensor, like: Tensor, room: int) -> Tensor:
    memory = like.new_empty((*like.shape[:-2], room, like.shape[-1]))
    if held.numel():
        memory[..., : held.shape[-2], :] = held
    return memory


def memory_of(layer: object) -> int:
    """Return the bytes that a layer of any kind keeps."""
    storages: dict[int, int] = {}

    def look(value: object) -> None:
        if isinstance(value, Tensor):
            storage = value.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
        elif isinstance(value, dict):
            for inner in cast(dict[Any, object], value).values():
                look(inner)
        elif isinstance(value, tuple | list):
            for inner in cast(tuple[object, ...], value):
                look(inner)

    with torch.inference_mode():
        look(vars(layer))
    return sum(storages.values())
