"""The fake hub with a search whose entries a test writes itself."""

from http.server import ThreadingHTTPServer
from typing import Any

from tests.fake_hub import BoundServer, FakeHub
from tests.hub_handler import Handler


class SearchingHub(FakeHub):
    """Answers /api/models with `found`, a part of the name being searched for."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        super().__init__()

    def _server(self, origin: str) -> ThreadingHTTPServer:
        bound = {"hub": self, "origin": origin}
        return BoundServer(("127.0.0.1", 0), type("Searching", (_Searching,), bound))


class _Searching(Handler):
    def _send_search(self, query: dict[str, list[str]]) -> None:
        assert isinstance(self.hub, SearchingHub)
        words = query.get("search", [""])[0].lower()
        found = [m for m in self.hub.found if words in str(m.get("id", "")).lower()]
        self._send_page(found, int(query["limit"][0]), query)
