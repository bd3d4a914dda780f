"""One turn at a server: the request, its stream, and what may be said to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from qwen_tui.backends.remote_body import TurnBody, turn_body
from qwen_tui.backends.remote_count import TokenCount
from qwen_tui.backends.remote_dialects import Dialect
from qwen_tui.backends.remote_faults import (
    FieldRefused,
    bad_reply,
    cut,
    silent,
    timed_out,
)
from qwen_tui.backends.remote_http import ByteStream, ServerHttp
from qwen_tui.backends.remote_lines import EventLines, LineTooLong, Payload
from qwen_tui.backends.remote_look import ServerModel, with_running_context
from qwen_tui.backends.remote_reading import Reading
from qwen_tui.chat.backend import TurnRequest
from qwen_tui.chat.events import (
    Finished,
    NotPassed,
    PrefillProgress,
    StreamEvent,
    ThinkingDelta,
    Usage,
)
from qwen_tui.errors import ServerError
from qwen_tui.i18n import _

_CONTROL_TIMEOUT_S = 5.0
_MOST_REFUSALS = 3

Put = Callable[[StreamEvent], Awaitable[None]]


class Talk:
    """What is known of a server and its model from turn to turn.

    Attributes:
        context_length: Tokens; 0 where nobody knows.
        opens_thinking: The template of the model was seen to begin its thinking.
        told: Names of options that a person was told have no effect.
        refused: Fields of requests that the server did not take.
    """

    def __init__(
        self, http: ServerHttp, dialect: Dialect, model: str, thinking_kind: str
    ) -> None:
        self.http = http
        self.dialect = dialect
        self.model = model
        self.count = TokenCount(http, dialect, model)
        self.context_length = 0
        self.always_thinks = thinking_kind == "always"
        self.opens_thinking = False
        self.told: set[str] = set()
        self.refused: set[str] = set()

    async def learn(self, request: TurnRequest, usage: Usage) -> None:
        """Take what an answered turn tells of the server."""
        self.count.learn(request, usage.prompt_tokens)
        if self.dialect.kind == "ollama" and not self.context_length:
            models = (ServerModel(self.model),)
            (model,) = await with_running_context(self.http, models)
            self.context_length = model.context_length


class RemoteTurn:
    """One try of one turn.

    Attributes:
        end: The last event, once `run` has returned.
    """

    def __init__(self, talk: Talk, request: TurnRequest, put: Put) -> None:
        self.end = Finished("cancelled", Usage())
        self._talk = talk
        self._request = request
        self._put = put
        self._reading = self._new_reading()
        self._first_token_until = 0.0
        self._was_told_to_answer = False

    @property
    def has_begun(self) -> bool:
        """Whether a token of the answer came."""
        return self._reading.has_begun

    @property
    def model(self) -> str:
        """What the server calls the model that answers; empty where it does not say."""
        return self._reading.model

    def usage(self) -> Usage:
        """Return what it cost so far."""
        return self._reading.usage() if self.has_begun else Usage()

    async def run(self) -> None:
        """Bring the events of the answer, all but the last.

        Raises:
            ServerError: it failed; what came of it was brought.
        """
        body = self._body()
        for n_refused in range(_MOST_REFUSALS):
            body.drop(self._talk.refused)
            try:
                await self._exchange(body)
            except FieldRefused as error:
                is_unknown = self._talk.dialect.kind == "openai"
                refused = body.refused(error.told, any_of_it=is_unknown)
                if not refused or n_refused + 1 == _MOST_REFUSALS:
                    raise
                self._talk.refused |= refused
            except ServerError as error:
                error.hint = f"{error.hint} {self._way_on}".strip()
                raise
            else:
                break
        await self._talk.learn(self._request, self.end.usage)

    @property
    def _way_on(self) -> str:
        """What becomes of an answer that failed after it had begun."""
        if not self.has_begun:
            return ""
        if self._talk.dialect.goes_on and self._reading.has_answer:
            return _("What came so far is kept; /continue goes on with it.")
        return _("What came so far is kept.")

    async def answer_now(self) -> None:
        """End the thinking where the server can, else tell that it cannot."""
        talk = self._talk
        if talk.dialect.budget == "control" and self._reading.completion_id:
            await self._end_thinking()
        else:
            await self._put(NotPassed(("answer_now",), talk.http.server.label))

    def _new_reading(self) -> Reading:
        request, talk = self._request, self._talk
        is_raw = request.thinking and not request.continue_last
        return Reading(
            talk.http.server,
            opened=is_raw and (talk.always_thinks or talk.opens_thinking),
            may_open=is_raw,
            loop_guard=request.loop_guard,
            redact=talk.http.redact,
        )

    def _body(self) -> TurnBody:
        talk, request = self._talk, self._request
        return turn_body(
            request,
            talk.dialect,
            talk.model,
            context_length=talk.context_length,
            prompt_tokens=talk.count.best(request).total,
        )

    async def _exchange(self, body: TurnBody) -> None:
        """Send the request and bring what comes, to the end of the stream."""
        reading = self._reading = self._new_reading()
        http = self._talk.http
        now = asyncio.get_running_loop().time()
        self._first_token_until = now + http.options.first_token_timeout_s
        async with http.stream("/v1/chat/completions", body.fields) as stream:
            await self._tell_left_out(body)
            count = self._talk.count.best(self._request)
            if not count.is_estimate:
                await self._put(PrefillProgress(0, count.total, 0))
            await self._read(stream)
        self._talk.opens_thinking |= reading.was_opened
        deltas, self.end = reading.finish()
        for delta in deltas:
            await self._put(delta)

    async def _read(self, stream: ByteStream) -> None:
        lines, reading = EventLines(), self._reading
        async with aclosing(stream.chunks()) as chunks:
            while not reading.is_over:
                chunk = await self._next(chunks)
                try:
                    found = lines.feed(chunk) if chunk is not None else lines.end()
                except LineTooLong as error:
                    server = self._talk.http.server
                    raise bad_reply(server, _("a line without an end")) from error
                await self._take(found)
                if chunk is None:
                    return

    async def _next(self, chunks: AsyncIterator[bytes]) -> bytes | None:
        """Return the next bytes, None at the end; not for ever.

        Signs of life do not put off the first token's time.
        """
        server, options = self._talk.http.server, self._talk.http.options
        begun = self.has_begun
        try:
            if not begun:
                async with asyncio.timeout_at(self._first_token_until):
                    return await anext(chunks, None)
            async with asyncio.timeout(options.silence_timeout_s):
                return await anext(chunks, None)
        except TimeoutError as error:
            if begun:
                raise silent(server, options.silence_timeout_s) from error
            raise timed_out(server, options.first_token_timeout_s) from error
        except ServerError as error:
            if begun and error.code == "server_unreachable":
                raise cut(server) from error
            raise

    async def _take(self, payloads: list[Payload]) -> None:
        reading = self._reading
        for payload in payloads:
            for event in reading.take(payload):
                await self._put(event)
                if isinstance(event, ThinkingDelta):
                    await self._keep_budget()
            if reading.is_over:
                return

    async def _keep_budget(self) -> None:
        """End the thinking at its limit where the server sets none itself."""
        budget = self._request.thinking_budget
        if budget is None or self._talk.dialect.budget != "control":
            return
        if self._reading.thinking_tokens >= budget:
            await self._end_thinking()

    async def _end_thinking(self) -> None:
        """Have llama.cpp end the thinking; see its README, "Control a running"."""
        if self._was_told_to_answer or not self._reading.completion_id:
            return
        self._was_told_to_answer = True
        body = {
            "id": self._reading.completion_id,
            "action": "reasoning_end",
            "model": self._talk.model,
        }
        path = "/v1/chat/completions/control"
        try:
            told = await self._talk.http.post(path, body, _CONTROL_TIMEOUT_S)
        except ServerError:
            told = None
        if not (isinstance(told, dict) and told.get("success")):
            server = self._talk.http.server.label
            await self._put(NotPassed(("answer_now",), server))

    async def _tell_left_out(self, body: TurnBody) -> None:
        """Name what has no effect; a person is told once, the answer keeps it."""
        names = tuple(dict.fromkeys(body.left_out))
        if names:
            told = self._talk.told
            is_news = not told.issuperset(names)
            told.update(names)
            server = self._talk.http.server.label
            await self._put(NotPassed(names, server, is_news))
