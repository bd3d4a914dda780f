"""An answer as it grows out of stream events."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.chat.events import (
    AnswerDelta,
    Failed,
    Finished,
    Loaded,
    ThinkingDelta,
    Usage,
)


class GrowingAnswer:
    """An answer while it is streamed.

    Attributes:
        message: The answer as far as it has come; a new value with each change.
    """

    def __init__(self, start: ChatMessage) -> None:
        """Begin with `start`: an empty answer, or one that was cut and goes on."""
        self._start = start
        self._base = usage_from(start.usage)
        # for an answer that gets no `Finished` the deltas are all there is to count
        self._counted: Usage = self._base
        self._left_out: tuple[str, ...] = ()
        usage = asdict(self._base)
        self.message = replace(start, state="streaming", usage=usage)

    @property
    def grew(self) -> bool:
        """Whether anything came."""
        start, now = self._start, self.message
        return (now.content, now.thinking) != (start.content, start.thinking)

    def record(self, settings: Mapping[str, Any], loaded: Loaded | None) -> None:
        """Note the settings and, where it is known, the model that make the answer."""
        if self._left_out:
            settings = {**settings, "not_passed": list(self._left_out)}
        if loaded is None:
            self.message = replace(self.message, sampling=settings)
            return
        computed_by = {
            "device": loaded.device,
            "dtype": loaded.dtype,
            "attention": loaded.attention,
            "kv_dtype": loaded.kv_dtype,
            "versions": dict(loaded.versions),
        }
        self.message = replace(
            self.message,
            sampling={**settings, "computed_by": computed_by},
            model=loaded.model,
            revision=loaded.revision,
        )

    def leave_out(self, names: Sequence[str]) -> None:
        """Note what was asked for and had no effect."""
        self._left_out = tuple(dict.fromkeys((*self._left_out, *names)))
        sampling = {**self.message.sampling, "not_passed": list(self._left_out)}
        self.message = replace(self.message, sampling=sampling)

    def take_as_thinking(self) -> None:
        """Make thinking of all that came as the answer so far."""
        now, counted = self.message, self._counted
        tokens = counted.thinking_tokens + counted.answer_tokens
        self._counted = replace(counted, thinking_tokens=tokens, answer_tokens=0)
        self.message = replace(
            now,
            thinking=now.thinking + now.content,
            content="",
            usage=asdict(self._counted),
        )

    def add(self, delta: ThinkingDelta | AnswerDelta) -> None:
        """Append a delta."""
        now, counted = self.message, self._counted
        if isinstance(delta, ThinkingDelta):
            n = counted.thinking_tokens + delta.tokens
            self._counted = replace(counted, thinking_tokens=n)
            now = replace(now, thinking=now.thinking + delta.text)
        else:
            n = counted.answer_tokens + delta.tokens
            self._counted = replace(counted, answer_tokens=n)
            now = replace(now, content=now.content + delta.text)
        self.message = replace(now, usage=asdict(self._counted))

    def end(self, last: Finished | Failed | None) -> None:
        """Make the answer what is kept; `last` is None where nobody listened on."""
        now = self.message
        match last:
            case None:
                self.message = replace(now, state="stopped")
            case Failed(code, message, hint):
                error = {"error": message, "error_code": code, "error_hint": hint}
                usage = {**now.usage, **error}
                self.message = replace(now, state="failed", usage=usage)
            case Finished():
                self._finish(last)

    def _finish(self, last: Finished) -> None:
        now, cost = self.message, self._counted
        if last.usage != Usage():
            cost = add_usage(self._base, last.usage)
        usage = {
            **asdict(cost),
            "finish_reason": last.reason,
            "finish_detail": last.detail,
            "thinking_cut": last.thinking_cut,
        }
        if last.seed is not None:
            now = replace(now, sampling={**now.sampling, "seed": last.seed})
        if last.reason == "stop":  # else it may go on, and each line end counts
            content, thinking = now.content.strip("\n"), now.thinking.strip("\n")
            now = replace(now, content=content, thinking=thinking)
        state = "stopped" if last.reason == "cancelled" else "complete"
        self.message = replace(now, state=state, usage=usage)


def usage_from(stored: Mapping[str, Any]) -> Usage:
    """Return the `Usage` in a message's `usage`; zeros for what is not there."""
    return Usage(**{f.name: stored[f.name] for f in fields(Usage) if f.name in stored})


def add_usage(first: Usage, more: Usage) -> Usage:
    """Return the cost of an answer that was made in two goes.

    Generated tokens and times add up. The prompt is the first one: the second held
    the first part of the answer, which is counted already.
    """
    total = {k: v + asdict(more)[k] for k, v in asdict(first).items()}
    prompt = first if first.prompt_tokens else more
    total["prompt_tokens"] = prompt.prompt_tokens
    total["cached_tokens"] = prompt.cached_tokens
    total["first_token_s"] = prompt.first_token_s
    total["is_estimate"] = first.is_estimate or more.is_estimate
    return Usage(**total)
