"""The backend that owns an engine process on this machine."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path

from qwen_tui import wire
from qwen_tui.backends.engine_child import ENDS, Engine, Job, cancelled
from qwen_tui.backends.engine_seat import EngineOwner, EngineSeat
from qwen_tui.backends.measures import Measures
from qwen_tui.backends.prepared import Prepare
from qwen_tui.chat.backend import ModelSource, TurnRequest
from qwen_tui.chat.events import (
    Failed,
    Finished,
    Loaded,
    LoadProgress,
    StreamEvent,
    Usage,
)
from qwen_tui.chat.ledger import PromptTokens
from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import _
from qwen_tui.wire_engine import LoadOptions

CANCEL_GRACE_S = 3.0
"""How long an engine may take to end a turn before it is killed."""
LOAD_CANCEL_GRACE_S = 1.0
"""The same while it loads: nothing is lost by killing it."""


class LocalBackend:
    """Loads one model in an engine process and answers turns with it.

    Attributes:
        source: The model.
        options: How the next load is done.
        loaded: What is loaded; None until then and after the engine's death.
        notice: What a person should know of the last stop; empty where it went well.
        on_idle_death: Called when the engine ends by itself while nothing runs.
    """

    def __init__(
        self,
        source: ModelSource,
        options: LoadOptions,
        *,
        log_dir: Path,
        environ: Mapping[str, str] | None = None,
        module: str = "qwen_tui.engine",
        prepare: Prepare | None = None,
    ) -> None:
        """Load nothing yet.

        Args:
            source: The model.
            options: How it is to be loaded.
            log_dir: Where the engine's stderr goes.
            environ: The engine's environment; None takes ours.
            module: What is started.
            prepare: Fits the options to the machine before each load and tells what
                it will take; runs in a thread. Raises QwenTuiError.
        """
        self.source = source
        self.options = options
        self.loaded: Loaded | None = None
        self.notice = ""
        self.on_idle_death: Callable[[Failed], None] | None = None
        self._is_closing = False
        self._prepare = prepare
        self._seat = EngineSeat(
            EngineOwner(self._hear, self._tell_death, self._forget),
            module=module,
            environ=environ,
            log_file=log_dir / "engine.log",
        )
        self._job: Job | None = None
        self._last_id = 0
        self._measures = Measures()

    @property
    def pids(self) -> list[int]:
        """The engine processes that are not gone yet."""
        return self._seat.pids

    def load(self) -> AsyncIterator[StreamEvent]:
        """Load the model; the last event is `Loaded` or `Failed`."""
        return self._run(None)

    def stream(self, request: TurnRequest) -> AsyncIterator[StreamEvent]:
        """Answer one turn, loading first where needed; ends `Finished` or `Failed`."""
        return self._run(request)

    async def warm(self, request: TurnRequest) -> None:
        """Let an idle engine read a history; whatever is asked next interrupts it."""
        if self._job is None and self.loaded is not None:
            self._last_id += 1
            await self._seat.send(wire.Warm(self._last_id, request))

    async def measure(self, request: TurnRequest) -> PromptTokens | None:
        """Count the tokens of a prompt; while a turn runs, after it has ended."""
        if self._seat.engine is None or self.loaded is None:
            return None
        self._last_id += 1
        measure = wire.Measure(self._last_id, request)
        self._measures.expect(measure.id)
        await self._seat.send(measure)
        return await self._measures.wait(measure.id)

    async def cancel(self) -> None:
        """End the running load or turn: ask, wait, and kill an engine that is deaf."""
        job, engine = self._job, self._seat.engine
        if job is None:
            self._measures.give_up()
            return
        job.is_cancelled = True
        if engine is not None and not engine.ready.is_set():
            self._lose(engine, cancelled())  # it imports torch and hears nothing
        elif job.request_id:
            await self._end_request(job)

    async def answer_now(self) -> None:
        """End the thinking of the running turn."""
        job = self._job
        if job is not None and job.request_id and not job.is_loading:
            await self._seat.send(wire.AnswerNow(job.request_id))

    async def close(self) -> None:
        """End the engine; what runs ends as cancelled. May be loaded again later."""
        self._is_closing = True
        if self._job is not None:
            self._job.is_cancelled = True
        await self._seat.close()
        self._is_closing = False

    def kill(self) -> None:
        """End the engine now; safe in a signal handler."""
        if self._job is not None:
            self._job.is_cancelled = True
        self._seat.kill()

    async def _run(self, request: TurnRequest | None) -> AsyncIterator[StreamEvent]:
        """Do a load (None) or a turn."""
        if self._job is not None:
            raise RuntimeError("one load or turn at a time")
        job = self._job = Job()
        self.notice = ""
        try:
            for step in self._steps(job, request):
                async with contextlib.aclosing(step) as events:
                    async for event in events:
                        failed = isinstance(event, Failed)
                        if failed and event.code == "cancelled" and request:
                            yield Finished("cancelled", Usage())
                        else:
                            yield event
                        if failed:
                            return
        finally:
            await self._end(job)

    def _steps(
        self, job: Job, request: TurnRequest | None
    ) -> list[AsyncGenerator[StreamEvent, None]]:
        """Return what is done one after the other, as long as none fails."""
        steps: list[AsyncGenerator[StreamEvent, None]] = []
        if request is None or self.loaded is None:
            self.loaded = None
            steps = [self._connect(job), self._load(job)]
        if request is not None:
            steps.append(self._exchange(job, wire.Generate(0, request)))
        return steps

    async def _end(self, job: Job) -> None:
        """Let go of a job; one that was closed early is cancelled first."""
        try:
            if job.request_id and not job.over.is_set():
                job.is_cancelled = True
                await self._end_request(job)
        except asyncio.CancelledError:
            if self._seat.engine is not None and not job.over.is_set():
                self._lose(self._seat.engine, cancelled())
            raise
        finally:
            self._job = None

    async def _connect(self, job: Job) -> AsyncGenerator[StreamEvent, None]:
        """Have an engine that said hello; yields `Failed` where none can be had."""
        yield LoadProgress("import", 0.0)
        engine = self._seat.engine
        if engine is None:
            try:
                engine = await self._seat.start()
            except OSError as error:
                yield Failed(
                    "engine_start",
                    _("The engine cannot be started: {reason}").format(reason=error),
                )
                return
            if job.is_cancelled:
                self._lose(engine, cancelled())
        await engine.ready.wait()
        if self._seat.engine is not engine:
            yield await job.events.get()  # how it was lost
        elif engine.protocol != wire.PROTOCOL:
            self._lose(engine, cancelled())
            yield Failed(
                "engine_protocol",
                _("The engine is of another version than this program."),
                _("qwen-tui was updated while it ran: start it again."),
            )

    async def _load(self, job: Job) -> AsyncGenerator[StreamEvent, None]:
        """Fit the options to the machine, and have the engine load."""
        options = self.options
        if self._prepare is not None:
            try:
                prepared = await asyncio.to_thread(self._prepare, self.source, options)
            except QwenTuiError as error:
                yield Failed(error.code, error.message, error.hint)
                return
            options = prepared.options
            yield prepared.estimate
        load = wire.Load(0, self.source, options)
        async with contextlib.aclosing(self._exchange(job, load)) as events:
            async for event in events:
                yield event

    async def _exchange(
        self, job: Job, message: wire.Load | wire.Generate
    ) -> AsyncGenerator[StreamEvent, None]:
        """Send a request and yield its events, the last one included."""
        if job.is_cancelled:
            yield cancelled()
            return
        job.is_loading = isinstance(message, wire.Load)
        if self._seat.engine is not None:
            self._last_id += 1
            job.request_id = self._last_id
            job.over.clear()
            await self._seat.send(replace(message, id=job.request_id))
        event: StreamEvent | None = None
        while not isinstance(event, ENDS):
            event = await job.events.get()
            yield event

    async def _end_request(self, job: Job) -> None:
        """Ask the engine to end a request, and kill it when it does not."""
        engine = self._seat.engine
        if engine is None or job.over.is_set():
            return
        grace_s = LOAD_CANCEL_GRACE_S if job.is_loading else CANCEL_GRACE_S
        try:
            async with asyncio.timeout(grace_s):
                await self._seat.send(wire.Cancel(job.request_id))
                await job.over.wait()
        except TimeoutError:
            if not job.is_loading:
                self.notice = _(
                    "The engine did not stop within {seconds} s and was ended. "
                    "The next message loads the model again."
                ).format(seconds=round(grace_s))
            self._lose(engine, cancelled())

    def _hear(self, message: wire.Message) -> None:
        if not isinstance(message, wire.Event | wire.Measured):
            return
        if self._measures.hear(message) or isinstance(message, wire.Measured):
            return
        job, event = self._job, message.event
        if job is None or message.id != job.request_id:
            return  # late: of a request that was given up
        if isinstance(event, Loaded):
            self.loaded = event
        job.events.put_nowait(event)
        if isinstance(event, ENDS):
            job.over.set()

    def _tell_death(self, engine: Engine) -> None:
        stopped = self._job is not None and self._job.is_cancelled
        self._tell_loss(cancelled() if stopped else engine.death())

    def _forget(self) -> None:
        """Know that no engine has a model any more."""
        self.loaded = None
        self._measures.give_up()

    def _lose(self, engine: Engine, why: Failed) -> None:
        """Give an engine up; the running job ends with `why`."""
        if self._seat.lose(engine):
            self._tell_loss(why)

    def _tell_loss(self, why: Failed) -> None:
        if self._job is not None:
            self._job.events.put_nowait(why)
            self._job.over.set()
        elif self.on_idle_death is not None and not self._is_closing:
            self.on_idle_death(why)
