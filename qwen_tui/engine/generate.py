"""One answer: read the prompt, draw tokens, tell them, stop when asked."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from qwen_tui.chat.backend import TurnRequest
from qwen_tui.chat.events import (
    FinishDetail,
    Finished,
    FinishReason,
    StreamEvent,
    Usage,
)
from qwen_tui.chat.loop_guard import LoopGuard
from qwen_tui.engine.model import LoadedModel
from qwen_tui.engine.prefill import PromptProgress, PromptReader
from qwen_tui.engine.sample import Sampler
from qwen_tui.engine.stops import StopTexts
from qwen_tui.engine.teller import Teller
from qwen_tui.engine.thinking import ThinkingSplitter, opened_by
from qwen_tui.errors import ContextOverflow
from qwen_tui.i18n import _

# Source: Qwen documentation, "Quickstart", thinking budget
_EARLY_STOP = (
    "\n\nConsidering the limited time by the user, I have to give the solution "
    "based on the thinking directly now.\n"
)
_AFTER_THINKING = "\n\n"


@dataclass(frozen=True, slots=True)
class Parent:
    """The other side, as one answer sees it."""

    tell: Callable[[StreamEvent], None]
    is_cancelled: Callable[[], bool]
    wants_answer: Callable[[], bool]
    """Thinking should end now."""


def generate(
    loaded: LoadedModel,
    request: TurnRequest,
    parent: Parent,
    reader: PromptReader | None = None,
) -> Finished:
    """Answer one turn, telling each event but the last, which is returned.

    Args:
        loaded: The model.
        request: The turn.
        parent: Who asked.
        reader: Keeps what was read for the next turn; None keeps nothing.

    Raises:
        ContextOverflow: the prompt leaves no room for an answer.
        QwenTuiError: the template refuses the messages.
    """
    begun = time.monotonic()
    prompt = loaded.prompts.build(
        request.messages,
        thinking=request.thinking,
        continue_last=request.continue_last,
    )
    room = loaded.context_length - len(prompt)
    if room < 1:
        raise ContextOverflow(
            _("The prompt has {n} tokens; this model takes {limit}.").format(
                n=len(prompt), limit=loaded.context_length
            ),
            hint=_("Shorten the conversation, or start a new one."),
        )
    reader = reader or PromptReader(loaded)
    with torch.inference_mode():
        answer = _Answer(loaded, request, parent, prompt, reader, begun)
        finished = answer.run(min(request.max_new_tokens, room))
        reader.settle()
    return finished


class _Answer:
    """One answer in the making."""

    def __init__(
        self,
        loaded: LoadedModel,
        request: TurnRequest,
        parent: Parent,
        prompt: list[int],
        reader: PromptReader,
        begun: float,
    ) -> None:
        self._loaded = loaded
        self._request = request
        self._parent = parent
        self._prompt = prompt
        self._reader = reader
        self._forward = reader.begin(request, prompt)
        self._cached = len(self._forward.kv_cache.ids)
        self._sampler = Sampler(request.sampling, prompt)
        opened = opened_by(prompt, loaded.think_tags)
        self._splitter = ThinkingSplitter(
            loaded.tokenizer,
            loaded.think_tags,
            opened=opened,
            resumed=_resumes_text(request, opened=opened),
        )
        graphs = loaded.graphs
        self._decoder = graphs.open(self._forward) if graphs is not None else None
        self._stops = StopTexts(request.sampling.stop)
        self._teller = Teller(parent.tell, self._stops)
        self._loops = LoopGuard() if request.loop_guard else None
        self._detail: FinishDetail = ""
        self._n_generated = 0
        self._begun = begun
        self._read_at: float | None = None
        self._first_at: float | None = None
        self._thought_at: float | None = None

    def run(self, limit: int) -> Finished:
        """Read the prompt and draw at most `limit` tokens."""
        try:
            logits = self._read_prompt()
            reason: FinishReason = "cancelled"
            if logits is not None:
                with self._forward.decoding():
                    reason = self._decode(logits, limit)
                if self._decoder is not None:
                    self._decoder.settle()
        finally:  # what was made before a failure is told, too
            self._teller.finish(self._splitter.finish())
        return Finished(
            reason,
            self._usage(),
            thinking_cut=self._splitter.is_thinking,
            seed=self._sampler.seed,
            detail=self._detail,
        )

    def _read_prompt(self) -> Tensor | None:
        """Return the logits after the prompt, or None when cancelled."""
        progress = PromptProgress(self._parent.tell, len(self._prompt), self._cached)

        def watch(done: int) -> bool:
            progress.pass_by(done)
            return self._parent.is_cancelled()

        logits: Tensor | None = None
        points = self._reader.lasting_points(self._request, self._prompt)
        chunks = self._reader.read(self._forward, self._prompt, points, watch)
        for done, after in chunks:
            progress.reach(done)
            logits = after
        if len(self._forward.kv_cache.ids) < len(self._prompt):
            return None
        self._read_at = time.monotonic()
        return logits

    def _decode(self, logits: Tensor, limit: int) -> FinishReason:
        while self._n_generated < limit:
            token_id = self._sampler.draw(logits)
            self._n_generated += 1
            self._first_at = self._first_at or time.monotonic()
            if token_id in self._loaded.stop_ids:
                return "stop"
            self._take(token_id)
            if self._stops.found:
                self._detail = "stop_text"
                return "stop"
            if self._parent.is_cancelled():
                return "cancelled"
            if self._loops is not None and self._loops.push(token_id):
                self._detail = "loop"
                return "length"
            forced = self._end_of_thinking(limit - self._n_generated)
            self._sampler.skip(forced)
            for forced_id in forced:
                self._n_generated += 1
                self._take(forced_id)
            if self._n_generated < limit:
                logits = (self._decoder or self._forward).feed([token_id, *forced])
        return "length"

    def _take(self, token_id: int) -> None:
        was_thinking = self._splitter.is_thinking
        pieces = self._splitter.push(token_id)
        if was_thinking and not self._splitter.is_thinking:
            self._thought_at = time.monotonic()
        self._teller.take(pieces)

    def _end_of_thinking(self, room: int) -> list[int]:
        """Return the tokens that end thinking, where it must end now."""
        tags = self._loaded.think_tags
        if tags is None or not self._splitter.is_thinking:
            return []
        budget = self._request.thinking_budget
        spent = budget is not None and self._splitter.thinking_tokens >= budget
        if not spent and not self._parent.wants_answer():
            return []
        encode = self._loaded.prompts.encode_text
        ids = [*encode(_EARLY_STOP), tags.close_id, *encode(_AFTER_THINKING)]
        return ids if len(ids) < room else []

    def _usage(self) -> Usage:
        now = time.monotonic()
        read_at = now if self._read_at is None else self._read_at
        thinking_tokens = self._splitter.thinking_tokens
        thought_at = self._thought_at or (now if thinking_tokens else read_at)
        return Usage(
            prompt_tokens=len(self._prompt),
            cached_tokens=self._cached,
            thinking_tokens=thinking_tokens,
            answer_tokens=self._n_generated - thinking_tokens,
            prefill_s=read_at - self._begun,
            decode_s=now - read_at,
            thinking_s=thought_at - read_at,
            first_token_s=(self._first_at or self._begun) - self._begun,
        )


def _resumes_text(request: TurnRequest, *, opened: bool) -> bool:
    if not request.continue_last:
        return False
    last = request.messages[-1]
    return bool(last.content or (opened and last.thinking))
