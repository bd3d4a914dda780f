"""The KV cache of one token sequence, which always knows the tokens it holds."""

import copy
from collections.abc import Sequence
from typing import Any, cast

from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache, DynamicLayer

from qwen_tui.engine.kv_layer import GrowingLayer, memory_of


class KVCache:
    """Keys and values of a sequence of tokens, for one conversation.

    Attributes:
        conversation_id: Whose turns it serves.
        ids: The tokens whose keys and values it holds, each computed.
        prompt_tokens: How many of them the last prompt asked for; what follows was
            generated.
        is_snapshot: It stays as it is, and only copies of it go on.
    """

    def __init__(self, conversation_id: str = "", *, is_snapshot: bool = False) -> None:
        self.conversation_id = conversation_id
        self.ids: list[int] = []
        self.prompt_tokens = 0
        self.is_snapshot = is_snapshot
        self._state: Any = None

    @property
    def state(self) -> Any:  # noqa: ANN401 - the model makes the kind its layers need
        """What the model takes as `past_key_values`; None before the first token."""
        return self._state

    @property
    def can_rewind(self) -> bool:
        """Whether its end can be cut off; an empty one can."""
        return self._state is None or can_crop(self._state)

    @property
    def n_bytes(self) -> int:
        """The memory it takes."""
        return sum(map(memory_of, _layers(self._state)))

    def extend(self, ids: Sequence[int], state: Any) -> None:  # noqa: ANN401 - as above
        """Take the state after a forward pass over `ids`, which came right after it."""
        if self._state is None:
            _let_grow(state)
        self._state = state
        self.ids += ids

    def take_back(self) -> None:
        """Forget what a forward pass left behind that was ended in its midst."""
        if not self.can_rewind:
            self.drop()
        for layer in _layers(self._state):
            extra = layer.get_seq_length() - len(self.ids)
            layer.crop(-max(0, extra))

    def drop(self) -> None:
        """Forget everything: what is held is no longer known."""
        self._state = None
        self.ids = []

    def reusable(self, prompt: Sequence[int]) -> int:
        """Return how many tokens of a prompt need not be computed again.

        At least one is left, whose logits are needed.
        """
        shared = min(common_length(self.ids, prompt), len(prompt) - 1)
        if shared == len(self.ids) or self.can_rewind:
            return shared
        return 0

    def rewind(self, tokens: int) -> None:
        """Keep the first `tokens` only."""
        if tokens == 0:
            self.drop()
        elif tokens < len(self.ids):
            self._state.crop(tokens - len(self.ids))  # negative: tokens to remove
            del self.ids[tokens:]

    def copy(self, tokens: int, conversation_id: str) -> "KVCache":
        """Return the first `tokens` as a cache of their own."""
        copied = KVCache(conversation_id)
        if tokens == 0:
            return copied
        copied.ids = self.ids[:tokens]
        if can_crop(self._state):
            copied._state = copy.copy(self._state)
            copied._state.layers = [
                type(layer).of(layer, tokens) for layer in self._state.layers
            ]
        else:
            copied._state = copy.deepcopy(self._state)
        return copied

    def snapshot(self) -> "KVCache":
        """Return a copy that stays as it is now."""
        taken = self.copy(len(self.ids), self.conversation_id)
        taken.is_snapshot = True
        return taken


def common_length(a: Sequence[int], b: Sequence[int]) -> int:
    """Return how many tokens two sequences share from their beginning on."""
    pairs = enumerate(zip(a, b, strict=False))
    return next((i for i, (x, y) in pairs if x != y), min(len(a), len(b)))


def can_crop(state: Any) -> bool:  # noqa: ANN401 - see KVCache.state
    """Tell whether the end of a cache can be cut off without a trace.

    `is_croppable` of transformers 5.23 is not enough: sliding windows say yes and
    have lost what slid out; so do quantised layers, which crop their last part only.
    """
    layers = _layers(state)
    return bool(layers) and all(isinstance(layer, GrowingLayer) for layer in layers)


def makes_croppable_cache(model: PreTrainedModel) -> bool:
    """Tell beforehand whether a model's KV cache can be cut, from its config."""
    layers = DynamicCache(config=cast(Any, model).config).layers
    return all(type(layer) is DynamicLayer for layer in layers)


def _let_grow(state: Any) -> None:  # noqa: ANN401 - see KVCache.state
    """Replace the plain layers of a cache, after its first tokens."""
    layers = _layers(state)
    for i, layer in enumerate(layers):
        if type(layer) is DynamicLayer:
            layers[i] = GrowingLayer.of(layer)


def _layers(state: Any) -> list[Any]:  # noqa: ANN401 - see KVCache.state
    return getattr(state, "layers", [])
