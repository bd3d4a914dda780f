"""Drawing the next token: the top k first, everything else over those few."""

import secrets
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from qwen_tui.chat.sampling import Sampling
from qwen_tui.engine.penalties import Penalties

_FIRST_CANDIDATES = 1024
_SEED_LIMIT = 2**31


class Candidates(NamedTuple):
    """The tokens that may be drawn, most probable first."""

    probs: Tensor
    """(n,) float32 on the CPU; sums to 1."""
    ids: Tensor
    """(n,) int64 on the CPU."""


class Sampler:
    """Draws the tokens of one answer."""

    def __init__(self, sampling: Sampling, prompt: Sequence[int] = ()) -> None:
        """Begin an answer to `prompt`, whose tokens the repetition penalty counts."""
        self.seed = (
            secrets.randbelow(_SEED_LIMIT) if sampling.seed is None else sampling.seed
        )
        self._sampling = sampling
        # on the CPU everywhere: one seed gives one answer on any device
        self._generator = torch.Generator().manual_seed(self.seed)
        self._penalties = Penalties(sampling, prompt)

    def draw(self, logits: Tensor) -> int:
        """Return the next token's id.

        Args:
            logits: (vocab,) float32, unscaled; changed in place.
        """
        logits = self._penalties.apply(logits)
        if self._sampling.temperature == 0:
            token_id = int(logits.argmax())
        else:
            probs, ids = candidates(logits, self._sampling)
            drawn = torch.multinomial(probs, 1, generator=self._generator)
            token_id = int(ids[drawn])
        self._penalties.count(token_id)
        return token_id

    def skip(self, ids: Iterable[int]) -> None:
        """Take account of tokens that were put into the answer, not drawn."""
        for token_id in ids:
            self._penalties.count(token_id)


def candidates(logits: Tensor, sampling: Sampling) -> Candidates:
    """Return what temperature, top_k, top_p and min_p leave, in that order.

    The same distribution as transformers' logits processors, ties at the k-th
    value kept as they do, without sorting the whole vocabulary.

    Args:
        logits: (vocab,) float32, penalties applied.
        sampling: Its temperature is above 0.
    """
    scaled = logits / sampling.temperature
    if 0 < sampling.top_k < scaled.shape[-1]:
        values, ids = _top_k_with_ties(scaled, sampling.top_k)
        log_total = values.logsumexp(-1)
    else:
        log_total = scaled.logsumexp(-1)
        values, ids = _enough(scaled, log_total, sampling)
    probs = (values - log_total).exp().cpu()
    ids = ids.cpu()
    if sampling.top_p < 1:
        before = probs.cumsum(-1) - probs
        kept = before < sampling.top_p
        kept[0] = True
        probs, ids = probs[kept], ids[kept]
    if sampling.min_p > 0:
        kept = probs >= sampling.min_p * probs[0]
        probs, ids = probs[kept], ids[kept]
    return Candidates(probs / probs.sum(), ids)


def _top_k_with_ties(scaled: Tensor, k: int) -> tuple[Tensor, Tensor]:
    values, ids = scaled.topk(k)
    n_kept = int((scaled >= values[-1]).sum())  # bf16 logits tie often
    return (values, ids) if n_kept == k else scaled.topk(n_kept)


def _enough(
    scaled: Tensor, log_total: Tensor, sampling: Sampling
) -> tuple[Tensor, Tensor]:
    """Return the largest logits, enough of them that no filter needs the rest."""
    vocab_size = scaled.shape[-1]
    if sampling.top_p >= 1 and sampling.min_p <= 0:
        return scaled.sort(descending=True)
    n = min(_FIRST_CANDIDATES, vocab_size)
    while True:
        values, ids = scaled.topk(n)
        probs = (values - log_total).exp()
        reached = sampling.top_p < 1 and float(probs.sum()) >= sampling.top_p
        dropped = sampling.min_p > 0 and bool(probs[-1] < sampling.min_p * probs[0])
        if n == vocab_size or reached or dropped:
            return values, ids
        n = min(4 * n, vocab_size)
