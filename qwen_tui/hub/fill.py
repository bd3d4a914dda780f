"""Bring one partial file to its full size by ranged requests."""

import os
import re
from collections.abc import Callable

from qwen_tui.hub.client import HubClient, Reply, is_page_for
from qwen_tui.hub.faults import (
    Retryable,
    bad_reply,
    captive_portal,
    unreachable,
    wrong_size,
)
from qwen_tui.hub.plan import Blob, Plan, resolve_address
from qwen_tui.hub.progress import Meter
from qwen_tui.hub.retry import Retries
from qwen_tui.i18n import _

_PARTIAL_CONTENT = 206
_RANGE_REFUSED = 416
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class Filling:
    """One partial on its way to full size."""

    def __init__(
        self, plan: Plan, blob: Blob, file: int, *, client: HubClient, meter: Meter
    ) -> None:
        """Take over an open file.

        Args:
            plan: Repo and commit.
            blob: What the file is to become.
            file: Descriptor, opened for appending; it stays the caller's.
            client: Who asks.
            meter: Where every byte is counted.
        """
        self._plan = plan
        self._blob = blob
        self._path = blob.paths[0]
        self._file = file
        self._client = client
        self._meter = meter
        self._have = os.fstat(file).st_size

    def run(self, retries: Retries, check: Callable[[], None]) -> None:
        """Fetch until nothing is missing.

        Args:
            retries: Waits between tries.
            check: Called before each write; may raise to end it there.

        Raises:
            QwenTuiError: it cannot be had; what came so far is in the file.
            OSError: the disk refuses.
            Stopped: asked to stop.
        """
        if self._have > self._blob.size_bytes:
            self._start_again()
        self._meter.set(self._blob.etag, self._have)
        most = self._have
        while self._have < self._blob.size_bytes:
            try:
                self._ask_for_the_rest(check)
            except Retryable as fault:
                # what comes a second time after a fresh start is no progress, or a
                # server that breaks at the same byte would be asked for ever
                if self._have > most:
                    most = self._have
                    retries.progressed()
                if fault.start_again:
                    self._start_again()
                retries.failed(fault, self._path)

    def _ask_for_the_rest(self, check: Callable[[], None]) -> None:
        address = resolve_address(self._plan.repo, self._plan.commit, self._path)
        what = f"{self._plan.repo}/{self._path}"
        with self._client.open(address, what=what, start=self._have) as reply:
            # a server that ignores the range sends what we have once more; it is
            # passed over, so that the next break does not lose it
            known = self._have - self._first_byte(reply)
            for chunk in reply.chunks:
                check()
                fresh = chunk[known : known + self._blob.size_bytes - self._have]
                known = max(0, known - len(chunk))
                self._write(fresh)
                if self._have == self._blob.size_bytes:
                    return
        raise Retryable(unreachable(reply.host, _("the connection was closed early")))

    def _first_byte(self, reply: Reply) -> int:
        """Where the body begins, at most at what we have.

        Raises:
            Retryable: it is not this file, or begins after that.
            HubError: "captive_portal", it is a web page.
        """
        if is_page_for(self._path, reply.headers):
            raise captive_portal(reply.host)
        if reply.status == _RANGE_REFUSED:
            raise Retryable(bad_reply(reply.host, "HTTP 416"), start_again=True)
        # a mirror may strip headers: without one, what was asked for is believed
        start, total = self._have, ""
        if reply.status != _PARTIAL_CONTENT:
            start, total = 0, reply.headers.get("content-length", "")
        elif found := _CONTENT_RANGE.match(reply.headers.get("content-range", "")):
            start, total = int(found[1]), found[3]
        if total.isdecimal() and int(total) != self._blob.size_bytes:
            error = wrong_size(self._path, int(total), self._blob.size_bytes)
            raise Retryable(error)
        if start > self._have:
            raise Retryable(bad_reply(reply.host, _("wrong range")))
        return start

    def _write(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view:
            written = os.write(self._file, view)
            view = view[written:]
            self._have += written
            self._meter.add(self._blob.etag, written, self._path)

    def _start_again(self) -> None:
        os.ftruncate(self._file, 0)
        self._have = 0
        self._meter.set(self._blob.etag, 0)
