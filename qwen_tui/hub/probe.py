"""Try a source: is it there, who really serves the bytes, and how fast."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.client import HttpOptions, HubClient, is_page_for
from qwen_tui.hub.endpoint import is_official
from qwen_tui.hub.faults import Retryable, captive_portal
from qwen_tui.hub.plan import resolve_address
from qwen_tui.wire_hub import ProbeResult

_SHORTEST_S = 1e-6  # never divide by nothing
_NEARLY = 0.8


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """How much a probe may take."""

    read_bytes: int = 4 * 1024 * 1024
    read_s: float = 3.0
    http: HttpOptions = field(
        default_factory=lambda: HttpOptions(connect_timeout_s=5.0, read_timeout_s=8.0)
    )


def probe(
    endpoint: str, *, repo: str, file: str, options: ProbeOptions | None = None
) -> ProbeResult:
    """Read a byte, then a little more, of a large public file; blocks.

    Three requests, each followed to the last host: the repo's description, with
    which every download begins; one byte, for the latency; a short read, for the
    speed. No token is sent. Never raises: what failed is in the result.

    Args:
        endpoint: Base URL, normalised.
        repo: A public repo.
        file: A large file of it.
        options: How much it may take.
    """
    trial = _Trial(endpoint, repo, file, options or ProbeOptions())
    try:
        trial.run()
    except Retryable as fault:
        return trial.failed(fault.error)
    except QwenTuiError as error:
        return trial.failed(error)
    return trial.result


class _Trial:
    """One probe, and what it has found so far."""

    def __init__(
        self, endpoint: str, repo: str, file: str, options: ProbeOptions
    ) -> None:
        self.result = ProbeResult(endpoint, reachable=False)
        self._repo = repo
        self._file = file
        self._options = options
        self._hosts: list[str] = []

    def run(self) -> None:
        """Make the three requests; raises Retryable, QwenTuiError."""
        client = HubClient(
            self.result.endpoint,
            options=self._options.http,
            on_request=self._hosts.append,
        )
        with contextlib.closing(client):
            try:
                client.read_json(
                    f"/api/models/{self._repo}/revision/main", what=self._repo
                )
            finally:
                self.result = replace(self.result, api_hosts=self._take_hosts())
            try:
                self._read_first_byte(client)
            finally:
                self.result = replace(self.result, hosts=self._take_hosts())
            self._measure_speed(client)

    def failed(self, error: QwenTuiError) -> ProbeResult:
        """Return what was found, with the failure."""
        return replace(
            self.result, code=error.code, message=error.message, hint=error.hint
        )

    def _read_first_byte(self, client: HubClient) -> None:
        started = time.monotonic()
        self._read(client, 1, self._options.http.read_timeout_s)
        latency_s = time.monotonic() - started
        self.result = replace(self.result, reachable=True, latency_s=latency_s)

    def _measure_speed(self, client: HubClient) -> None:
        speed = self._read(client, self._options.read_bytes, self._options.read_s)
        self.result = replace(self.result, bytes_per_s=speed)

    def _read(self, client: HubClient, n_bytes: int, longest_s: float) -> float:
        """Read up to so many bytes or so long; returns bytes a second of the body."""
        address = resolve_address(self._repo, "main", self._file)
        with client.open(address, what=self._file, n_bytes=n_bytes) as reply:
            if is_page_for(self._file, reply.headers):
                raise captive_portal(reply.host)
            started = time.monotonic()
            received, elapsed_s = 0, _SHORTEST_S
            for chunk in reply.chunks:
                received += len(chunk)
                elapsed_s = max(time.monotonic() - started, _SHORTEST_S)
                if received >= n_bytes or elapsed_s >= longest_s:
                    break
        return received / elapsed_s

    def _take_hosts(self) -> tuple[str, ...]:
        hosts = tuple(self._hosts)
        self._hosts.clear()
        return hosts


def best_source(results: Sequence[ProbeResult]) -> str | None:
    """The endpoint that serves large files fastest; None where none serves any.

    The official hub is taken when it is nearly as fast as the fastest: one short read
    tells no more, and no other hands out what its owner published.
    """
    good = [r for r in results if r.reachable and not r.code]
    fastest = max(good, key=lambda r: r.bytes_per_s, default=None)
    if fastest is None:
        return None
    for result in good:
        nearly = result.bytes_per_s >= _NEARLY * fastest.bytes_per_s
        if nearly and is_official(result.endpoint):
            return result.endpoint
    return fastest.endpoint
