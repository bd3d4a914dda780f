"""The fake hub with the search that the real one has."""

from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fake_hub import FakeHub, _Handler, _Server


class SearchingHub(FakeHub):
    """Answers /api/models with `found`, a part of the name being searched for."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        super().__init__()

    def _server(self, origin: str) -> ThreadingHTTPServer:
        bound = {"hub": self, "origin": origin}
        return _Server(("127.0.0.1", 0), type("BoundHandler", (_Searching,), bound))


class _Searching(_Handler):
    def _send_resolve(self, path: str, fault: Any) -> None:
        if path != "api/models":
            super()._send_resolve(path, fault)
            return
        assert isinstance(self.hub, SearchingHub)
        query = parse_qs(urlsplit(self.path).query)
        words = query.get("search", [""])[0].lower()
        found = [m for m in self.hub.found if words in str(m.get("id", "")).lower()]
        link = {}
        if len(found) > int(query["limit"][0]):
            base = self.hub.next_link_base or self.hub.url
            link = {"Link": f'<{base}/api/models?cursor=1>; rel="next"'}
        self._send_json(found[: int(query["limit"][0])], link)
