"""Does a model fit: weights, KV cache and overhead, from config.json alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

Fit = Literal["fits", "tight", "too_big", "unknown"]

_VALUE_BYTES = 2  # bf16 or fp16, which the engine takes wherever the device has it
_STATE_BYTES = 4  # linear attention keeps its state in fp32
_GIB = 1024**3
_OVERHEAD_BYTES = {
    "cuda": _GIB,  # context, kernels and activations: measured, about 1 GiB
    "mps": _GIB,
    "cpu": 3 * _GIB // 4,  # a process with torch loaded: measured, 400 to 757 MB
}
_TIGHT_SHARE = 0.9  # above this share of what is free, other programs may be in the way


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """What a loaded model takes, in bytes."""

    weights_bytes: int
    kv_bytes: int
    """The KV cache at the context asked for; 0 where config.json does not tell."""
    overhead_bytes: int

    @property
    def total_bytes(self) -> int:
        """All of it."""
        return self.weights_bytes + self.kv_bytes + self.overhead_bytes


def memory_need(
    config: Mapping[str, Any],
    weights_bytes: int,
    context: int,
    *,
    device_kind: str,
) -> MemoryNeed:
    """Estimate what a model takes when its context is full.

    Args:
        config: The repo's config.json; may be empty.
        weights_bytes: Sum of its weight files.
        context: Tokens.
        device_kind: "cuda", "mps" or "cpu".
    """
    overhead = _OVERHEAD_BYTES.get(device_kind, _OVERHEAD_BYTES["cpu"])
    if device_kind != "cuda" and _is_fp8(config):
        weights_bytes *= 2  # transformers 5.23 unpacks FP8 to bf16 where no GPU is
    return MemoryNeed(weights_bytes, kv_cache_bytes(config, context), overhead)


def judge(need: MemoryNeed, free_bytes: int | None) -> Fit:
    """Compare a need with what is free; None where that is not known.

    Without a known KV cache only "too_big" is certain.
    """
    if free_bytes is None or not need.weights_bytes:
        return "unknown"
    if need.total_bytes > free_bytes:
        return "too_big"
    if not need.kv_bytes:
        return "unknown"
    return "tight" if need.total_bytes > _TIGHT_SHARE * free_bytes else "fits"


def kv_bytes_per_token(config: Mapping[str, Any]) -> int:
    """Bytes of KV cache for one token: 2 x layers x KV heads x head size x 2.

    Only layers with full attention count: the others do not grow. 0 where
    config.json does not tell.
    """
    return _per_layer_bytes(config) * sum(
        kind == "full_attention" for kind in _layer_kinds(text_config(config))
    )


def kv_cache_bytes(config: Mapping[str, Any], context: int) -> int:
    """Bytes of the cache at `context` tokens, the states of linear layers included."""
    text = text_config(config)
    total = kv_bytes_per_token(config) * context
    for kind in _layer_kinds(text):
        if kind == "sliding_attention":
            window = _number(text, "sliding_window") or context
            total += _per_layer_bytes(config) * min(context, window)
        elif kind == "linear_attention":
            total += _linear_state_bytes(text)
    return total


def keeps_all_tokens(config: Mapping[str, Any]) -> bool:
    """Tell whether every layer has full attention, by config.json."""
    return set(_layer_kinds(text_config(config))) == {"full_attention"}


def context_length(config: Mapping[str, Any]) -> int:
    """Tokens the model was made for, by config.json; 0 where it does not say."""
    return _number(text_config(config), "max_position_embeddings")


def text_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part that describes the language model: models that see nest it."""
    inner = config.get("text_config")
    return cast(Mapping[str, Any], inner) if isinstance(inner, Mapping) else config


def _is_fp8(config: Mapping[str, Any]) -> bool:
    quantization = config.get("quantization_config")
    if not isinstance(quantization, Mapping):
        return False
    return cast(Mapping[str, Any], quantization).get("quant_method") == "fp8"


def _per_layer_bytes(config: Mapping[str, Any]) -> int:
    """Of one token in one layer with attention: a key and a value a KV head."""
    text = text_config(config)
    heads = _number(text, "num_attention_heads")
    kv_heads = _number(text, "num_key_value_heads") or heads
    head_dim = _number(text, "head_dim")
    if not head_dim and heads:
        head_dim = _number(text, "hidden_size") // heads
    return 2 * kv_heads * head_dim * _VALUE_BYTES


def _layer_kinds(text: Mapping[str, Any]) -> list[str]:
    """The attention of each layer, as transformers 5.23 reads config.json."""
    kinds = text.get("layer_types")
    if isinstance(kinds, list):
        return [str(kind) for kind in cast(list[object], kinds)]
    n_layers = _number(text, "num_hidden_layers")
    every = _number(text, "full_attention_interval")
    if not every and _number(text, "linear_num_value_heads"):
        every = 4  # Qwen3NextConfig's own default
    if not every:
        return ["full_attention"] * n_layers
    return [
        "linear_attention" if (layer + 1) % every else "full_attention"
        for layer in range(n_layers)
    ]


def _linear_state_bytes(text: Mapping[str, Any]) -> int:
    """Of one gated delta net: a matrix a value head; it does not grow."""
    return (
        _number(text, "linear_num_value_heads")
        * _number(text, "linear_key_head_dim")
        * _number(text, "linear_value_head_dim")
        * _STATE_BYTES
    )


def _number(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    return value if isinstance(value, int) and value > 0 else 0
