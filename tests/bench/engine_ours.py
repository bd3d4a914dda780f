"""One turn as the engine answers it, and the prompts that benches ask."""

import time
from collections.abc import Callable

from qwen_tui.chat.backend import PromptMessage, TurnRequest
from qwen_tui.chat.events import Finished
from qwen_tui.chat.sampling import Sampling
from qwen_tui.engine.generate import Parent, generate
from qwen_tui.engine.model import LoadedModel
from qwen_tui.engine.prefill import PromptReader

SAMPLING = Sampling(temperature=0.6, top_p=0.95, top_k=20)  # Qwen3 card, thinking


def request_for(*messages: PromptMessage, limit: int = 1) -> TurnRequest:
    return TurnRequest(messages, SAMPLING, limit)


def prompt_of(model: LoadedModel, tokens: int) -> PromptMessage:
    """Return a question that makes a prompt of that many tokens."""
    empty = model.prompts.build([PromptMessage("user", "")], thinking=True)
    return PromptMessage("user", "x" * (tokens - len(empty)))  # a byte is a token


def ids_of(model: LoadedModel, request: TurnRequest) -> list[int]:
    return model.prompts.build(request.messages, thinking=request.thinking)


def answer(
    model: LoadedModel,
    request: TurnRequest,
    reader: PromptReader | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Finished:
    parent = Parent(lambda _event: None, is_cancelled, lambda: False)
    return generate(model, request, parent, reader)


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
