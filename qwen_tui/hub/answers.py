"""The hub process's side of a query: ask, and say what came."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar
from urllib.parse import urlsplit

from qwen_tui import wire
from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.client import HttpOptions, HubClient
from qwen_tui.hub.faults import Retryable, stalled
from qwen_tui.hub.info import info
from qwen_tui.hub.probe import probe
from qwen_tui.hub.search import search
from qwen_tui.wire_hub import (
    Info,
    InfoResult,
    Probe,
    ProbeResult,
    QueryFailed,
    Search,
    SearchResult,
)

_T = TypeVar("_T")

# a person waits for the answer: a broken connection is tried once more, no more
_RETRY_CODES = ("unreachable", "server_error")
_RETRY_AFTER_S = 0.5
_HTTP = HttpOptions(connect_timeout_s=10.0, read_timeout_s=15.0)
# looking up a name knows no time limit of its own
LONGEST_PROBE_S = 25.0


def answer(
    request: Probe | Search | Info,
    send: Callable[[wire.Message], None],
    *,
    longest_probe_s: float = LONGEST_PROBE_S,
) -> None:
    """Carry out one query; blocks.

    Args:
        request: What to ask.
        send: Told each answer, by one thread at a time.
        longest_probe_s: A source that has not answered by then is given up.
    """
    match request:
        case Probe():
            _probe_all(request, send, longest_probe_s)
        case Search() | Info():
            send(_answer_one(request))


def _answer_one(request: Search | Info) -> wire.Message:
    try:
        client = HubClient(
            request.endpoint,
            token=request.token,
            token_origins=(request.endpoint,),
            options=_HTTP,
        )
        with closing(client):
            if isinstance(request, Search):
                found = _patiently(
                    lambda: search(client, request.query, limit=request.limit)
                )
                return SearchResult(request.id, tuple(found))
            return InfoResult(
                request.id,
                _patiently(
                    lambda: info(client, request.repo, revision=request.revision)
                ),
            )
    except QwenTuiError as error:
        return QueryFailed(request.id, error.code, error.message, error.hint)


def _patiently(attempt: Callable[[], _T]) -> _T:
    """Try, and where the connection broke once more; raises QwenTuiError."""
    try:
        return attempt()
    except Retryable as fault:
        if fault.error.code not in _RETRY_CODES or fault.retry_after_s:
            raise fault.error from fault
    time.sleep(_RETRY_AFTER_S)
    try:
        return attempt()
    except Retryable as fault:
        raise fault.error from fault


def _probe_all(
    request: Probe, send: Callable[[wire.Message], None], longest_s: float
) -> None:
    """Try every source in a thread of its own; one that hangs is given up."""
    lock = threading.Lock()
    waiting = set(request.endpoints)

    def tell(result: ProbeResult) -> None:
        with lock:
            if result.endpoint in waiting:
                waiting.discard(result.endpoint)
                send(result)

    def run(endpoint: str) -> None:
        tell(probe(endpoint, repo=request.repo, file=request.file))

    threads = [
        threading.Thread(target=run, args=(endpoint,), daemon=True)
        for endpoint in request.endpoints
    ]
    deadline = time.monotonic() + longest_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    for endpoint in sorted(waiting):
        error = stalled(urlsplit(endpoint).netloc, longest_s)
        tell(
            ProbeResult(
                endpoint,
                reachable=False,
                code=error.code,
                message=error.message,
                hint=error.hint,
            )
        )
