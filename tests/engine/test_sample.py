"""The sampler draws from the distribution that transformers' processors leave."""

from itertools import product
from typing import NamedTuple, cast

import pytest
import torch
from torch import Tensor
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from qwen_tui.chat.sampling import Sampling
from qwen_tui.engine.penalties import Penalties
from qwen_tui.engine.sample import Sampler, candidates

pytestmark = pytest.mark.torch


class _Seen(NamedTuple):
    prompt: list[int]
    generated: list[int]


def _random_logits(spread: float, *, rounded: bool) -> Tensor:
    generator = torch.Generator().manual_seed(11)
    logits = spread * torch.randn(5000, generator=generator)
    return logits.bfloat16().float() if rounded else logits


def _penalised(logits: Tensor, sampling: Sampling, seen: "_Seen") -> Tensor:
    """Return transformers' repetition penalty, then OpenAI's two, by their formula."""
    ids = cast(torch.LongTensor, torch.tensor([[*seen.prompt, *seen.generated]]))
    scores = cast(torch.FloatTensor, logits[None].clone())
    penalty = RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty)
    scores = penalty(ids, scores)[0]
    counts = torch.bincount(torch.tensor(seen.generated), minlength=len(logits))
    # Source: OpenAI API reference, "Frequency and presence penalties"
    return (
        scores
        - sampling.frequency_penalty * counts
        - sampling.presence_penalty * (counts > 0)
    )


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


def _assert_same(got: Tensor, expected: Tensor, sampling: Sampling) -> None:
    # a token at the edge of top_p may fall either way by a rounding error
    n = max(len(got), len(expected))
    got = torch.nn.functional.pad(got, (0, n - len(got)))
    expected = torch.nn.functional.pad(expected, (0, n - len(expected)))
    assert torch.allclose(got, expected, atol=1e-5), sampling


@pytest.mark.parametrize("spread", [0.5, 3.0, 8.0])
@pytest.mark.parametrize("rounded", [False, True], ids=["float32", "ties of bf16"])
def test_probabilities_agree_with_transformers(spread: float, rounded: bool) -> None:
    logits = _random_logits(spread, rounded=rounded)
    grid = product((0.6, 1.0, 1.7), (0, 1, 20, 5000), (0.3, 0.95, 1.0), (0.0, 0.05))
    for temperature, top_k, top_p, min_p in grid:
        sampling = Sampling(
            temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p
        )
        expected = _reference(logits, sampling)
        _assert_same(candidates(logits, sampling).probs, expected, sampling)


@pytest.mark.parametrize("rounded", [False, True], ids=["float32", "ties of bf16"])
def test_penalised_probabilities_agree_with_transformers(rounded: bool) -> None:
    generator = torch.Generator().manual_seed(5)
    likely = torch.randperm(200, generator=generator).tolist()
    seen = _Seen(prompt=likely[:60], generated=likely[40:90] * 3 + likely[:9])
    grid = product((1.0, 1.3, 0.8), (0.0, 0.7, -0.4), (0.0, 1.5), (0, 20), (0.8, 1.0))
    for repetition, frequency, presence, top_k, top_p in grid:
        sampling = Sampling(
            temperature=0.7,
            top_k=top_k,
            top_p=top_p,
            repetition_penalty=repetition,
            frequency_penalty=frequency,
            presence_penalty=presence,
        )
        logits = _random_logits(3.0, rounded=rounded)
        logits[:200] += 6  # what was seen is what counts
        expected = _penalised(logits, sampling, seen)
        penalties = Penalties(sampling, seen.prompt)
        penalties.apply(logits.clone())
        for token_id in seen.generated:
            penalties.count(token_id)
        got = penalties.apply(logits.clone())
        assert torch.allclose(got, expected, atol=1e-5), sampling
        expected = _reference(expected, sampling)
        _assert_same(candidates(got, sampling).probs, expected, sampling)


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


def test_frequency_penalty_grows_with_each_time() -> None:
    sampler = Sampler(Sampling(temperature=0, frequency_penalty=0.6))
    logits = torch.tensor([2.0, 3.0, 0.0])
    # 3.0; 2.4; then 1.8 < 2.0; then 1.8 > 1.4; then 1.2 < 1.4
    assert [sampler.draw(logits.clone()) for _ in range(5)] == [1, 1, 0, 1, 0]


def test_repetition_penalty_counts_the_prompt_and_what_was_put_in() -> None:
    logits = torch.tensor([2.0, 3.0, 2.5, -1.0])
    sampler = Sampler(Sampling(temperature=0, repetition_penalty=2.0), prompt=[1, 9999])
    assert sampler.draw(logits.clone()) == 2  # 3.0 / 2 < 2.5
    sampler.skip([0])
    assert sampler.draw(logits.clone()) == 1  # 1.5 > 2.5 / 2 > 2.0 / 2
