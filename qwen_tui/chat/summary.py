"""A summary of messages that no longer fit, written by the model itself."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from qwen_tui.chat.backend import Backend, PromptMessage, TurnRequest
from qwen_tui.chat.ending import to_the_end
from qwen_tui.chat.events import (
    AnswerDelta,
    Failed,
    Finished,
    Loaded,
    StreamEvent,
    Summarising,
    ThinkingDelta,
    WasThinking,
)
from qwen_tui.chat.request import Asked
from qwen_tui.chat.turn import TurnOptions
from qwen_tui.i18n import _

_TOKENS = 512
_SHARE = 8
# to the model, not to a person: in one language, and it answers in the talk's own
_TASK = (
    "Summarise this conversation so far, so that you can go on with it without seeing "
    "it again: names, facts, decisions, code that matters, open questions. Keep to "
    "its language, write at most 200 words, and write nothing but the summary."
)


def summary_tokens(context_length: int) -> int:
    """Return the most tokens that a summary may take of a context."""
    return max(16, min(_TOKENS, context_length // _SHARE))


class Summary:
    """The summary of a prompt's beginning.

    Attributes:
        text: What was written, once the events have ended.
    """

    def __init__(
        self, backend: Backend, asked: Asked, end: int, options: TurnOptions
    ) -> None:
        """Take what is summed up: the messages of a prompt before place `end`.

        They go to the model as they were, so that what it read of them before is not
        read again.
        """
        self.text = ""
        self._backend = backend
        self._asked = asked
        self._end = end
        self._options = options

    async def events(self, context_length: int) -> AsyncGenerator[StreamEvent, None]:
        """Yield how the summary goes.

        Ends with `Failed` or `Finished` only where it failed or was stopped.
        """
        request = await self._request(context_length)
        n_tokens = 0
        async with aclosing(to_the_end(self._backend.stream(request))) as events:
            async for event in events:
                match event:
                    case AnswerDelta(text, tokens):
                        self.text += text
                        n_tokens += tokens
                        yield Summarising(self._end, n_tokens)
                    case ThinkingDelta(tokens=tokens):
                        n_tokens += tokens
                        yield Summarising(self._end, n_tokens)
                    case WasThinking():
                        self.text = ""
                    case Finished(reason="cancelled") | Failed():
                        yield event
                        return
                    case Finished() | Loaded():
                        pass
                    case _:
                        yield event
        self.text = self.text.strip()
        if not self.text:
            yield Failed(
                "no_summary",
                _("The model wrote no summary."),
                _("Leave the oldest messages out instead."),
            )

    async def _request(self, context_length: int) -> TurnRequest:
        """Return what asks for the summary, its oldest messages left out until it fits.

        They were in the context once, but a shorter one may be in force now.
        """
        budget = summary_tokens(context_length)
        thinks = self._asked.request.thinking and self._always_thinks
        messages = list(self._asked.request.messages[: self._end])
        while True:
            request = replace(
                self._asked.request,
                messages=(*messages, PromptMessage("user", _TASK)),
                sampling=self._options.presets.choose(
                    self._options.choice, thinking=thinks
                ),
                max_new_tokens=3 * budget if thinks else budget,
                thinking=thinks,
                thinking_budget=budget if thinks else None,
                continue_last=False,
            )
            count = await self._backend.measure(request)
            if count is None or count.total + request.max_new_tokens <= context_length:
                return request
            first = 1 if messages and messages[0].role == "system" else 0
            if len(messages) <= first:
                return request
            del messages[first]

    @property
    def _always_thinks(self) -> bool:
        loaded = self._backend.loaded
        return loaded is not None and loaded.thinking == "always"
