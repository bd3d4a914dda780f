"""Does a model fit: the numbers are checked by hand."""

from typing import Any

import pytest

from qwen_tui.hub.fit import (
    MemoryNeed,
    context_length,
    judge,
    kv_bytes_per_token,
    kv_cache_bytes,
    memory_need,
)

GIB = 1024**3
QWEN3_8B = {
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "hidden_size": 4096,
    "max_position_embeddings": 40960,
}
QWEN3_NEXT = {
    "num_hidden_layers": 48,
    "num_attention_heads": 16,
    "num_key_value_heads": 2,
    "head_dim": 256,
    "full_attention_interval": 4,
    "linear_num_value_heads": 32,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
}


def test_the_cache_of_qwen3_8b_takes_144_kib_a_token() -> None:
    assert kv_bytes_per_token(QWEN3_8B) == 144 * 1024
    assert kv_cache_bytes(QWEN3_8B, 32768) == 4.5 * GIB


def test_a_head_size_that_is_not_said_is_the_share_of_a_head() -> None:
    config = {k: v for k, v in QWEN3_8B.items() if k != "head_dim"}
    assert kv_bytes_per_token(config) == 144 * 1024


def test_every_head_has_its_own_keys_where_no_group_is_said() -> None:
    config = {k: v for k, v in QWEN3_8B.items() if k != "num_key_value_heads"}
    assert kv_bytes_per_token(config) == 4 * 144 * 1024


@pytest.mark.parametrize("drop", ["", "full_attention_interval"])
def test_linear_layers_keep_a_state_that_does_not_grow(drop: str) -> None:
    config = {k: v for k, v in QWEN3_NEXT.items() if k != drop}
    assert kv_bytes_per_token(config) == 12 * 2 * 2 * 256 * 2
    states = 36 * 32 * 128 * 128 * 4
    assert kv_cache_bytes(config, 1000) == 24 * 1024 * 1000 + states


def test_sliding_layers_stop_growing_at_their_window() -> None:
    kinds = ["sliding_attention"] * 35 + ["full_attention"]
    config = {**QWEN3_8B, "layer_types": kinds, "sliding_window": 1000}
    per_layer = 2 * 8 * 128 * 2
    assert kv_cache_bytes(config, 5000) == per_layer * (35 * 1000 + 5000)
    assert kv_cache_bytes(config, 500) == per_layer * 36 * 500


def test_a_model_that_sees_nests_its_language_model() -> None:
    config = {"vision_config": {"num_hidden_layers": 27}, "text_config": QWEN3_8B}
    assert kv_bytes_per_token(config) == 144 * 1024
    assert context_length(config) == 40960


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"num_hidden_layers": "many"},
        {**QWEN3_8B, "num_hidden_layers": -3},
        {**QWEN3_8B, "num_attention_heads": None, "num_key_value_heads": None},
        {"text_config": 7},
    ],
)
def test_a_config_that_says_nothing_makes_no_number(config: dict[str, Any]) -> None:
    assert kv_bytes_per_token(config) == 0
    need = memory_need(config, 16 * GIB, 32768, device_kind="cuda")
    assert need.kv_bytes == 0
    assert judge(need, 80 * GIB) == "unknown"
    assert judge(need, 8 * GIB) == "too_big"


def test_weights_cache_and_overhead_make_the_need() -> None:
    need = memory_need(QWEN3_8B, 16 * GIB, 32768, device_kind="cuda")
    assert need == MemoryNeed(16 * GIB, 9 * GIB // 2, GIB)
    assert need.total_bytes == 21.5 * GIB
    assert judge(need, 80 * GIB) == "fits"
    assert judge(need, 22 * GIB) == "tight"
    assert judge(need, 21 * GIB) == "too_big"
    assert judge(need, None) == "unknown"


def test_fp8_weights_are_unpacked_where_no_gpu_is() -> None:
    config = {**QWEN3_8B, "quantization_config": {"quant_method": "fp8"}}
    on_gpu = memory_need(config, 9 * GIB, 4096, device_kind="cuda")
    on_cpu = memory_need(config, 9 * GIB, 4096, device_kind="cpu")
    assert (on_gpu.weights_bytes, on_cpu.weights_bytes) == (9 * GIB, 18 * GIB)
    assert on_gpu.kv_bytes == on_cpu.kv_bytes == 4096 * 144 * 1024
