"""What is taken from the logits of tokens that occurred already."""

from collections.abc import Sequence

import torch
from torch import Tensor

from qwen_tui.chat.sampling import Sampling


class Penalties:
    """Repetition, then frequency and presence penalty, in vLLM's order.

    Repetition is transformers' own: over the tokens of the prompt and of the answer
    a positive logit is divided, a negative one multiplied. Frequency and presence
    are OpenAI's: over the answer's tokens alone, once for each time a token came,
    and once for that it came.
    """

    def __init__(self, sampling: Sampling, prompt: Sequence[int]) -> None:
        self._repetition = sampling.repetition_penalty
        self._frequency = sampling.frequency_penalty
        self._presence = sampling.presence_penalty
        given = (self._repetition, self._frequency, self._presence)
        self._is_active = given != (1.0, 0.0, 0.0)
        self._prompt = prompt
        self._generated: set[int] = set()
        self._taken: Tensor | None = None
        """(vocab,) what frequency and presence subtract."""
        self._factor: Tensor | None = None
        """(vocab,) the repetition penalty, 1 for tokens that did not occur."""

    def apply(self, logits: Tensor) -> Tensor:
        """Return the penalised logits, (vocab,) float32; changed in place."""
        if not self._is_active:
            return logits
        if self._factor is None or self._taken is None:
            self._taken = torch.zeros_like(logits)
            self._factor = torch.ones_like(logits)
            ids = torch.tensor(sorted(set(self._prompt)), dtype=torch.long)
            # an embedding may have more rows than there are logits
            self._factor[ids[ids < len(logits)].to(logits.device)] = self._repetition
        if self._repetition != 1:
            torch.where(
                logits < 0, logits * self._factor, logits / self._factor, out=logits
            )
        logits -= self._taken
        return logits

    def count(self, token_id: int) -> None:
        """Take account of a token of the answer; `apply` came before it."""
        if self._factor is None or self._taken is None:
            return
        self._factor[token_id] = self._repetition
        self._taken[token_id] += self._frequency
        if token_id not in self._generated:
            self._generated.add(token_id)
            self._taken[token_id] += self._presence
