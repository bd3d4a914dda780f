"""One answer as it is read from a server: deltas, counts, times, and its end."""

import json
import time
from collections.abc import Callable
from typing import Any, cast

from qwen_tui.backends.remote_faults import (
    bad_reply,
    cut,
    error_text,
    not_openai,
    told_by,
)
from qwen_tui.backends.remote_lines import DONE, Payload
from qwen_tui.backends.remote_server import Server
from qwen_tui.backends.remote_split import ALL_WAS_THINKING, Part, ThinkingSplit
from qwen_tui.chat.events import (
    AnswerDelta,
    Finished,
    FinishReason,
    StreamEvent,
    ThinkingDelta,
    Usage,
    WasThinking,
)
from qwen_tui.chat.loop_guard import LoopGuard
from qwen_tui.errors import ServerError
from qwen_tui.i18n import _

_CUT = ("abort", "error")  # finish reasons of vLLM and SGLang


class Reading:
    """What a stream has told so far.

    Attributes:
        completion_id: By which the server knows the answer; empty before it came.
        model: What the server calls the model that answers.
        was_opened: The template of the model had begun its thinking, it turned out.
        thinking_tokens: Counted from the deltas: a delta is about a token.
    """

    def __init__(
        self,
        server: Server,
        *,
        opened: bool,
        may_open: bool,
        loop_guard: bool,
        redact: Callable[[str], str],
    ) -> None:
        """Begin.

        Args:
            server: Told in failures.
            opened: The template of the model begins its thinking.
            may_open: It may do so.
            loop_guard: End an answer that repeats itself.
            redact: Takes the key out of what the server says.
        """
        self.completion_id = ""
        self.model = ""
        self.thinking_tokens = 0
        self.is_over = False
        self.was_opened = False
        self._server = server
        self._redact = redact
        self._split = ThinkingSplit(opened=opened, may_open=may_open)
        self._guard = LoopGuard() if loop_guard else None
        self._loops = False
        self._answer_tokens = 0
        self._reason = ""
        self._usage: dict[str, Any] = {}
        self._began = time.monotonic()
        self._first = self._answer_since = self._last = 0.0

    @property
    def has_begun(self) -> bool:
        """Whether a token came."""
        return self._first > 0

    @property
    def has_answer(self) -> bool:
        """Whether a token came after the thinking."""
        return self._answer_tokens > 0

    @property
    def thinks(self) -> bool:
        """Whether the model is thinking now."""
        return self._split.is_open

    def take(self, payload: Payload) -> list[StreamEvent]:
        """Take what a line carries.

        Raises:
            ServerError: it tells of an error, or is no part of an answer.
        """
        if payload.text == DONE:
            self.is_over = True
            return []
        value = self._value(payload)
        if payload.is_error or value.get("error"):
            raise self._fault(error_text(value))
        self.completion_id = self.completion_id or str(value.get("id") or "")
        self.model = self.model or str(value.get("model") or "")
        if isinstance(value.get("usage"), dict):
            self._usage = value["usage"]
        choices = value.get("choices")
        if not isinstance(choices, list) or not choices:
            return []  # only tells usage, or that the server lives
        choice = cast(list[Any], choices)[0]
        return (
            self._choice(cast(dict[str, Any], choice))
            if isinstance(choice, dict)
            else []
        )

    def finish(self) -> tuple[list[StreamEvent], Finished]:
        """Return the last deltas and the end, once the stream has ended.

        Raises:
            ServerError: it was cut.
        """
        deltas = self._deltas(self._split.end())
        if self._loops:
            return deltas, Finished("length", self.usage(), detail="loop")
        if (not self._reason and not self.is_over) or self._reason in _CUT:
            raise cut(self._server)
        is_length = self._reason == "length"
        reason: FinishReason = "length" if is_length else "stop"
        is_cut = self.thinks and is_length
        return deltas, Finished(reason, self.usage(), thinking_cut=is_cut)

    def usage(self) -> Usage:
        """Return what the answer cost: the server's word, else our count."""
        first = self._first or time.monotonic()
        last = self._last or first
        thinking_s = 0.0
        if self.thinking_tokens:
            thinking_s = (self._answer_since or last) - first
        prompt = _number(self._usage, "prompt_tokens")
        new = _number(self._usage, "completion_tokens")
        thinking, answer = self._shares(new)
        return Usage(
            prompt_tokens=prompt,
            cached_tokens=_number(
                self._usage, "prompt_tokens_details", "cached_tokens"
            ),
            thinking_tokens=thinking,
            answer_tokens=answer,
            prefill_s=first - self._began,
            decode_s=last - first,
            thinking_s=thinking_s,
            first_token_s=first - self._began,
            is_estimate=not new,
        )

    def _shares(self, new: int) -> tuple[int, int]:
        """Return the tokens of thinking and answer; by our counts where it must be."""
        counted = self.thinking_tokens + self._answer_tokens
        if not new or not self.thinking_tokens:
            # vLLM counts an answer that goes on as reasoning
            return self.thinking_tokens, new or self._answer_tokens
        told = _number(self._usage, "completion_tokens_details", "reasoning_tokens")
        thinking = told or round(new * self.thinking_tokens / counted)
        return min(thinking, new), new - min(thinking, new)

    def _value(self, payload: Payload) -> dict[str, Any]:
        try:
            value = json.loads(payload.text)
        except (ValueError, RecursionError) as error:
            if payload.text.startswith("<"):
                raise not_openai(self._server) from error
            # transformers serve writes messages into JSON without escaping them
            if payload.is_error or payload.text.startswith('{"error"'):
                raise self._fault(payload.text) from error
            raise bad_reply(self._server, _("no JSON")) from error
        if isinstance(value, dict):
            return cast(dict[str, Any], value)
        if payload.is_error:
            return {"error": value}
        raise bad_reply(self._server, _("no JSON object"))

    def _fault(self, text: str) -> ServerError:
        told = told_by(self._redact(text))
        return ServerError(
            _("{server} ended the answer: {told}").format(
                server=self._server.label, told=told or _("no reason given")
            ),
            hint=_("The server's own log tells more."),
            code="server_error",
        )

    def _choice(self, choice: dict[str, Any]) -> list[StreamEvent]:
        if choice.get("finish_reason"):
            self._reason = str(choice["finish_reason"])
        delta = choice.get("delta") or choice.get("message")
        if not isinstance(delta, dict):
            return []
        said = cast(dict[str, Any], delta)
        parts: list[Part] = []
        thought = said.get("reasoning_content") or said.get("reasoning")
        if isinstance(thought, str) and thought:
            parts += self._split.thinking(thought)
        if isinstance(said.get("content"), str) and said["content"]:
            parts += self._split.answer(said["content"])
        return self._deltas(parts)

    def _deltas(self, parts: list[Part]) -> list[StreamEvent]:
        deltas: list[StreamEvent] = []
        for part in parts:
            if part is ALL_WAS_THINKING:
                deltas.append(self._rethink())
                continue
            self._last = time.monotonic()
            self._first = self._first or self._last
            if part.is_thinking:
                self.thinking_tokens += 1
                deltas.append(ThinkingDelta(part.text))
            else:
                self._answer_since = self._answer_since or self._last
                self._answer_tokens += 1
                deltas.append(AnswerDelta(part.text))
            if self._guard is not None and self._guard.push(hash(part.text)):
                self._loops = self.is_over = True
        return deltas

    def _rethink(self) -> WasThinking:
        self.thinking_tokens, self._answer_tokens = self._answer_tokens, 0
        self._answer_since = 0.0
        self.was_opened = True
        return WasThinking()


def _number(told: dict[str, Any], *names: str) -> int:
    """Return a count in nested objects; 0 where it is not there."""
    value: Any = told
    for name in names:
        value = (
            cast(dict[str, Any], value).get(name) if isinstance(value, dict) else None
        )
    return value if isinstance(value, int) and value > 0 else 0
