"""Counts that were asked of an engine and have not come yet."""

import asyncio

from qwen_tui import wire
from qwen_tui.chat.ledger import PromptTokens


class Measures:
    """Brings each count to whoever waits for it."""

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[PromptTokens | None]] = {}

    async def wait(self, request_id: int) -> PromptTokens | None:
        """Wait for the answer to a request; None where there will be none."""
        answer = self._waiting[request_id]
        try:
            return await answer
        finally:
            self._waiting.pop(request_id, None)

    def expect(self, request_id: int) -> None:
        """Note a request that is about to be sent."""
        self._waiting[request_id] = asyncio.get_running_loop().create_future()

    def hear(self, message: wire.Measured | wire.Event) -> bool:
        """Take an answer; False where the message is none that is waited for."""
        answer = self._waiting.get(message.id)
        if answer is not None and not answer.done():
            is_count = isinstance(message, wire.Measured)
            answer.set_result(message.tokens if is_count else None)
        return answer is not None

    def give_up(self) -> None:
        """Answer everybody who waits that there will be no count."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result(None)
