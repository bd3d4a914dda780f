"""How a fake hub answers: the API, files and the faults, over HTTP."""

import gzip
import json
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from tests.hub_faults import OF_BODY, Fault, Seen
from tests.hub_repos import Repo, found_models, is_large, tree_entry

if TYPE_CHECKING:
    from tests.fake_hub import FakeHub

_STEP_BYTES = 16 * 1024
_PATIENCE_S = 60.0


class Handler(BaseHTTPRequestHandler):
    hub: "FakeHub"
    origin: str
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        if self.hub.send_buffer_bytes:
            size = self.hub.send_buffer_bytes
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)

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
        if fault is not None and fault.kind not in OF_BODY:
            self._send_fault(fault)
        elif self.origin == "cdn":
            self._send_cdn(path, fault)
        elif path == "/api/models":
            self._send_search(parse_qs(url.query))
        elif path.startswith("/api/models/"):
            self._send_api(path.removeprefix("/api/models/"), parse_qs(url.query))
        else:
            self._send_resolve(path.removeprefix("/"), fault)

    def _send_fault(self, fault: Fault) -> None:
        match fault.kind:
            case "html":
                page = b"<html>Log in</html>"
                self._send(200, page, {"Content-Type": "text/html"})
            case "redirect":
                self._send(308, b"", {"Location": fault.location + self.path})
            case "expired":
                page = b"<Error><Code>AccessDenied</Code></Error>"
                self._send(403, page, {"Content-Type": "application/xml"})
            case "hang":
                self.close_connection = True
                self.hub.release.wait(_PATIENCE_S)
            case _:
                self._send(fault.status, fault.body, fault.headers)

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
        info = repo.model_info
        if query.get("blobs", ["false"])[0].lower() == "true":
            info["siblings"] = repo.sized_siblings
        self._send_json(info)

    def _send_search(self, query: dict[str, list[str]]) -> None:
        found = found_models(self.hub.repos, query)
        limit = int(query.get("limit", ["1000"])[0])
        self._send_page(found, min(limit, self.hub.page_entries), query)

    def _send_tree(self, repo: Repo, query: dict[str, list[str]]) -> None:
        entries = list(repo.tree)
        entries += [tree_entry(p, b"evil") for p in self.hub.hidden_paths]
        folders = sorted({p.rsplit("/", 1)[0] for p in repo.files if "/" in p})
        entries += [{"type": "directory", "oid": "0" * 40, "path": f} for f in folders]
        self._send_page(entries, self.hub.page_entries, query)

    def _send_page(
        self,
        entries: Sequence[object],
        page_entries: int,
        query: dict[str, list[str]],
    ) -> None:
        start = int(query.get("cursor", ["0"])[0])
        end = start + page_entries
        headers: dict[str, str] = {}
        if end < len(entries):
            base = self.hub.next_link_base or self.hub.url
            path = urlsplit(self.path).path
            more = urlencode({**query, "cursor": [str(end)]}, doseq=True)
            headers["Link"] = f'<{base}{path}?{more}>; rel="next"'
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
        headers = {"X-Repo-Commit": repo.sha, "ETag": f'"{repo.etags[file]}"'}
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
        self._send_file(content, {"ETag": f'"{repo.etags[file]}"'}, fault)

    def _send_file(
        self, content: bytes, headers: dict[str, str], fault: Fault | None
    ) -> None:
        kind = fault.kind if fault is not None else ""
        after_bytes = fault.after_bytes if fault is not None else 0
        whole = fault is not None and (kind == "ignore_range" or fault.whole)
        total, start, status = len(content), self._seen.first_byte, 200
        if kind == "wrong_bytes":
            content = content[:-1] + bytes([content[-1] ^ 1])
        if "range" in self._seen.headers and not whole:
            if start >= total:
                self._send(416, b"", {"Content-Range": f"bytes */{total}"})
                return
            start = after_bytes if kind == "wrong_range" else start
            status, content = 206, content[start:]
            headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        if kind == "short_length":
            content = content[: len(content) - after_bytes]
        if kind == "long_length":
            content += bytes(after_bytes)
        if kind == "compressed":
            content = gzip.compress(content, 1)
            headers["Content-Encoding"] = "gzip"
        headers["Accept-Ranges"] = "bytes"
        if kind in ("strip_headers", "unnumbered"):
            headers.clear()
        if kind == "unnumbered":
            self._send_chunks(status, content)
        else:
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

    def _send_chunks(self, status: int, body: bytes) -> None:
        self._seen.status = status
        self.send_response(status)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for start in range(0, len(body), _STEP_BYTES):
            step = body[start : start + _STEP_BYTES]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(step), step))
            self._seen.sent_bytes += len(step)
        self.wfile.write(b"0\r\n\r\n")

    def _send_body(self, body: bytes, fault: Fault | None) -> None:
        breaks = fault is not None and fault.kind in ("reset", "close", "hold")
        stop = fault.after_bytes if fault is not None and breaks else len(body)
        for start in range(0, min(stop, len(body)), _STEP_BYTES):
            step = body[start : min(start + _STEP_BYTES, stop)]
            self.wfile.write(step)
            self._seen.sent_bytes += len(step)
            if self.hub.bytes_per_s:
                time.sleep(len(step) / self.hub.bytes_per_s)
        if fault is None or not breaks:
            return
        self.close_connection = True
        if fault.kind == "hold":
            self.hub.release.wait(_PATIENCE_S)
        if fault.kind == "reset":
            linger = struct.pack("ii", 1, 0)  # close() sends RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
