"""The one place that speaks HTTP to a server: waiting times, refusals, the key.

httpx2 is used as it is, not through huggingface_hub's AsyncInferenceClient: that one
follows redirects with the key, sets no limit to a line, has one time limit for all,
and imports for a second what a chat does not need. No redirect is followed here, and
no proxy stands between this program and a server of the same machine.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from qwen_tui import __version__
from qwen_tui.backends.remote_faults import (
    FieldRefused,
    bad_reply,
    not_openai,
    redirected,
    refusal,
    timed_out,
    told_by,
    unreachable,
)
from qwen_tui.backends.remote_server import Server, ServerOptions, find_key
from qwen_tui.errors import ServerError

if TYPE_CHECKING:
    import httpx2

_LONGEST_JSON = 16 * 1024 * 1024
_LONGEST_REFUSAL = 64 * 1024
_ASK_TIMEOUT_S = 20.0  # for what a server answers without computing
_MANY_BYTES = 32 * 1024  # JSON of this size is read outside the event loop


class ServerHttp:
    """Requests to one server, with its key and to nobody else."""

    def __init__(
        self,
        server: Server,
        options: ServerOptions,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.server = server
        self.options = options
        self._environ = environ
        self._key = ""
        self._http: httpx2.AsyncClient | None = None

    async def close(self) -> None:
        """Close all connections; the next request opens one again."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    def redact(self, text: str) -> str:
        """Return a text of the server without the key, which it may repeat."""
        return text.replace(self._key, "…") if self._key else text

    async def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON value at a path below the server's address.

        Raises:
            ServerError: it is not there, refuses, or sends something else.
        """
        async with self._ask("GET", path, None, _ASK_TIMEOUT_S) as response:
            return await self._json(response)

    async def post(self, path: str, body: object, timeout_s: float) -> Any:  # noqa: ANN401 - JSON
        """Send a JSON value and return the one that comes back; raises as `get`."""
        async with self._ask("POST", path, body, timeout_s) as response:
            return await self._json(response)

    @asynccontextmanager
    async def stream(self, path: str, body: object) -> AsyncGenerator["ByteStream"]:
        """Send a JSON value and give the reply's bytes as they come.

        Raises:
            FieldRefused: the server takes the request not as it is (400, 422).
            ServerError: as `get`; while reading, that it was cut.
        """
        timeout_s = self.options.first_token_timeout_s
        async with self._ask("POST", path, body, timeout_s) as response:
            if _is_page(response):
                raise not_openai(self.server)
            yield ByteStream(self.server, response)

    @asynccontextmanager
    async def _ask(
        self, method: str, path: str, body: object, timeout_s: float
    ) -> AsyncGenerator["httpx2.Response"]:
        response = await self._send(method, path, body, timeout_s)
        try:
            if response.status_code != HTTPStatus.OK:
                raise await self._refusal(response)
            yield response
        finally:
            await response.aclose()

    async def _send(
        self, method: str, path: str, body: object, timeout_s: float
    ) -> "httpx2.Response":
        """Send a request; once more where a connection that was kept had died."""
        http = await self._client()
        import httpx2

        content = None if body is None else json.dumps(body).encode()
        request = http.build_request(method, self.server.url + path, content=content)
        try:
            async with asyncio.timeout(timeout_s):
                try:
                    return await http.send(request, stream=True)
                except (httpx2.RemoteProtocolError, httpx2.ReadError):
                    return await http.send(request, stream=True)
        except httpx2.ConnectTimeout as error:
            limit_s = self.options.connect_timeout_s
            raise timed_out(self.server, limit_s) from error
        except TimeoutError as error:
            raise timed_out(self.server, timeout_s) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise unreachable(self.server, error) from error

    async def _refusal(self, response: "httpx2.Response") -> ServerError:
        if response.has_redirect_location:
            target = urljoin(str(response.url), response.headers["location"])
            return redirected(self.server, target)
        raw = await self._body(response, _LONGEST_REFUSAL)
        told = self.redact(told_by(self.redact(raw.decode("utf-8", "replace"))))
        status = response.status_code
        fault = refusal(self.server, status, told, has_key=bool(self._key))
        if status not in (400, 422) or fault.code != "server_refused":
            return fault
        refused = FieldRefused(fault.message, hint=fault.hint)
        refused.told = told
        return refused

    async def _json(self, response: "httpx2.Response") -> Any:  # noqa: ANN401 - JSON
        raw = await self._body(response, _LONGEST_JSON)
        try:
            if len(raw) > _MANY_BYTES:
                return await asyncio.to_thread(json.loads, raw)
            return json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise not_openai(self.server) from error

    async def _body(self, response: "httpx2.Response", most: int) -> bytes:
        """Return a body, no more than `most` bytes of it."""
        body = bytearray()
        try:
            async with asyncio.timeout(_ASK_TIMEOUT_S):
                async for chunk in ByteStream(self.server, response).chunks():
                    body += chunk
                    if len(body) > most:
                        break
        except TimeoutError as error:
            raise timed_out(self.server, _ASK_TIMEOUT_S) from error
        return bytes(body[:most])

    async def _client(self) -> "httpx2.AsyncClient":
        """Make the client in a thread: its import and the certificates take long."""
        if self._http is None:
            self._http = await asyncio.to_thread(self._make_client)
        return self._http

    def _make_client(self) -> "httpx2.AsyncClient":
        import httpx2

        self._key = find_key(self.server, self._environ)
        headers = {
            "Accept": "text/event-stream, application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": f"qwen-tui/{__version__}",
        }
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        timeout = httpx2.Timeout(None, connect=self.options.connect_timeout_s)
        try:
            return httpx2.AsyncClient(
                headers=headers,
                timeout=timeout,
                follow_redirects=False,
                trust_env=not self.server.is_loopback,
                verify=httpx2.create_ssl_context(),
            )
        except (ImportError, ValueError, OSError, httpx2.InvalidURL) as error:
            raise unreachable(self.server, error) from error  # a proxy's or SSL's name


class ByteStream:
    """The bytes of a reply; a broken connection is told as a `ServerError`."""

    def __init__(self, server: Server, response: "httpx2.Response") -> None:
        self._server = server
        self._response = response

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield them; raises ServerError."""
        import httpx2

        try:
            async for chunk in self._response.aiter_bytes():
                yield chunk
        except httpx2.DecodingError as error:
            raise bad_reply(self._server, str(error)) from error
        except (httpx2.HTTPError, OSError) as error:
            raise unreachable(self._server, error) from error


def _is_page(response: "httpx2.Response") -> bool:
    return response.headers.get("content-type", "").startswith("text/html")
