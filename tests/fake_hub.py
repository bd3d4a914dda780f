"""A Hub on loopback that the real huggingface_hub accepts, with faults to order.

Two origins, as in the field: the hub answers the API and small files and
redirects large files to a second server, the CDN, by a signed address.

    with FakeHub() as hub:
        sha = hub.add_repo("owner/model", {"config.json": b"{}", ...})
        hub.faults.append(Fault("reset", path="model.safetensors", after_bytes=1000))
        download(... endpoint=hub.url ...)
        assert hub.file_bytes("model.safetensors") == ...
"""

import hashlib
import sys
import threading
from collections.abc import Mapping
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.hub_faults import OF_BODY, Fault, Seen
from tests.hub_handler import Handler
from tests.hub_repos import Repo, etag, is_large

_POLL_S = 0.005
"""Between looks whether a server shall end: each test waits for two of them."""
__all__ = ["FakeHub", "Fault", "Repo", "Seen", "etag", "is_large"]


class BoundServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print what is wrong; a client that goes away is not, that is the test."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class FakeHub:
    """Two servers on loopback, their repos, orders for faults and a log."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.seen: list[Seen] = []
        self.release = threading.Event()
        self.hidden_paths: list[str] = []
        self.page_entries = 1000
        self.next_link_base = ""
        self.bytes_per_s = 0
        """Of one connection's body; 0 is as fast as it goes."""
        self.send_buffer_bytes = 0
        """The kernel's buffer of a connection; 0 leaves it to the kernel."""
        self._repos: dict[tuple[str, str], Repo] = {}
        self._lock = threading.Lock()
        self._servers = [self._server("hub"), self._server("cdn")]

    def _server(self, origin: str) -> ThreadingHTTPServer:
        handler = type("BoundHandler", (Handler,), {"hub": self, "origin": origin})
        return BoundServer(("127.0.0.1", 0), handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._servers[0].server_address[1]}"

    @property
    def cdn_url(self) -> str:
        # another name, so that host and port both differ from the hub's
        return f"http://localhost:{self._servers[1].server_address[1]}"

    def __enter__(self) -> Self:
        for server in self._servers:
            threading.Thread(
                target=server.serve_forever, args=(_POLL_S,), daemon=True
            ).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def add_repo(
        self,
        name: str,
        files: Mapping[str, bytes] | Path,
        *,
        revision: str = "main",
        gated: bool = False,
        private: bool = False,
        readers: tuple[str, ...] = (),
        info: Mapping[str, object] | None = None,
    ) -> str:
        """Serve `files` (or a folder's) as one commit; returns its sha.

        `info` holds fields of the model info, such as downloads, likes, tags.
        """
        if isinstance(files, Path):
            found = [f for f in sorted(files.rglob("*")) if f.is_file()]
            files = {f.relative_to(files).as_posix(): f.read_bytes() for f in found}
        digest = hashlib.sha1(name.encode())
        for path, content in sorted(files.items()):
            digest.update(path.encode() + b"\0" + content)
        sha = digest.hexdigest()
        repo = Repo(name, sha, dict(files), gated, private, readers, info or {})
        self._repos[name, revision] = self._repos[name, sha] = repo
        return sha

    def repo(self, name: str, revision: str) -> Repo | None:
        return self._repos.get((name, revision))

    @property
    def repos(self) -> list[Repo]:
        """Of every name the commit that main is at."""
        return [repo for (_, rev), repo in self._repos.items() if rev == "main"]

    def has_repo(self, name: str) -> bool:
        return any(known == name for known, _ in self._repos)

    def requests(self, part: str = "", origin: str = "") -> list[Seen]:
        """What was asked so far, in order."""
        with self._lock:
            return [
                s
                for s in self.seen
                if part in s.path and (not origin or s.origin == origin)
            ]

    def file_bytes(self, part: str) -> int:
        """Body bytes sent for the files whose path has this part."""
        return sum(s.sent_bytes for s in self.requests(part) if s.method == "GET")

    def note(self, seen: Seen) -> None:
        with self._lock:
            self.seen.append(seen)

    def take_fault(self, origin: str, path: str, body: bool) -> Fault | None:
        """The next fault meant for this request, counted down."""
        with self._lock:
            for fault in self.faults:
                of_body = fault.kind in OF_BODY
                fits = fault.path in path and fault.origin in ("", origin)
                if fault.times != 0 and fits and (body or not of_body):
                    fault.times -= 1
                    return fault
        return None
