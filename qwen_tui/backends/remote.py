"""The backend that asks a server which speaks the OpenAI protocol.

Nothing of a conversation stays at the server that it did not keep by itself: each
turn sends the whole prompt, and servers find what they have read by its beginning.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace

from qwen_tui.backends.remote_choice import server_ref
from qwen_tui.backends.remote_faults import RETRYABLE
from qwen_tui.backends.remote_http import ServerHttp
from qwen_tui.backends.remote_look import ServerLook, look_at
from qwen_tui.backends.remote_server import Server, ServerOptions
from qwen_tui.backends.remote_turn import RemoteTurn, Talk
from qwen_tui.chat.backend import TurnRequest
from qwen_tui.chat.events import (
    Failed,
    Finished,
    Loaded,
    LoadProgress,
    StreamEvent,
    Usage,
)
from qwen_tui.chat.ledger import PromptTokens
from qwen_tui.errors import QwenTuiError, ServerError
from qwen_tui.i18n import _

_READ_AHEAD = 256  # events; a server that sends faster than they are shown has to wait
_BACK_OFF_S = 0.5


class Job:
    """A connection or a turn, from the first event of its stream to the last."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[StreamEvent | BaseException] = asyncio.Queue(
            _READ_AHEAD
        )
        self.task: asyncio.Task[None] | None = None
        self.turn: RemoteTurn | None = None
        self.is_cancelled = False


class RemoteBackend:
    """Answers turns with a model of a server.

    Attributes:
        server: Where it is.
        loaded: What answers, once the server was asked what it is.
        look: What the server told of itself then.
        on_loaded: Told the model's name once it is known.
        notice: Always empty: nothing has to be killed.
    """

    def __init__(
        self,
        server: Server,
        options: ServerOptions | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        thinking_kind: Callable[[str], str] | None = None,
    ) -> None:
        """Ask nothing yet.

        Args:
            server: Where it is, and its model.
            options: Waiting times and retries.
            environ: Where its key is; None takes ours.
            thinking_kind: How a model thinks, by its name: "switch", "always" or
                "never"; None says "switch" of each.
        """
        self.server = server
        self.loaded: Loaded | None = None
        self.look: ServerLook | None = None
        self.notice = ""
        self.on_loaded: Callable[[str], None] | None = None
        self._options = options or ServerOptions()
        self._http = ServerHttp(server, self._options, environ)
        self._thinking_kind = thinking_kind or _is_switched
        self._talk: Talk | None = None
        self._job: Job | None = None

    @property
    def model(self) -> str:
        """The model's own name; empty while it is not known."""
        return self._talk.model if self._talk is not None else self.server.model

    def load(self) -> AsyncIterator[StreamEvent]:
        """Find out what the server is; the last event is `Loaded` or `Failed`."""
        return self._run(None)

    def stream(self, request: TurnRequest) -> AsyncIterator[StreamEvent]:
        """Answer one turn; ends `Finished` or `Failed`."""
        return self._run(request)

    async def warm(self, request: TurnRequest) -> None:
        """Do nothing: a server has others to serve, and keeps what it has read."""

    async def measure(self, request: TurnRequest) -> PromptTokens | None:
        """Count the tokens of a prompt, or estimate them; None before `load`."""
        return await self._talk.count.measure(request) if self._talk else None

    async def cancel(self) -> None:
        """End the running load or turn by closing its connection."""
        job = self._job
        if job is not None and job.task is not None:
            job.is_cancelled = True
            job.task.cancel()

    async def answer_now(self) -> None:
        """End the thinking where the server can, else tell that it cannot."""
        if self._job is not None and self._job.turn is not None:
            await self._job.turn.answer_now()

    async def close(self) -> None:
        """Close all connections; what runs ends as cancelled."""
        await self.cancel()
        self.loaded = self._talk = None
        await self._http.close()

    async def _run(self, request: TurnRequest | None) -> AsyncIterator[StreamEvent]:
        """Yield the events of a load (None) or a turn as a task brings them.

        A task of its own reads, so that `cancel` ends it wherever it waits.
        """
        if self._job is not None:
            raise RuntimeError("one load or turn at a time")
        job = self._job = Job()
        job.task = asyncio.create_task(self._work(job, request))
        try:
            while True:
                event = await job.events.get()
                if isinstance(event, BaseException):
                    raise event
                yield event
                is_load_over = request is None and isinstance(event, Loaded)
                if is_load_over or isinstance(event, Finished | Failed):
                    return
        finally:
            job.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await job.task
            self._job = None

    async def _work(self, job: Job, request: TurnRequest | None) -> None:
        put = job.events.put
        try:
            if request is None or self._talk is None:
                await put(LoadProgress("connect", 0.0))
                self.loaded = await self._connect()
                await put(self.loaded)
            if request is not None:
                await self._answer(job, request)
        except asyncio.CancelledError:
            if not job.is_cancelled:
                raise
            usage = job.turn.usage() if job.turn is not None else Usage()
            is_turn = request is not None
            await put(Finished("cancelled", usage) if is_turn else _cancelled())
        except QwenTuiError as error:
            await put(Failed(error.code, error.message, error.hint))
        except Exception as error:  # noqa: BLE001 - a bug: raised where it is listened to
            await put(error)

    async def _connect(self) -> Loaded:
        """Ask the server what it is, and choose its model."""
        self.loaded = self._talk = None
        look = self.look = await look_at(self._http)
        model = look.choose(self._http, self.server.model)
        kind = self._thinking_kind(model.name)
        self._talk = Talk(self._http, look.dialect, model.name, kind)
        self._talk.context_length = model.context_length
        if self.on_loaded is not None:
            self.on_loaded(model.name)
        label = look.dialect.label or _("server")
        name = model.name or label
        return Loaded(
            model=self._shown(name),
            device=label,
            dtype="",
            context_length=model.context_length,
            memory_bytes=0,
            thinking=kind,
            ref=server_ref(self.server, model.name),
            own_context_length=model.context_length,
            versions={label: look.version} if look.version else {},
        )

    async def _answer(self, job: Job, request: TurnRequest) -> None:
        """Bring one answer; try again as long as no token of it has come."""
        talk = self._talk
        assert talk is not None
        for n_failed in range(self._options.retries + 1):
            turn = job.turn = RemoteTurn(talk, request, job.events.put)
            try:
                await turn.run()
            except ServerError as error:
                is_last = n_failed == self._options.retries
                if turn.has_begun or is_last or error.code not in RETRYABLE:
                    raise
                await asyncio.sleep(_BACK_OFF_S * 2**n_failed)
            else:
                await self._learn(job, turn.model)
                await job.events.put(turn.end)
                return

    def _shown(self, model: str) -> str:
        """Return what a person calls a model here; of a path its last part."""
        name = model.rpartition("/")[2] if model.startswith("/") else model
        return f"{name} @ {self.server.label}"

    async def _learn(self, job: Job, model: str) -> None:
        """Take what a server tells only once its model runs: its name, its limit."""
        assert self.loaded is not None
        assert self._talk is not None
        name = self._talk.model or model
        known = replace(self.loaded, context_length=self._talk.context_length)
        if name:
            known = replace(known, model=self._shown(name))
        if known != self.loaded:
            self.loaded = known
            await job.events.put(known)


def _is_switched(_model: str) -> str:
    return "switch"


def _cancelled() -> Failed:
    return Failed("cancelled", _("Connecting was stopped."))
