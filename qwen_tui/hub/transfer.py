"""Fetch one blob: take the lock, fill the partial, check the hash, publish."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.hub.claim import Claim, ClaimLost, owner_of, try_claim
from qwen_tui.hub.client import HubClient
from qwen_tui.hub.digest import file_hash
from qwen_tui.hub.faults import clause, wrong_hash
from qwen_tui.hub.fill import Filling
from qwen_tui.hub.plan import Blob, Plan
from qwen_tui.hub.progress import Meter, Report, Retrying, Verifying
from qwen_tui.hub.publish import Target
from qwen_tui.hub.retry import Retries, Stopped, TransferOptions
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line


@dataclass(frozen=True, slots=True)
class Transfer:
    """Everything that fetching one blob after the other needs."""

    plan: Plan
    client: HubClient
    target: Target
    meter: Meter
    stop: threading.Event
    report: Callable[[Report], None]
    options: TransferOptions

    def fetch(self, blob: Blob) -> None:
        """Make sure that the blob is there under its name, checked and linked.

        Raises:
            QwenTuiError: it cannot be had; what came so far is kept.
            OSError: the disk refuses.
            Stopped: asked to stop.
        """
        lock_file = self.target.lock_file(blob)
        wait_s = self.options.lock_wait_s
        while not self.stop.is_set():
            with try_claim(lock_file, wait_s) as claim:
                if claim is not None:
                    with contextlib.suppress(ClaimLost):
                        self._fetch_claimed(blob, claim)
                        return
            reason = _waiting_for(lock_file)
            self.report(Retrying(blob.paths[0], reason, wait_s, is_lock=True))
        raise Stopped

    def _fetch_claimed(self, blob: Blob, claim: Claim) -> None:
        target = self.target
        if not target.is_published(blob, lambda file: self._hash(blob, file)):
            partial = target.partial(blob)
            partial.parent.mkdir(parents=True, exist_ok=True)
            self._fill(blob, partial, claim)
            if self._hash(blob, partial) != blob.etag:
                self._fetch_anew(blob, partial, claim)
            claim.check()
        target.publish(blob)
        self.meter.set(blob.etag, blob.size_bytes)

    def _fetch_anew(self, blob: Blob, partial: Path, claim: Claim) -> None:
        """Fetch a blob again whose bytes were wrong, once."""
        error = wrong_hash(blob.paths[0])
        self.report(Retrying(blob.paths[0], clause(error), 0.0))
        partial.unlink()
        self._fill(blob, partial, claim)
        if self._hash(blob, partial) != blob.etag:
            partial.unlink()  # or the next run would go on with bad bytes
            raise error

    def _hash(self, blob: Blob, file: Path) -> str:
        """The hash of a file, telling how far it is when it takes a while."""
        tell_at = time.monotonic() + self.options.silent_hash_s

        def step(done_bytes: int) -> None:
            nonlocal tell_at
            if self.stop.is_set():
                raise Stopped
            if time.monotonic() >= tell_at:
                tell_at += self.options.report_interval_s
                self.report(Verifying(blob.paths[0], done_bytes, blob.size_bytes))

        return file_hash(file, blob.etag, step)

    def _fill(self, blob: Blob, partial: Path, claim: Claim) -> None:
        """Bring the partial to its full size, and to the disk."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        file = os.open(partial, flags, 0o666)
        retries = Retries(self.options, self.stop, self.report)

        def check() -> None:
            if self.stop.is_set():
                raise Stopped
            claim.check()

        try:
            filling = Filling(
                self.plan, blob, file, client=self.client, meter=self.meter
            )
            filling.run(retries, check)
            os.fsync(file)
        finally:
            os.close(file)


def _waiting_for(lock_file: Path) -> str:
    owner = owner_of(lock_file)
    if owner is None:  # another tool's, or gone this moment
        return _("another program is fetching this file")
    return _("another program is fetching this file ({host}, process {pid})").format(
        host=sanitize_line(owner.host), pid=owner.pid
    )
