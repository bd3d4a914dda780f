"""How many tokens a prompt takes: by the server's word, else by an estimate."""

from collections.abc import Sequence
from typing import Any, cast

from qwen_tui.backends.remote_body import messages, template_options
from qwen_tui.backends.remote_dialects import Dialect
from qwen_tui.backends.remote_http import ServerHttp
from qwen_tui.chat.backend import PromptMessage, TurnRequest
from qwen_tui.chat.ledger import MessageTokens, PromptTokens
from qwen_tui.errors import ServerError

_TIMEOUT_S = 5.0
_AROUND = 5  # <|im_start|>role\n ... <|im_end|>\n
_BEGINNING = 3  # <|im_start|>assistant\n
_BYTES_PER_TOKEN = 3.2  # cautious: English has above 4, code about 3, Chinese about 4
_LIKELY = (0.5, 2.0)  # what a learned correction may be


class TokenCount:
    """Counts prompts for one model of one server.

    What a server tells of a prompt that it answered corrects the next estimates.
    """

    def __init__(self, http: ServerHttp, dialect: Dialect, model: str) -> None:
        self._http = http
        self._dialect = dialect
        self._model = model
        self._correction = 1.0
        self._can_ask = bool(dialect.counts)
        self._last: tuple[TurnRequest, PromptTokens] | None = None

    async def measure(self, request: TurnRequest) -> PromptTokens:
        """Return what each message takes; the sum is exact where the server counts."""
        estimate = self.estimate(request)
        total = await self._ask(request) if self._can_ask else 0
        tokens = _scaled(estimate, total) if total else estimate
        self._last = (request, tokens)
        return tokens

    def best(self, request: TurnRequest) -> PromptTokens:
        """Return what was measured of a request, else an estimate; asks nobody."""
        if self._last is not None and self._last[0] == request:
            return self._last[1]
        return self.estimate(request)

    def estimate(self, request: TurnRequest) -> PromptTokens:
        """Return what each message takes, by the bytes of its text."""
        costs = tuple(
            MessageTokens(round(_bytes_cost(m) * self._correction))
            for m in request.messages
        )
        return PromptTokens(costs, 0, _BEGINNING, is_estimate=True)

    def learn(self, request: TurnRequest, prompt_tokens: int) -> None:
        """Take what the server says that a prompt took."""
        if prompt_tokens:
            plain = sum(map(_bytes_cost, request.messages)) + _BEGINNING
            low, high = _LIKELY
            self._correction = min(high, max(low, prompt_tokens / plain))

    async def _ask(self, request: TurnRequest) -> int:
        """Return the server's count; 0 where it does not tell, then for good."""
        body: dict[str, Any] = {
            "messages": messages(request, self._dialect),
            "model": self._model,
            **template_options(request, self._dialect),
        }
        path, name = "/v1/chat/completions/input_tokens", "input_tokens"
        if self._dialect.counts == "tokenize":
            path, name = "/tokenize", "count"
        try:
            told = await self._http.post(path, body, _TIMEOUT_S)
        except ServerError:
            self._can_ask = False
            return 0
        count = cast(dict[str, Any], told).get(name) if isinstance(told, dict) else 0
        return count if isinstance(count, int) and count > 0 else 0


def _bytes_cost(message: PromptMessage) -> float:
    # past thinking is left out by the templates of Qwen
    return len(message.content.encode()) / _BYTES_PER_TOKEN + _AROUND


def _scaled(estimate: PromptTokens, total: int) -> PromptTokens:
    """Return a sum's parts in the proportions of an estimate."""
    weights = [max(1, m.tokens) for m in estimate.messages]
    room = max(0, total - estimate.generation_tokens)
    costs = _shared_out(room, weights)
    return PromptTokens(tuple(MessageTokens(n) for n in costs), 0, total - sum(costs))


def _shared_out(total: int, weights: Sequence[int]) -> list[int]:
    """Return whole numbers in the proportions of `weights` that add up to `total`."""
    whole = sum(weights) or 1
    costs: list[int] = []
    given = seen = 0
    for weight in weights:
        seen += weight
        costs.append(total * seen // whole - given)
        given += costs[-1]
    return costs
