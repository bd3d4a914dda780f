"""The KV cache in 8 bits: half as large, near to the exact one, cut and reused."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache

from qwen_tui.chat.sampling import Sampling
from qwen_tui.engine.forward import Forward
from qwen_tui.engine.kv_cache import KVCache
from qwen_tui.engine.kv_packed import can_pack, pack, packed_cache, unpack
from qwen_tui.engine.model import LoadedModel
from qwen_tui.engine.prefill import PromptReader
from tests import models
from tests.engine.talk import Talk
from tests.engine.test_generate import ask, load, text_of

pytestmark = pytest.mark.torch

GREEDY = Sampling(temperature=0)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def demo() -> LoadedModel:
    return replace(load(models.demo_folder()), packs_kv=True)


@torch.inference_mode()
def read(model: LoadedModel, cache: KVCache, ids: list[int], *, packed: bool) -> Tensor:
    return Forward(model.model, CPU, cache, packs_kv=packed).feed(ids)


@torch.inference_mode()
def every_logit(model: PreTrainedModel, cache: DynamicCache, ids: list[int]) -> Tensor:
    out = model(input_ids=torch.tensor([ids]), past_key_values=cache, use_cache=True)
    return out.logits[0].float().log_softmax(-1)


def taken(cache: DynamicCache) -> int:
    pairs = ((layer.keys, layer.values) for layer in cast(Any, cache).layers)
    return sum(keys.nbytes + values.nbytes for keys, values in pairs)


def divergence(expected: Tensor, got: Tensor) -> float:
    return (expected.exp() * (expected - got)).sum(-1).mean().item()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_packed_value_is_off_by_half_a_step_of_its_row(dtype: torch.dtype) -> None:
    torch.manual_seed(3)
    states = torch.randn(1, 2, 50, 16) * torch.logspace(-6, 6, 50).unsqueeze(-1)
    states[0, 0, 0] = 0
    states = states.to(dtype)
    back = unpack(pack(states), dtype)
    step = states.float().abs().amax(-1, keepdim=True) / 127
    rounding = torch.finfo(dtype).eps * states.float().abs()
    assert back.dtype == dtype
    assert ((back.float() - states.float()).abs() <= 0.505 * step + rounding).all()
    assert (back[0, 0, 0] == 0).all()


def test_it_takes_half_the_memory_and_changes_about_as_little_as_bf16(
    smollm2: Path,
) -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    loaded = load(smollm2)
    model = loaded.model
    ids = loaded.prompts.encode_text(text)[:400]
    exact, packed = DynamicCache(), packed_cache(model)
    expected = every_logit(model, exact, ids)
    got = every_logit(model, packed, ids)
    # its heads have 64 values: 66 bytes a row where float32 has 256
    assert taken(packed) == taken(exact) * 66 / 256
    by_bf16 = every_logit(model.bfloat16(), DynamicCache(), ids)
    assert divergence(expected, got) < 2 * divergence(expected, by_bf16)


def test_cutting_and_copying_leave_what_stays_as_it_was(demo: LoadedModel) -> None:
    ids = demo.prompts.encode_text("What is the capital of France? " * 60)
    cache = KVCache()
    read(demo, cache, ids, packed=True)
    whole = [layer.keys.clone() for layer in cache.state.layers]
    copied = cache.copy(100, "other")
    cache.rewind(len(ids) - 50)
    for layer, keys in zip(cache.state.layers, whole, strict=True):
        assert torch.equal(layer.keys, keys[..., :-50, :])
    for layer, keys in zip(copied.state.layers, whole, strict=True):
        assert torch.equal(layer.keys, keys[..., :100, :])
    assert copied.n_bytes < cache.n_bytes
    assert copied.can_rewind
    expected = read(demo, KVCache(), ids, packed=True)
    for part in (cache, copied):
        got = read(demo, part, ids[len(part.ids) :], packed=True)
        assert torch.allclose(got, expected, atol=0.05)


def test_turns_that_reuse_it_answer_as_turns_that_do_not(demo: LoadedModel) -> None:
    talk = Talk(demo, PromptReader(demo), GREEDY)
    talk.ask("My name is Ann.")
    talk.ask("What is the capital of France?", thinking=False)
    talk.retry()
    talk.edit(talk.questions()[0], "My name is Bob.")
    talk.ask("What is my name?", max_new_tokens=9)
    talk.go_on()
    assert sum(f.usage.cached_tokens for f in talk.finished) > 100


def test_the_demo_answers_as_it_does_without(demo: LoadedModel) -> None:
    for prompt in ("What is the capital of France?", "法国的首都是哪里？", "Hello!"):
        exact = ask(replace(demo, packs_kv=False), prompt, limit=200)[0]
        assert text_of(ask(demo, prompt, limit=200)[0]) == text_of(exact)


def test_a_load_that_asks_for_it_says_what_came_of_it(
    demo: LoadedModel, hybrid: Path
) -> None:
    assert demo.described().kv_dtype == "int8"
    asked = load(models.demo_folder(), kv_quantize="int8")
    assert asked.described().kv_dtype == "int8"
    assert load(models.demo_folder()).described().kv_dtype == ""
    linear = load(hybrid, kv_quantize="int8")
    assert linear.described().kv_dtype == ""
    assert not can_pack(linear.model)
