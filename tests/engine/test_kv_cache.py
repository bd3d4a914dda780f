"""KV caches: what they hold, what they take, and which one serves a prompt."""

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from qwen_tui.engine.forward import Forward
from qwen_tui.engine.kv_cache import KVCache, makes_croppable_cache
from qwen_tui.engine.kv_layer import GrowingLayer
from qwen_tui.engine.kv_pool import KVPool
from tests.engine.test_forward import CONFIGS

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")
MIB = 1024**2
GIB = 1024**3
TOKENS = torch.randint(3, 300, (400,), generator=torch.manual_seed(5)).tolist()


def make(kind: str) -> PreTrainedModel:
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(CONFIGS[kind], dtype=torch.float32).eval()


@pytest.fixture(scope="module", params=CONFIGS)
def model(request: pytest.FixtureRequest) -> PreTrainedModel:
    return make(request.param)


@pytest.fixture(scope="module")
def dense() -> PreTrainedModel:
    return make("dense")


def pool_of(budget_bytes: int = 0, free_bytes: int | None = 8 * GIB) -> KVPool:
    return KVPool(budget_bytes, lambda: free_bytes)


@torch.inference_mode()
def read(model: PreTrainedModel, cache: KVCache, tokens: list[int]) -> Tensor:
    return Forward(model, CPU, cache).feed(tokens[len(cache.ids) :])


def same(logits: Tensor, expected: Tensor) -> bool:
    return bool(torch.allclose(logits, expected, atol=1e-4))


def pair(tokens: int) -> tuple[Tensor, Tensor]:
    return torch.randn(1, 2, tokens, 16), torch.randn(1, 2, tokens, 16)


def test_a_growing_layer_holds_what_the_librarys_own_holds() -> None:
    ours, theirs = GrowingLayer(), DynamicLayer()
    for tokens in (1, 100, 1, 300, 1, 1, 700):
        states = pair(tokens)
        for got, expected in zip(
            ours.update(*states), theirs.update(*states), strict=True
        ):
            assert torch.equal(got, expected)
        for layer in (ours, theirs):
            layer.crop(-(tokens // 2))
        assert ours.get_seq_length() == theirs.get_seq_length()
    ours.crop(-ours.get_seq_length())
    assert ours.get_seq_length() == 0
    states = pair(3)
    assert torch.equal(ours.update(*states)[0], states[0])


def test_a_growing_layer_takes_at_most_an_eighth_too_much() -> None:
    layer = GrowingLayer()
    layer.update(*pair(4000))
    cache = KVCache()
    cache.extend([0] * 4000, _State([layer]))
    exact = 4000 * 2 * 2 * 16 * 4
    assert exact <= cache.n_bytes <= exact * 1.125 + 256 * 2 * 2 * 16 * 4


class _State:
    def __init__(self, layers: list[Any]) -> None:
        self.layers = layers


def test_only_plain_layers_can_be_cut() -> None:
    croppable = {kind: makes_croppable_cache(make(kind)) for kind in CONFIGS}
    assert croppable == {
        "dense": True,
        "sliding window": False,
        "experts": True,
        "linear attention": False,
    }
    for kind, expected in croppable.items():
        cache = KVCache()
        assert cache.can_rewind
        read(make(kind), cache, TOKENS[:80])
        assert cache.can_rewind is expected


def test_a_longer_prompt_goes_on_where_the_last_one_ended(
    model: PreTrainedModel,
) -> None:
    pool = pool_of()
    read(model, pool.open("a", TOKENS[:150]), TOKENS[:150])
    cache = pool.open("a", TOKENS[:200])
    assert cache.ids == TOKENS[:150]
    expected = read(model, KVCache(), TOKENS[:200])
    assert same(read(model, cache, TOKENS[:200]), expected)


def test_a_prompt_that_branches_off_goes_on_from_a_lasting_point(
    model: PreTrainedModel,
) -> None:
    pool = pool_of()
    first = pool.open("a", TOKENS[:300])
    read(model, first, TOKENS[:120])
    pool.keep_snapshot(first)
    read(model, first, TOKENS[:300])
    for other in (TOKENS[300:350], TOKENS[350:400]):
        prompt = TOKENS[:120] + other
        cache = pool.open("a", prompt)
        assert cache.ids == TOKENS[:120]
        assert same(read(model, cache, prompt), read(model, KVCache(), prompt))


def test_the_same_prompt_leaves_one_token_to_compute(dense: PreTrainedModel) -> None:
    pool = pool_of()
    read(dense, pool.open("a", TOKENS), TOKENS)
    assert pool.reusable(TOKENS) == len(TOKENS) - 1
    cache = pool.open("a", TOKENS)
    assert cache.ids == TOKENS[:-1]
    assert same(read(dense, cache, TOKENS), read(dense, KVCache(), TOKENS))


def test_another_conversation_copies_and_harms_nothing(dense: PreTrainedModel) -> None:
    pool = pool_of()
    mine = pool.open("a", TOKENS)
    read(dense, mine, TOKENS)
    prompt = TOKENS[:100] + TOKENS[200:230]
    yours = pool.open("b", prompt)
    assert yours is not mine
    assert yours.ids == TOKENS[:100]
    assert same(read(dense, yours, prompt), read(dense, KVCache(), prompt))
    assert mine.ids == TOKENS
    more = [*TOKENS, 7, 8]
    cache = pool.open("a", more)
    assert cache is mine
    assert same(read(dense, cache, more), read(dense, KVCache(), more))


def test_a_few_tokens_in_common_are_not_worth_a_copy(dense: PreTrainedModel) -> None:
    pool = pool_of()
    read(dense, pool.open("a", TOKENS), TOKENS)
    assert pool.open("b", TOKENS[:5] + TOKENS[200:230]).ids == []


def test_what_was_used_longest_ago_goes_first_when_the_budget_is_full(
    dense: PreTrainedModel,
) -> None:
    single = KVCache()
    read(dense, single, TOKENS[:200])
    pool = pool_of(budget_bytes=2 * single.n_bytes)
    prompts = {name: [i, *TOKENS[:199]] for i, name in enumerate("abc")}
    for name in "ab":
        read(dense, pool.open(name, prompts[name]), prompts[name])
        pool.settle()
    pool.open("a", prompts["a"])  # used again
    read(dense, pool.open("c", prompts["c"]), prompts["c"])
    pool.settle()
    assert [pool.reusable(prompts[name]) for name in "abc"] == [199, 0, 199]
    assert pool.n_bytes <= 2 * single.n_bytes


def test_a_budget_that_was_set_holds_for_the_last_cache_too(
    dense: PreTrainedModel,
) -> None:
    pool = pool_of(budget_bytes=1)
    read(dense, pool.open("a", TOKENS), TOKENS)
    pool.settle()
    assert pool.n_bytes == 0


def test_without_a_budget_half_of_what_is_free_is_kept(dense: PreTrainedModel) -> None:
    single = KVCache()
    read(dense, single, TOKENS[:200])
    pool = pool_of(free_bytes=single.n_bytes // 2)
    for name in "ab":
        read(dense, pool.open(name, [ord(name), *TOKENS[:199]]), TOKENS[:200])
        pool.settle()
    assert pool.n_bytes == single.n_bytes  # the last one, however little is free


@pytest.mark.parametrize("kind", ["linear attention"])
def test_snapshots_of_a_conversation_are_few_and_within_the_budget(kind: str) -> None:
    model, pool = make(kind), pool_of()
    cache = pool.open("a", TOKENS)
    for end in range(40, 400, 40):
        read(model, cache, TOKENS[:end])
        pool.keep_snapshot(cache)
        pool.keep_snapshot(cache)
    held = [
        end for end in range(40, 361, 40) if pool.reusable(TOKENS[: end + 1]) == end
    ]
    assert held == [240, 280, 320, 360]
    tight = pool_of(budget_bytes=cache.n_bytes + 1)
    cache = tight.open("a", TOKENS)
    read(model, cache, TOKENS[:300])
    tight.keep_snapshot(cache)
    assert tight.reusable(TOKENS[:301]) == 300  # the cache itself
    read(model, cache, TOKENS[:320])
    assert tight.reusable(TOKENS[:301]) == 0


def test_where_no_copy_fits_the_cache_itself_goes_on(model: PreTrainedModel) -> None:
    single = KVCache()
    read(model, single, TOKENS[:320])
    pool = pool_of(budget_bytes=2 * single.n_bytes)
    cache = pool.open("a", TOKENS[:320])
    read(model, cache, TOKENS[:40])
    pool.keep_snapshot(cache)
    read(model, cache, TOKENS[:320])
    small = cache.n_bytes
    tight = pool_of(budget_bytes=small)
    tight._caches = pool._caches
    prompt = TOKENS[:40] + TOKENS[320:]
    cache = tight.open("b", prompt)
    assert cache.ids == []  # of another conversation nothing is taken
    cache = tight.open("a", prompt)
    assert cache.ids in (TOKENS[:40], [])
    assert same(read(model, cache, prompt), read(model, KVCache(), prompt))
