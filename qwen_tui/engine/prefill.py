"""Reading prompts, as far as the KV cache of an earlier turn does not hold them."""

import time
from collections.abc import Callable, Iterator, Sequence

from torch import Tensor

from qwen_tui.chat.backend import PromptMessage, TurnRequest
from qwen_tui.chat.events import PrefillProgress, StreamEvent
from qwen_tui.engine.devices import free_bytes
from qwen_tui.engine.forward import Forward, Pace, Watch, chunk_rule
from qwen_tui.engine.kv_cache import common_length, makes_croppable_cache
from qwen_tui.engine.kv_pool import KVPool
from qwen_tui.engine.model import LoadedModel
from qwen_tui.errors import QwenTuiError

_TELL_INTERVAL_S = 0.2


class PromptReader:
    """Reads the prompts of one model into KV caches that outlive the turn."""

    def __init__(self, loaded: LoadedModel, budget_bytes: int = 0) -> None:
        """Begin with nothing read; see `KVPool` for the budget."""
        self._loaded = loaded
        self._pool = KVPool(budget_bytes, lambda: free_bytes(loaded.device))
        can_rewind = makes_croppable_cache(loaded.model)
        self._needs_snapshots = not can_rewind
        rule = chunk_rule(loaded.model, loaded.device, can_rewind=can_rewind)
        self._pace = Pace(rule)
        added = loaded.tokenizer.added_tokens_decoder.items()
        self._special = {token_id for token_id, token in added if token.special}

    def begin(self, request: TurnRequest, prompt: Sequence[int]) -> Forward:
        """Return what goes on after the part of a prompt that is held already."""
        cache = self._pool.open(request.conversation_id, prompt)
        loaded = self._loaded
        return Forward(
            loaded.model, loaded.device, cache, self._pace, packs_kv=loaded.packs_kv
        )

    def read(
        self,
        forward: Forward,
        prompt: Sequence[int],
        points: Sequence[int],
        watch: Watch,
    ) -> Iterator[tuple[int, Tensor]]:
        """Read the rest of a prompt; yield tokens done and logits after each chunk.

        Args:
            forward: What `begin` returned for this prompt.
            prompt: Its ids.
            points: Where later prompts will branch off; see `lasting_points`.
            watch: Hears how many tokens are done; ends the reading.
        """
        held = len(forward.kv_cache.ids)
        ends = [point - held for point in points]
        chunks = forward.feed_in_chunks(
            prompt[held:], ends, lambda done: watch(held + done)
        )
        for done, logits in chunks:
            if done in ends:
                self._pool.keep_snapshot(forward.kv_cache)
            yield held + done, logits

    def lacks(self, prompt: Sequence[int]) -> int:
        """Return how many tokens of a prompt are in no cache."""
        return len(prompt) - self._pool.reusable(prompt)

    def settle(self) -> None:
        """Bring the memory within its budget, after a turn."""
        self._pool.settle()

    def clear(self) -> None:
        """Give all memory back."""
        self._pool.clear()

    def history(self, request: TurnRequest) -> list[int]:
        """Return what the next turn's prompt will begin with, whatever is asked.

        Args:
            request: Its messages are those before the next question.

        Raises:
            QwenTuiError: the template refuses the messages.
        """
        one, other = (
            self._build([*request.messages, PromptMessage("user", text)], request)
            for text in ("0", "1")
        )
        return one[: common_length(one, other)]

    def lasting_points(self, request: TurnRequest, prompt: Sequence[int]) -> list[int]:
        """Return where later prompts branch off this one: lengths, in tokens.

        The next turn and a retry go on before the answer, an edit before the last
        question. Empty where the cache can be cut anywhere.
        """
        if not self._needs_snapshots:
            return []
        messages = list(request.messages)
        if request.continue_last:
            messages.pop()
        question = PromptMessage("user", "0")
        answered = [*messages, PromptMessage("assistant", "0"), question]
        points: set[int] = set()
        for later in (answered, [*messages[:-1], question]):
            try:
                shared = common_length(prompt, self._build(later, request))
            except QwenTuiError:  # such an order of roles this template refuses
                continue
            points.add(self._before_text(prompt, shared))
        return sorted(points - {0, len(prompt)})

    def end_of_history(self, history: Sequence[int]) -> list[int]:
        """Return the last lasting point of a history, as `lasting_points` does."""
        if not self._needs_snapshots:
            return []
        return [self._before_text(history, len(history))]

    def _before_text(self, prompt: Sequence[int], length: int) -> int:
        """Return the last point up to `length` where no text can change a token.

        What stands before and after a special token is tokenised apart.
        """
        while length and prompt[length - 1] not in self._special:
            length -= 1
        return length

    def _build(
        self, messages: Sequence[PromptMessage], request: TurnRequest
    ) -> list[int]:
        return self._loaded.prompts.build(messages, thinking=request.thinking)


class PromptProgress:
    """Tells how much of a prompt is read."""

    def __init__(
        self, tell: Callable[[StreamEvent], None], total: int, cached: int
    ) -> None:
        self._tell = tell
        self._total = total
        self._cached = cached
        self._done = -1
        self._told_at = 0.0
        self.reach(cached)

    def reach(self, done: int) -> None:
        """Tell that `done` tokens are read."""
        if done > self._done:
            self._done, self._told_at = done, time.monotonic()
            self._tell(PrefillProgress(done, self._total, self._cached))

    def pass_by(self, done: int) -> None:
        """Tell that about `done` tokens are read, unless something was told lately."""
        if time.monotonic() - self._told_at >= _TELL_INTERVAL_S:
            self.reach(done)
