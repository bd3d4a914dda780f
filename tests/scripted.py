"""A backend that answers from a script, for tests of everything above backends."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field

from qwen_tui.chat.backend import ModelSource, TurnRequest
from qwen_tui.chat.events import (
    AnswerDelta,
    Failed,
    Finished,
    Loaded,
    LoadProgress,
    PrefillProgress,
    StreamEvent,
    ThinkingDelta,
    Usage,
)
from qwen_tui.chat.ledger import MessageTokens, PromptTokens

LOADED = Loaded(
    model="scripted",
    device="cpu",
    dtype="bfloat16",
    context_length=4096,
    memory_bytes=2_000_000,
    revision="0123abc",
    attention="sdpa",
    versions={"torch": "2.13.0"},
)
SOURCE = ModelSource(name="scripted", path="/nowhere", kind="folder")


@dataclass(frozen=True)
class Hang:
    """Say nothing more until the turn is cancelled or closed."""


@dataclass(frozen=True)
class Pause:
    """Wait, as slow tokens do."""

    seconds: float


@dataclass
class Gate:
    """Wait until the test calls `open()`; `reached` tells that the turn is here."""

    reached: bool = False
    _opened: asyncio.Event = field(default_factory=asyncio.Event)

    def open(self) -> None:
        self._opened.set()

    async def wait(self) -> None:
        self.reached = True
        await self._opened.wait()


Step = StreamEvent | Hang | Pause | Gate | BaseException
"""An exception is raised where it stands."""


def says(
    answer: str, *, thinking: str = "", usage: Usage | None = None
) -> list[StreamEvent]:
    """Return the events of a whole turn, a delta for each word."""
    thoughts = [ThinkingDelta(word) for word in _words(thinking)]
    answers = [AnswerDelta(word) for word in _words(answer)]
    counted = usage or Usage(
        prompt_tokens=10,
        thinking_tokens=len(thoughts),
        answer_tokens=len(answers),
        prefill_s=0.5,
        decode_s=1.0,
    )
    return [
        PrefillProgress(done=10, total=10, cached=0),
        *thoughts,
        *answers,
        Finished("stop", counted, seed=7),
    ]


def _words(text: str) -> list[str]:
    return [word + " " for word in text.split(" ")[:-1]] + text.split(" ")[-1:]


class ScriptedBackend:
    """Satisfies `chat.backend.Backend`; each turn plays the next script.

    Past the last script every turn answers "ok". Where `loaded` is None the
    load script plays first, as in a real backend. What was asked stands in
    `requests`, `warmed`, `n_cancels`, `n_answer_now`, `n_closed_early`, `closed`.
    """

    def __init__(
        self,
        *scripts: Sequence[Step],
        loaded: Loaded | None = LOADED,
        load_script: Sequence[Step] = (LoadProgress("weights", 0.5), LOADED),
    ) -> None:
        self.source = SOURCE
        self.scripts = list(scripts)
        self.loaded = loaded
        self.load_script = load_script
        self.requests: list[TurnRequest] = []
        self.warmed: list[TurnRequest] = []
        self.n_cancels = 0
        self.n_answer_now = 0
        self.n_closed_early = 0
        self.closed = False
        self.measures = True
        self._cancelled: asyncio.Event | None = None

    async def load(self) -> AsyncIterator[StreamEvent]:
        ends = Failed("cancelled", "stopped")
        async with contextlib.aclosing(self._play(self.load_script, ends)) as events:
            async for event in events:
                if isinstance(event, Loaded):
                    self.loaded = event
                yield event

    async def stream(self, request: TurnRequest) -> AsyncIterator[StreamEvent]:
        self.requests.append(request)
        default: list[Step] = [*says("ok")]
        script = self.scripts.pop(0) if self.scripts else default
        if self.loaded is None:
            script = [*self.load_script, *script]
        ended = False
        ends = Finished("cancelled", Usage())
        try:
            async with contextlib.aclosing(self._play(script, ends)) as events:
                async for event in events:
                    if isinstance(event, Loaded):
                        self.loaded = event
                    ended = isinstance(event, Finished | Failed)
                    yield event
        finally:
            if not ended:
                self.n_closed_early += 1

    async def warm(self, request: TurnRequest) -> None:
        self.warmed.append(request)

    async def _play(
        self, script: Sequence[Step], cancelled: StreamEvent
    ) -> AsyncGenerator[StreamEvent, None]:
        stop = self._cancelled = asyncio.Event()
        try:
            for step in script:
                if isinstance(step, BaseException):
                    raise step
                if isinstance(step, Hang | Pause | Gate):
                    await _wait(step, stop)
                if stop.is_set():
                    yield cancelled
                    return
                if not isinstance(step, Hang | Pause | Gate):
                    yield step
                    # as tokens do: one step of the event loop between any two
                    await asyncio.sleep(0)
        finally:
            self._cancelled = None

    async def cancel(self) -> None:
        self.n_cancels += 1
        if self._cancelled is not None:
            self._cancelled.set()

    async def measure(self, request: TurnRequest) -> PromptTokens | None:
        """Count a token for each word, four around a message, three to begin."""
        if self.loaded is None or not self.measures:
            return None
        counts = [4 + len(message.content.split()) for message in request.messages]
        return PromptTokens(tuple(map(MessageTokens, counts)), 0, 3)

    async def answer_now(self) -> None:
        self.n_answer_now += 1

    async def close(self) -> None:
        self.closed = True
        self.loaded = None
        if self._cancelled is not None:
            self._cancelled.set()

    def kill(self) -> None:
        self.closed = True


async def _wait(step: Hang | Pause | Gate, stop: asyncio.Event) -> None:
    """Wait as `step` says, or until `stop` is set."""
    if isinstance(step, Gate):
        waits = [asyncio.create_task(step.wait()), asyncio.create_task(stop.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waits:
                task.cancel()
        return
    seconds = step.seconds if isinstance(step, Pause) else None
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
