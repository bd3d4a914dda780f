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
import json
import socket
import struct
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

_STEP_BYTES = 16 * 1024
_LARGE_BYTES = 64 * 1024
_PATIENCE_S = 60.0


@dataclass
class Fault:
    """What goes wrong, where, and how often."""

    kind: Literal[
        "reset",  # the connection is reset after `after_bytes` of the body
        "close",  # it is closed there, cleanly
        "hold",  # nothing more comes, until `FakeHub.release` is set
        "status",  # `status` instead of an answer
        "html",  # a captive portal's page
        "wrong_bytes",  # right length, one byte differs
        "ignore_range",  # 200 with everything
        "strip_headers",  # neither ETag, Content-Range nor X- headers
        "short_length",  # Content-Length and body lack `after_bytes` bytes
        "redirect",  # 308 to `location`
    ]
    path: str = ""
    """Part of the request path; empty for all."""
    origin: Literal["hub", "cdn", ""] = ""
    times: int = 1
    """-1 for ever."""
    after_bytes: int = 0
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b"{}"
    """Sent with `status`."""
    location: str = ""
    whole: bool = False
    """Send the file from its first byte, whatever the Range, before it breaks."""

    def __str__(self) -> str:
        place = f"{self.origin}{self.path}".replace("/", "")
        what = self.status if self.kind == "status" else self.after_bytes
        return f"{self.kind}-{place}-{what}"


@dataclass
class Seen:
    """One request as the server saw it."""

    origin: str
    method: str
    path: str
    """Decoded; of a CDN request the file's path in its repo."""
    headers: dict[str, str]
    status: int = 0
    sent_bytes: int = 0
    """Of the body, handed to the socket."""

    @property
    def first_byte(self) -> int:
        """Where the Range starts; 0 without one."""
        value = self.headers.get("range", "bytes=0-")
        return int(value.removeprefix("bytes=").split("-")[0])


@dataclass
class Repo:
    """One commit of a repo."""

    sha: str
    files: dict[str, bytes]
    gated: bool = False
    private: bool = False
    readers: tuple[str, ...] = ()
    """Tokens that may read it when it is gated or private."""


class _Server(ThreadingHTTPServer):
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
        self._repos: dict[tuple[str, str], Repo] = {}
        self._lock = threading.Lock()
        self._servers = [self._server("hub"), self._server("cdn")]

    def _server(self, origin: str) -> ThreadingHTTPServer:
        handler = type("BoundHandler", (_Handler,), {"hub": self, "origin": origin})
        return _Server(("127.0.0.1", 0), handler)

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
                target=server.serve_forever, args=(0.05,), daemon=True
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
    ) -> str:
        """Serve `files` (or a folder's) as one commit; returns its sha."""
        if isinstance(files, Path):
            found = [f for f in sorted(files.rglob("*")) if f.is_file()]
            files = {f.relative_to(files).as_posix(): f.read_bytes() for f in found}
        digest = hashlib.sha1(name.encode())
        for path, content in sorted(files.items()):
            digest.update(path.encode() + b"\0" + content)
        repo = Repo(digest.hexdigest(), dict(files), gated, private, readers)
        self._repos[name, revision] = self._repos[name, repo.sha] = repo
        return repo.sha

    def repo(self, name: str, revision: str) -> Repo | None:
        return self._repos.get((name, revision))

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
                of_body = fault.kind not in ("status", "html", "redirect")
                fits = fault.path in path and fault.origin in ("", origin)
                if fault.times != 0 and fits and (body or not of_body):
                    fault.times -= 1
                    return fault
        return None


def is_large(path: str, content: bytes) -> bool:
    """Whether the hub keeps the file as LFS, by sha256 and behind the CDN."""
    return len(content) >= _LARGE_BYTES or path.endswith((".safetensors", ".gguf"))


def etag(path: str, content: bytes) -> str:
    """The name of the blob: sha256 of a large file, else its git sha1."""
    if is_large(path, content):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    origin: str
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean; the log is `FakeHub.seen`."""

    def do_GET(self) -> None:
        try:
            self._answer()
        except OSError:
            self.close_connection = True  # the client went away

    do_HEAD = do_GET

    def _answer(self) -> None:
        url = urlsplit(self.path)
        path = unquote(url.path)
        headers = {k.lower(): v for k, v in self.headers.items()}
        self._seen = Seen(self.origin, self.command, path, headers)
        self.hub.note(self._seen)
        is_body = self.command == "GET" and (
            self.origin == "cdn"
            or ("/resolve/" in path and not self._goes_to_cdn(path))
        )
        fault = self.hub.take_fault(self.origin, path, is_body)
        if fault is not None and fault.kind == "status":
            self._send(fault.status, fault.body, fault.headers)
        elif fault is not None and fault.kind == "html":
            self._send(200, b"<html>Log in</html>", {"Content-Type": "text/html"})
        elif fault is not None and fault.kind == "redirect":
            self._send(308, b"", {"Location": fault.location + self.path})
        elif self.origin == "cdn":
            self._send_cdn(path, fault)
        elif path.startswith("/api/models/"):
            self._send_api(path.removeprefix("/api/models/"), parse_qs(url.query))
        else:
            self._send_resolve(path.removeprefix("/"), fault)

    # -- the API ---------------------------------------------------------------

    def _send_api(self, path: str, query: dict[str, list[str]]) -> None:
        name, _, rest = self._split(path, ("/tree/", "/revision/"))
        revision = rest.split("/")[0] if "/tree/" in path else (rest or "main")
        repo = self._readable(name, revision, files=False)
        if repo is None:
            return
        if "/tree/" in path:
            self._send_tree(repo, query)
            return
        info = {
            "_id": "1",
            "id": name,
            "modelId": name,
            "sha": repo.sha,
            "private": repo.private,
            "gated": "manual" if repo.gated else False,
            "tags": [],
            "siblings": [{"rfilename": path} for path in repo.files],
        }
        self._send_json(info)

    def _send_tree(self, repo: Repo, query: dict[str, list[str]]) -> None:
        entries = [_tree_entry(p, c) for p, c in repo.files.items()]
        entries += [_tree_entry(p, b"evil") for p in self.hub.hidden_paths]
        folders = sorted({p.rsplit("/", 1)[0] for p in repo.files if "/" in p})
        entries += [{"type": "directory", "oid": "0" * 40, "path": f} for f in folders]
        start = int(query.get("cursor", ["0"])[0])
        end = start + self.hub.page_entries
        headers: dict[str, str] = {}
        if end < len(entries):
            base = self.hub.next_link_base or self.hub.url
            path = urlsplit(self.path).path
            link = f"{base}{path}?recursive=true&cursor={end}"
            headers["Link"] = f'<{link}>; rel="next"'
        self._send_json(entries[start:end], headers)

    def _readable(self, name: str, revision: str, *, files: bool) -> Repo | None:
        """The repo, or None after the refusal has been sent."""
        repo = self.hub.repo(name, revision)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if repo is None:
            known = self.hub.has_repo(name)
            code = "RevisionNotFound" if known else "RepoNotFound"
            self._send(404 if known or token else 401, b"{}", {"X-Error-Code": code})
        elif repo.private and token not in repo.readers:
            self._send(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        elif files and repo.gated and token not in repo.readers:
            self._send(403 if token else 401, b"{}", {"X-Error-Code": "GatedRepo"})
        else:
            return repo
        return None

    # -- files -----------------------------------------------------------------

    def _split(self, path: str, marks: tuple[str, ...]) -> tuple[str, str, str]:
        for mark in marks:
            if mark in path:
                return path.partition(mark)
        return path, "", ""

    def _goes_to_cdn(self, path: str) -> bool:
        name, _, rest = path.removeprefix("/").partition("/resolve/")
        revision, _, file = rest.partition("/")
        repo = self.hub.repo(name, revision)
        return bool(repo and file in repo.files and is_large(file, repo.files[file]))

    def _send_resolve(self, path: str, fault: Fault | None) -> None:
        name, _, rest = path.partition("/resolve/")
        revision, _, file = rest.partition("/")
        repo = self._readable(name, revision, files=True)
        if repo is None:
            return
        content = repo.files.get(file)
        if content is None:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        headers = {"X-Repo-Commit": repo.sha, "ETag": f'"{etag(file, content)}"'}
        if is_large(file, content):
            headers["X-Linked-Size"] = str(len(content))
            headers["X-Linked-Etag"] = headers.pop("ETag")
            address = f"{self.hub.cdn_url}/{name}/{repo.sha}/{quote(file)}"
            headers["Location"] = f"{address}?Signature={len(self.hub.seen)}"
            self._send(302, b"", headers)
            return
        self._send_file(content, headers, fault)

    def _send_cdn(self, path: str, fault: Fault | None) -> None:
        owner, name, sha, file = path.removeprefix("/").split("/", 3)
        repo = self.hub.repo(f"{owner}/{name}", sha)
        assert repo is not None
        content = repo.files[file]
        self._send_file(content, {"ETag": f'"{etag(file, content)}"'}, fault)

    def _send_file(
        self, content: bytes, headers: dict[str, str], fault: Fault | None
    ) -> None:
        kind = fault.kind if fault is not None else ""
        whole = fault is not None and (kind == "ignore_range" or fault.whole)
        total, start, status = len(content), self._seen.first_byte, 200
        if kind == "wrong_bytes":
            content = content[:-1] + bytes([content[-1] ^ 1])
        if "range" in self._seen.headers and not whole:
            if start >= total:
                self._send(416, b"", {"Content-Range": f"bytes */{total}"})
                return
            status, content = 206, content[start:]
            headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        if kind == "short_length" and fault is not None:
            content = content[: len(content) - fault.after_bytes]
        headers["Accept-Ranges"] = "bytes"
        if kind == "strip_headers":
            headers.clear()
        self._send(status, content, headers, fault)

    # -- the wire --------------------------------------------------------------

    def _send_json(self, value: object, headers: Mapping[str, str] = {}) -> None:
        body = json.dumps(value).encode()
        self._send(200, body, {"Content-Type": "application/json", **headers})

    def _send(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str],
        fault: Fault | None = None,
    ) -> None:
        self._seen.status = status
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(body, fault)

    def _send_body(self, body: bytes, fault: Fault | None) -> None:
        breaks = fault is not None and fault.kind in ("reset", "close", "hold")
        stop = fault.after_bytes if fault is not None and breaks else len(body)
        for start in range(0, min(stop, len(body)), _STEP_BYTES):
            step = body[start : min(start + _STEP_BYTES, stop)]
            self.wfile.write(step)
            self._seen.sent_bytes += len(step)
        if fault is None or not breaks:
            return
        self.close_connection = True
        if fault.kind == "hold":
            self.hub.release.wait(_PATIENCE_S)
        if fault.kind == "reset":
            linger = struct.pack("ii", 1, 0)  # close() sends RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()


def _tree_entry(path: str, content: bytes) -> dict[str, object]:
    git_sha1 = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    entry: dict[str, object] = {
        "type": "file",
        "oid": git_sha1,
        "size": len(content),
        "path": path,
    }
    if is_large(path, content):
        sha256 = hashlib.sha256(content).hexdigest()
        entry["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 134}
    return entry
