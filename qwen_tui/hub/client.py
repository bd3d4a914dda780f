"""One place that speaks HTTP: redirects, the token's rule, failures in our words."""

import contextlib
import json
import ssl
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from qwen_tui import __version__
from qwen_tui.hub.endpoint import OFFICIAL
from qwen_tui.hub.faults import (
    Retryable,
    bad_reply,
    captive_portal,
    redirected,
    refusal,
    stalled,
    unreachable,
)
from qwen_tui.hub.receive_buffer import limit_receive_buffer
from qwen_tui.i18n import _

if TYPE_CHECKING:
    import httpx2

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_MOST_REDIRECTS = 10
_LONGEST_JSON = 64 * 1024 * 1024
_OK = (200, 206)
_RANGE_REFUSED = 416


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """Waiting times of one connection, in seconds."""

    connect_timeout_s: float = 10.0
    read_timeout_s: float = 20.0
    """Without a byte for this long, a connection counts as stalled."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply whose body has not been read."""

    status: int
    """200, 206 or 416."""
    headers: Mapping[str, str]
    """Names in lower case."""
    host: str
    chunks: Iterator[bytes]
    """The body as it comes; raises Retryable."""


class HubClient:
    """Requests to one endpoint and to where it redirects. Safe to use from threads.

    Every request begins at the endpoint, so a redirect's signed address is always
    a fresh one. The token goes to the endpoint, if that is one of `token_origins`,
    and nowhere else: it follows no redirect to another host.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        token: str = "",
        token_origins: Iterable[str] = (OFFICIAL,),
        options: HttpOptions | None = None,
        tls: ssl.SSLContext | None = None,
        on_request: Callable[[str], None] | None = None,
    ) -> None:
        """Prepare; no connection is made.

        Args:
            endpoint: Base URL, normalised.
            token: May be empty.
            token_origins: Scheme, host and port of those that may see it; a bare
                host means https.
            options: Waiting times.
            tls: From `tls_context`, to be shared by the clients of a download.
            on_request: Told the host of every request, redirects included.

        Raises:
            HubError: the proxy settings of the environment cannot be used.
        """
        import httpx2

        self.endpoint = endpoint
        self.host = urlsplit(endpoint).netloc
        allowed = _origin(endpoint) in {_token_origin(o) for o in token_origins}
        self._token = token if allowed else ""
        self._on_request = on_request
        self._options = options or HttpOptions()
        timeout = httpx2.Timeout(
            self._options.read_timeout_s, connect=self._options.connect_timeout_s
        )
        try:
            self._http = httpx2.Client(
                timeout=timeout, follow_redirects=False, verify=tls or tls_context()
            )
        except (ImportError, ValueError, httpx2.InvalidURL) as error:
            raise unreachable(self.host, f"proxy: {error}") from error

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def read_json(self, address: str, *, what: str) -> tuple[Any, str]:
        """Return the JSON value at an address and the address of the next page.

        Args:
            address: Path and query below the endpoint, with a leading slash.
            what: Repo that a refusal names.

        Raises:
            Retryable: worth another try.
            HubError: refused, or no JSON came.
        """
        with self.open(address, what=what, is_api=True) as reply:
            body = bytearray()
            for chunk in reply.chunks:
                body += chunk
                if len(body) > _LONGEST_JSON:
                    raise bad_reply(reply.host, _("too long"))
            try:
                return json.loads(body), self._next_page(reply.headers)
            except (ValueError, RecursionError) as error:
                if _is_page(reply.headers) or body.lstrip().startswith(b"<"):
                    raise captive_portal(reply.host) from error
                raise bad_reply(reply.host, _("no JSON")) from error

    @contextlib.contextmanager
    def open(
        self,
        address: str,
        *,
        what: str,
        start: int = 0,
        n_bytes: int = 0,
        is_api: bool = False,
    ) -> Generator[Reply]:
        """Ask for an address from byte `start` on, following redirects.

        A file may be redirected to any host but the official hub when that is not
        the endpoint; an `is_api` address to none: who chose a mirror asks nobody
        else. A proxy may compress the latter in spite of what we ask for.

        Args:
            address: Path and query below the endpoint, with a leading slash.
            what: Repo or file that a refusal names.
            start: First byte.
            n_bytes: So many only, 0 for all; the server may send more.
            is_api: Whether an answer is asked for, not a file.

        Raises:
            Retryable, HubError: as `refusal` tells.
        """
        headers = {"Accept-Encoding": "identity"}
        if start or n_bytes:
            end = start + n_bytes - 1 if n_bytes else ""
            headers["Range"] = f"bytes={start}-{end}"
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        url = self.endpoint + address
        for _hop in range(_MOST_REDIRECTS):
            with self._send(url, headers) as response:
                if response.status_code not in _REDIRECTS:
                    yield self._reply(response, what, is_api)
                    return
                url = self._redirected(url, response, is_api)
            if _origin(url) != _origin(self.endpoint):
                headers.pop("Authorization", None)  # also if it should lead back
        raise bad_reply(self.host, _("too many redirects"))

    @contextlib.contextmanager
    def _send(self, url: str, headers: dict[str, str]) -> Generator["httpx2.Response"]:
        import httpx2

        headers = {"User-Agent": f"qwen-tui/{__version__}", **headers}
        host = urlsplit(url).netloc.rpartition("@")[2]
        if self._on_request is not None:
            self._on_request(host)
        try:
            with self._http.stream("GET", url, headers=headers) as response:
                yield response
        except httpx2.ReadTimeout as error:
            silent_s = self._options.read_timeout_s
            raise Retryable(stalled(host, silent_s)) from error
        except httpx2.TransportError as error:
            reason = str(error) or type(error).__name__
            raise Retryable(unreachable(host, reason)) from error
        except (httpx2.InvalidURL, httpx2.RequestError) as error:
            raise bad_reply(host, str(error)) from error

    def _reply(self, response: "httpx2.Response", what: str, is_api: bool) -> Reply:
        status, headers = response.status_code, dict(response.headers)
        host = str(response.url.netloc, "ascii", "replace")
        if status not in (*_OK, _RANGE_REFUSED):
            at_endpoint = _origin(str(response.url)) == _origin(self.endpoint)
            problem = refusal(
                status, headers, what=what, host=host, at_endpoint=at_endpoint
            )
            raise problem
        if is_api:
            return Reply(status, headers, host, response.iter_bytes())
        if headers.get("content-encoding", "identity") != "identity":
            raise bad_reply(host, _("compressed data"))
        stream = response.extensions["network_stream"]
        limit_receive_buffer(stream.get_extra_info("socket"))
        return Reply(status, headers, host, response.iter_raw())

    def _redirected(self, url: str, response: "httpx2.Response", is_api: bool) -> str:
        location = response.headers.get("location", "")
        try:
            target = urljoin(url, location)
            origin, endpoint = _origin(target), _origin(self.endpoint)
        except ValueError as error:
            raise bad_reply(
                self.host, _("redirect to {url}").format(url=location)
            ) from error
        scheme, was = origin[0], urlsplit(url).scheme
        if scheme not in ("http", "https") or (was == "https" and scheme == "http"):
            raise bad_reply(self.host, _("redirect to {url}").format(url=target))
        is_upgrade = (was, scheme) == ("http", "https") and origin[1] == endpoint[1]
        leaves = origin != endpoint and not is_upgrade
        if leaves and (is_api or origin == _origin(OFFICIAL)):
            raise redirected(self.host, urlsplit(target).netloc)
        return target

    def _next_page(self, headers: Mapping[str, str]) -> str:
        """Path and query of `Link: rel=next`, empty at the last page.

        A mirror's link may name the official host: only its query is followed.
        """
        for part in headers.get("link", "").split(","):
            address, _semicolon, relation = part.partition(";")
            if 'rel="next"' in relation:
                try:
                    link = urlsplit(address.strip().strip("<>"))
                except ValueError as error:
                    raise bad_reply(self.host, _("no file listing")) from error
                base = urlsplit(self.endpoint).path
                return f"{link.path.removeprefix(base)}?{link.query}"
        return ""


def tls_context() -> ssl.SSLContext:
    """The certificates to trust, SSL_CERT_FILE and SSL_CERT_DIR honoured.

    Raises:
        HubError: the environment names certificates that cannot be read.
    """
    import httpx2

    try:
        return httpx2.create_ssl_context()
    except OSError as error:
        raise unreachable(_("TLS certificates"), str(error)) from error


def is_page_for(path: str, headers: Mapping[str, str]) -> bool:
    """Whether a web page came where the file `path` was asked for."""
    return _is_page(headers) and not path.endswith((".html", ".htm"))


def _is_page(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").startswith("text/html")


def _token_origin(text: str) -> tuple[str, str | None, int | None]:
    return _origin(text if "://" in text else f"https://{text}")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    default = 443 if parts.scheme == "https" else 80
    return parts.scheme, parts.hostname, parts.port or default
