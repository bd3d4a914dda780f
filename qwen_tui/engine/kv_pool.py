"""The KV caches that are kept between turns, and the memory they may take."""

from collections.abc import Callable, Sequence

from qwen_tui.engine.kv_cache import KVCache

_MAX_CACHES = 8
_MAX_SNAPSHOTS = 4  # of one conversation: its last turn, and a little before that
_WORTH_COPYING = 16  # tokens; other conversations begin with the same few
_WORTH_KEEPING = 256  # tokens of another branch, which take a while to read again
_UNKNOWN_FREE_BYTES = 2 * 1024**3


class KVPool:
    """Finds for each prompt the cache that holds most of its beginning.

    Mostly that is the one of the conversation's last turn, and what the prompt does
    not go on with is cut off. Where that would lose another branch, or another
    conversation, the turn gets a copy of what they share.
    """

    def __init__(self, budget_bytes: int, free_bytes: Callable[[], int | None]) -> None:
        """Begin with no cache.

        Args:
            budget_bytes: What the caches may take between turns; 0 for half of what
                would be free without them.
            free_bytes: Tells what is free on the device now; None where unknown.
        """
        self._budget_bytes = budget_bytes
        self._free_bytes = free_bytes
        self._caches: list[KVCache] = []  # the last used is the last

    @property
    def n_bytes(self) -> int:
        """The memory that all caches take."""
        return sum(cache.n_bytes for cache in self._caches)

    def reusable(self, prompt: Sequence[int]) -> int:
        """Return how many tokens of a prompt some cache holds."""
        return max((cache.reusable(prompt) for cache in self._caches), default=0)

    def open(self, conversation_id: str, prompt: Sequence[int]) -> KVCache:
        """Return a cache that holds what any holds of a prompt's beginning.

        It holds nothing else, and at most all tokens but the last, whose logits are
        needed.
        """
        best, shared = self._best(conversation_id, prompt)
        if best is None:
            cache = KVCache(conversation_id)
        else:
            cache = self._go_on_from(best, shared, conversation_id)
        cache.prompt_tokens = len(prompt)
        self._caches = [c for c in self._caches if not _is_stuck(c, conversation_id)]
        self._use(cache)
        self._evict(self._limit(), keep=1)
        return cache

    def keep_snapshot(self, cache: KVCache) -> None:
        """Keep a copy of a cache that cannot be cut, as far as memory allows."""
        if cache.can_rewind:
            return
        taken = [c for c in self._caches if c.is_snapshot and c is not cache]
        mine = [c for c in taken if c.conversation_id == cache.conversation_id]
        if any(c.ids == cache.ids for c in mine):
            return
        if len(mine) >= _MAX_SNAPSHOTS:
            self._caches.remove(mine[0])
        limit = self._limit()
        self._evict(limit - cache.n_bytes, keep=1)
        if self.n_bytes + cache.n_bytes <= limit:
            self._use(cache.snapshot())
            self._use(cache)

    def settle(self) -> None:
        """Bring the memory within the budget, after a turn."""
        # The next turn of this conversation would take as much again; only a budget
        # that a person set is kept even so.
        self._evict(self._limit(), keep=0 if self._budget_bytes else 1)

    def clear(self) -> None:
        """Give everything back."""
        self._caches.clear()

    def _best(
        self, conversation_id: str, prompt: Sequence[int]
    ) -> tuple[KVCache | None, int]:
        best, best_rank = None, (0, False)
        for cache in self._caches:
            is_own = cache.conversation_id == conversation_id
            shared = cache.reusable(prompt)
            if not is_own and shared < _WORTH_COPYING:
                continue
            if (shared, is_own) >= best_rank:
                best, best_rank = cache, (shared, is_own)
        return best, best_rank[0]

    def _go_on_from(self, best: KVCache, shared: int, conversation_id: str) -> KVCache:
        """Return what holds the first `shared` tokens of `best`: itself, or a copy."""
        is_own = best.conversation_id == conversation_id
        lost = min(best.prompt_tokens, len(best.ids)) - shared
        if not is_own or best.is_snapshot or lost >= _WORTH_KEEPING:
            if self._has_room_for(best, shared):
                self._use(best)
                return best.copy(shared, conversation_id)
            if not is_own:
                return KVCache(conversation_id)
        best.is_snapshot = False
        best.rewind(shared)
        return best

    def _has_room_for(self, cache: KVCache, tokens: int) -> bool:
        """Tell whether a copy of a cache's beginning fits beside all others."""
        n_bytes = cache.n_bytes * tokens // max(1, len(cache.ids))
        return self.n_bytes + n_bytes <= self._limit()

    def _use(self, cache: KVCache) -> None:
        """Make a cache the last one used, and one of ours."""
        self._caches = [c for c in self._caches if c is not cache] + [cache]

    def _limit(self) -> int:
        if self._budget_bytes:
            return self._budget_bytes
        free = self._free_bytes()
        if free is None:
            return _UNKNOWN_FREE_BYTES
        return (max(0, free) + self.n_bytes) // 2

    def _evict(self, limit: int, keep: int) -> None:
        """Drop the caches used longest ago until the rest fits, or `keep` are left."""
        while len(self._caches) > keep and (
            len(self._caches) > _MAX_CACHES or self.n_bytes > limit
        ):
            del self._caches[0]


def _is_stuck(cache: KVCache, conversation_id: str) -> bool:
    """Tell whether an earlier turn's cache can serve no prompt of a conversation.

    It can neither be cut nor is it what the prompt goes on with.
    """
    is_own = cache.conversation_id == conversation_id
    return is_own and not cache.is_snapshot and not cache.can_rewind
