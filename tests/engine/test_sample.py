"""The sampler draws from the distribution that transformers' processors leave."""

from itertools import product
from typing import cast

import pytest
import torch
from torch import Tensor
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from qwen_tui.chat.sampling import Sampling
from qwen_tui.engine.sample import Sampler, candidates

pytestmark = pytest.mark.torch


def _reference(logits: Tensor, sampling: Sampling) -> Tensor:
    """Return transformers' probabilities, sorted, zeros dropped."""
    chain = LogitsProcessorList([TemperatureLogitsWarper(sampling.temperature)])
    if sampling.top_k:
        chain.append(TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1:
        chain.append(TopPLogitsWarper(sampling.top_p))
    if sampling.min_p:
        chain.append(MinPLogitsWarper(sampling.min_p))
    prompt = cast(torch.LongTensor, torch.zeros((1, 1), dtype=torch.long))
    scores = chain(prompt, cast(torch.FloatTensor, logits[None].clone()))
    probs = scores.softmax(-1)[0]
    return probs[probs > 0].sort(descending=True).values


@pytest.mark.parametrize("spread", [0.5, 3.0, 8.0])
@pytest.mark.parametrize("rounded", [False, True], ids=["float32", "ties of bf16"])
def test_probabilities_agree_with_transformers(spread: float, rounded: bool) -> None:
    generator = torch.Generator().manual_seed(11)
    logits = spread * torch.randn(5000, generator=generator)
    if rounded:
        logits = logits.bfloat16().float()
    grid = product((0.6, 1.0, 1.7), (0, 1, 20, 5000), (0.3, 0.95, 1.0), (0.0, 0.05))
    for temperature, top_k, top_p, min_p in grid:
        sampling = Sampling(
            temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p
        )
        got = candidates(logits, sampling).probs
        expected = _reference(logits, sampling)
        # a token at the edge of top_p may fall either way by a rounding error
        n = max(len(got), len(expected))
        got = torch.nn.functional.pad(got, (0, n - len(got)))
        expected = torch.nn.functional.pad(expected, (0, n - len(expected)))
        assert torch.allclose(got, expected, atol=1e-5), sampling


def test_ids_belong_to_their_probabilities() -> None:
    logits = torch.tensor([0.0, 3.0, 1.0, 2.0])
    probs, ids = candidates(logits, Sampling(temperature=1.0, top_k=3))
    assert ids.tolist() == [1, 3, 2]
    expected = torch.tensor([3.0, 2.0, 1.0]).softmax(-1)
    assert torch.allclose(probs, expected)


def test_draws_follow_the_probabilities() -> None:
    sampler = Sampler(Sampling(temperature=1.0, top_k=3, seed=5))
    logits = torch.tensor([0.0, 3.0, 1.0, 2.0])
    drawn = [sampler.draw(logits.clone()) for _ in range(4000)]
    share = torch.bincount(torch.tensor(drawn), minlength=4) / len(drawn)
    expected = torch.zeros(4)
    expected[[1, 3, 2]] = torch.tensor([3.0, 2.0, 1.0]).softmax(-1)
    assert torch.allclose(share, expected, atol=0.03)  # 4 sigma of 4,000 draws


def test_a_seed_repeats_an_answer_and_none_draws_a_new_one() -> None:
    logits = torch.randn(500, generator=torch.Generator().manual_seed(3))

    def draw(seed: int | None) -> tuple[int, list[int]]:
        sampler = Sampler(Sampling(temperature=1.0, seed=seed))
        return sampler.seed, [sampler.draw(logits.clone()) for _ in range(20)]

    assert draw(42) == draw(42)
    seed, ids = draw(None)
    assert draw(None)[0] != seed
    assert draw(seed) == (seed, ids)


def test_temperature_zero_is_greedy() -> None:
    logits = torch.tensor([0.0, 3.0, 1.0])
    assert Sampler(Sampling(temperature=0)).draw(logits) == 1


def test_presence_penalty_is_taken_once_from_what_was_generated() -> None:
    sampler = Sampler(Sampling(temperature=0, presence_penalty=1.5))
    logits = torch.tensor([2.0, 3.0, 0.0])
    # 3.0; then 3.0 - 1.5 < 2.0; then 1.5 > 0.5, and it stays 1.5
    assert [sampler.draw(logits.clone()) for _ in range(4)] == [1, 0, 1, 1]
