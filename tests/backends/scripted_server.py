"""A server on loopback that speaks as real ones do, from a script.

As vLLM, SGLang, llama.cpp, Ollama, transformers serve or llama-cpp-python.

    with ScriptedServer("vllm") as server:
        server.says(thinking=["Let me", " see."], answer=["Par", "is"])
        ... talk to server.url ...
        assert server.asked[0]["model"] == "qwen"

What each says is written after its documentation: vLLM, "OpenAI-Compatible Server" and
"Reasoning Outputs"; SGLang, "OpenAI APIs - Completions" and "Reasoning Parser";
llama.cpp, tools/server/README.md; Ollama, docs/openai.md and docs/api.md; the source of
transformers 5.23, cli/serving; llama-cpp-python, "OpenAI Compatible Web Server".
"""

import json
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

MODEL = "qwen"
CONTEXT = 4096
DIALECTS = ("vllm", "sglang", "llamacpp", "ollama", "transformers", "openai")
_OWNERS = {
    "vllm": "vllm",
    "sglang": "sglang",
    "llamacpp": "llamacpp",
    "ollama": "library",
    "transformers": "Qwen",
    "openai": "me",
}
_THINKING_FIELD = {
    "vllm": "reasoning",
    "sglang": "reasoning_content",
    "llamacpp": "reasoning_content",
    "ollama": "reasoning",
    "transformers": "reasoning_content",
    "openai": "",  # raw text with the tags in it
}
_UNKNOWN_TO_TRANSFORMERS = {"top_k", "min_p", "repetition_penalty", "reasoning_effort"}


class Hold:
    """Say nothing more until the client goes away, or `release` is set."""


class Cut:
    """Break the connection in the middle."""


@dataclass(frozen=True)
class Pause:
    """Wait, as slow tokens do."""

    seconds: float


@dataclass(frozen=True)
class Status:
    """Answer with a status and a body instead of a stream."""

    code: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Step = bytes | Hold | Cut | Pause | Status


@dataclass(frozen=True)
class Seen:
    """A request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


def data(value: object) -> bytes:
    """Return one server-sent event."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def delta(**fields: Any) -> bytes:
    """Return a chunk with one delta."""
    return data(chunk([{"index": 0, "delta": fields, "finish_reason": None}]))


def chunk(choices: list[Any], **more: Any) -> dict[str, Any]:
    """Return a chunk of a chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": MODEL,
        "choices": choices,
        **more,
    }


def last(reason: str = "stop", **more: Any) -> bytes:
    """Return the chunk that tells why an answer ended."""
    return data(chunk([{"index": 0, "delta": {}, "finish_reason": reason}], **more))


def usage(prompt: int, new: int, cached: int = 0) -> dict[str, Any]:
    """Return what a turn cost."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": new,
        "total_tokens": prompt + new,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def reply(
    dialect: str,
    thinking: Sequence[str] = (),
    answer: Sequence[str] = ("ok",),
    *,
    reason: str = "stop",
    pause_s: float = 0.0,
) -> list[Step]:
    """Return a whole answer as a kind of server streams it."""
    cost = usage(11, len(thinking) + len(answer), cached=4)
    steps: list[Step] = []
    if dialect == "llamacpp":
        steps.append(b":\n\n")  # its ping while a prompt is read
    steps.append(delta(role="assistant", content=None if dialect == "sglang" else ""))
    name = _THINKING_FIELD[dialect]
    if thinking and not name:
        thinking = ["<thi", "nk>\n", *thinking, "\n</th", "ink>\n\n"]
    for text in thinking:
        steps += [Pause(pause_s)] if pause_s else []
        steps.append(delta(**{name or "content": text}))
    for text in answer:
        steps += [Pause(pause_s)] if pause_s else []
        steps.append(delta(content=text))
    match dialect:
        case "transformers":  # no [DONE], usage with the reason
            return [*steps, last(reason, usage=cost)]
        case "llamacpp":
            timings = {"cache_n": 4, "prompt_n": 7}
            told = data(chunk([], usage=cost, timings=timings))
            return [*steps, last(reason), told, b"data: [DONE]\n\n"]
        case "openai":  # llama-cpp-python tells no usage in a stream
            return [*steps, last(reason), b"data: [DONE]\n\n"]
        case _:
            told = data(chunk([], usage=cost))
            return [*steps, last(reason), told, b"data: [DONE]\n\n"]


class ScriptedServer:
    """Answers from scripts and keeps what it was asked."""

    def __init__(
        self,
        dialect: str = "vllm",
        *,
        models: Sequence[str] = (MODEL,),
        tls: ssl.SSLContext | None = None,
        key: str = "",
    ) -> None:
        self.dialect = dialect
        self.models = list(models)
        self.key = key
        self.seen: list[Seen] = []
        self.scripts: list[list[Step]] = []
        self.pages: dict[str, Status] = {}
        self.context_length = CONTEXT
        self.release = threading.Event()
        self.client_left = threading.Event()
        handler = type("BoundHandler", (_Handler,), {"server_script": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def asked(self) -> list[Any]:
        """The bodies of the requests for an answer."""
        return [s.body for s in self.seen if s.path == "/v1/chat/completions"]

    def says(
        self,
        *,
        thinking: Sequence[str] = (),
        answer: Sequence[str] = ("ok",),
        reason: str = "stop",
        pause_s: float = 0.0,
    ) -> None:
        """Answer the next request so."""
        self.scripts.append(
            reply(self.dialect, thinking, answer, reason=reason, pause_s=pause_s)
        )

    def does(self, *steps: Step) -> None:
        """Answer the next request with these steps."""
        self.scripts.append([*steps])

    def __enter__(self) -> Self:
        serve = partial(self._server.serve_forever, poll_interval=0.01)
        threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()

    def page(self, path: str) -> Status | None:
        """Return what stands at a path, None where nothing does."""
        if path in self.pages:
            return self.pages[path]
        told = self._pages().get(path)
        return None if told is None else Status(200, json.dumps(told).encode())

    def _pages(self) -> dict[str, Any]:
        """Return what stands where, by the documentation of each."""
        models = [self._entry(model) for model in self.models]
        common = {"/v1/models": {"object": "list", "data": models}}
        length = self.context_length
        running = [{"name": MODEL, "context_length": length}] if self.asked else []
        own: dict[str, dict[str, Any]] = {
            "vllm": {
                "/version": {"version": "0.26.0"},
                "/tokenize": {"count": 42, "max_model_len": length, "tokens": [1] * 42},
                "/openapi.json": {"openapi": "3.1.0", "paths": {"/ping": {}}},
            },
            "llamacpp": {
                "/props": {
                    "default_generation_settings": {"n_ctx": length},
                    "build_info": "b9000",
                },
                "/v1/chat/completions/input_tokens": {"input_tokens": 42},
                "/v1/chat/completions/control": {"success": True},
            },
            "ollama": {
                "/api/version": {"version": "0.30.1"},
                "/api/ps": {"models": running},
            },
            "transformers": {
                "/openapi.json": {"openapi": "3.1.0", "paths": {"/load_model": {}}},
            },
        }
        return common | own.get(self.dialect, {})

    def _entry(self, model: str) -> dict[str, Any]:
        entry = {"id": model, "object": "model", "owned_by": _OWNERS[self.dialect]}
        match self.dialect:
            case "vllm" | "sglang":
                return {**entry, "root": model, "max_model_len": self.context_length}
            case "llamacpp":
                return {**entry, "meta": {"n_ctx_train": 32768}}
            case _:
                return entry

    def script(self, body: Any) -> list[Step]:
        """Return how a request for an answer is answered."""
        unknown = _UNKNOWN_TO_TRANSFORMERS & set(body)
        if self.dialect == "transformers" and unknown:
            told = {"detail": f"Unexpected fields in the request: {unknown}"}
            return [Status(422, json.dumps(told).encode())]
        return self.scripts.pop(0) if self.scripts else reply(self.dialect)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: a client that goes away is what tests do."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_script: ScriptedServer

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        self._serve(None)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self._serve(json.loads(self.rfile.read(length) or b"null"))

    def _serve(self, body: Any) -> None:
        script = self.server_script
        headers = {name.lower(): value for name, value in self.headers.items()}
        script.seen.append(Seen(self.command, self.path, headers, body))
        if script.key and headers.get("authorization") != f"Bearer {script.key}":
            self._answer(Status(401, b'{"error": {"message": "no key"}}'))
        elif page := script.page(self.path):
            self._answer(page)
        elif self.path == "/v1/chat/completions":
            self._stream(script.script(body))
        else:
            self._answer(Status(404, b'{"detail": "Not Found"}'))

    def _answer(self, status: Status) -> None:
        self.send_response(status.code)
        headers = {"Content-Type": "application/json", **status.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(status.body)))
        self.end_headers()
        self.wfile.write(status.body)

    def _stream(self, steps: list[Step]) -> None:
        if steps and isinstance(steps[0], Status):
            self._answer(steps[0])
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        try:
            for step in steps:
                if not self._step(step):
                    return
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.server_script.client_left.set()
            self.close_connection = True

    def _step(self, step: Step) -> bool:
        """Do one step; False where the stream is over then."""
        match step:
            case bytes():
                self.wfile.write(b"%x\r\n%b\r\n" % (len(step), step))
            case Pause(seconds):
                time.sleep(seconds)
            case Cut():
                linger = struct.pack("ii", 1, 0)  # a reset, not an end
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                self.connection.close()
                return False
            case _:
                return self._hold()
        return True

    def _hold(self) -> bool:
        script = self.server_script
        while not script.release.is_set():
            readable, _w, _x = select.select([self.connection], [], [], 0.02)
            if readable and not self.connection.recv(1):
                script.client_left.set()
                self.close_connection = True
                return False
        return True
