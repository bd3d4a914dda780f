"""The forward pass in chunks is generate()'s, whatever kind of layers a model has."""

from typing import Any, cast

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen3Config,
    Qwen3MoeConfig,
)
from transformers.models.qwen3_5.configuration_qwen3_5 import Qwen3_5TextConfig

from qwen_tui.engine.forward import (
    LAYER_BY_LAYER,
    WHOLE_CHUNKS,
    Forward,
    Pace,
    chunk_rule,
    next_chunk,
)

pytestmark = pytest.mark.torch

N_PROMPT, N_NEW = 200, 16  # more than the first chunk of 128
SIZES: dict[str, Any] = {
    "vocab_size": 300,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
}
CONFIGS = {
    "dense": Qwen3Config(**SIZES),
    "sliding window": Qwen3Config(
        **SIZES, use_sliding_window=True, sliding_window=50, max_window_layers=2
    ),
    "experts": Qwen3MoeConfig(
        **SIZES, num_experts=8, num_experts_per_tok=2, moe_intermediate_size=32
    ),
    "linear attention": Qwen3_5TextConfig(
        **SIZES,
        linear_num_key_heads=2,
        linear_num_value_heads=4,
        linear_key_head_dim=16,
        linear_value_head_dim=16,
    ),
}


def _reference(model: PreTrainedModel, prompt: torch.Tensor) -> list[int]:
    out = cast(Any, model).generate(
        prompt,
        attention_mask=torch.ones_like(prompt),
        do_sample=False,
        max_new_tokens=N_NEW,
        min_new_tokens=N_NEW,
        pad_token_id=0,
    )
    return out[0, N_PROMPT:].tolist()


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_chunks_and_single_tokens_equal_generate(config: PreTrainedConfig) -> None:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    prompt = torch.randint(0, 300, (1, N_PROMPT))
    forward = Forward(model, torch.device("cpu"))
    ids: list[int] = []
    with torch.inference_mode():
        *_earlier, (done, logits) = forward.feed_in_chunks(prompt[0].tolist())
        assert done == N_PROMPT
        with forward.decoding():
            while len(ids) < N_NEW:
                ids.append(int(logits.argmax()))
                logits = forward.feed(ids[-1:])
    assert ids == _reference(model, prompt)


def test_chunks_follow_the_rate_within_their_bounds() -> None:
    rule = WHOLE_CHUNKS
    assert next_chunk(rule, 128, took_s=0.15) == 128
    assert next_chunk(rule, 128, took_s=0.30) == 64
    assert next_chunk(rule, 128, took_s=100.0) == 32
    assert next_chunk(rule, 128, took_s=0.001) == 2048
    assert next_chunk(LAYER_BY_LAYER, 256, took_s=100.0) == 256
    assert next_chunk(LAYER_BY_LAYER, 256, took_s=0.25) == 512


def test_a_short_rest_of_a_prompt_teaches_no_pace() -> None:
    pace = Pace(WHOLE_CHUNKS)
    pace.learn(128, took_s=0.15)
    pace.learn(3, took_s=0.10)
    assert pace.tokens == 128


@pytest.mark.parametrize("stop_at", [1, 3], ids=["first layer", "in the middle"])
def test_a_chunk_is_stopped_between_two_layers_and_leaves_no_trace(
    stop_at: int,
) -> None:
    torch.manual_seed(0)
    config = CONFIGS["dense"]
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    rule = chunk_rule(model, torch.device("cpu"), can_rewind=True)
    assert rule.stops_inside
    prompt = torch.randint(0, 300, (400,)).tolist()
    forward = Forward(model, torch.device("cpu"), pace=Pace(rule))
    heard: list[int] = []

    def watch(done: int) -> bool:
        heard.append(done)
        return len(heard) > 5 + stop_at  # a chunk asks once, its layers four times

    with torch.inference_mode():
        read = [done for done, _logits in forward.feed_in_chunks(prompt, (), watch)]
        assert read == [256]
        assert heard[:6] == [0, 0, 64, 128, 192, 256]
        assert len(heard) == 6 + stop_at
        assert forward.kv_cache.ids == prompt[:256]
        logits = forward.feed(prompt[256:])
        expected = Forward(model, torch.device("cpu")).feed(prompt)
    assert torch.allclose(logits, expected, atol=1e-4)


def test_a_chunk_that_cannot_be_taken_back_or_runs_on_a_gpu_is_small() -> None:
    model = AutoModelForCausalLM.from_config(CONFIGS["dense"], dtype=torch.float32)
    assert chunk_rule(model, torch.device("cpu"), can_rewind=False) is WHOLE_CHUNKS
    assert chunk_rule(model, torch.device("cuda"), can_rewind=True) is WHOLE_CHUNKS
