"""Whether the bytes of a model are right, and what to do where they are not."""

import asyncio
import threading
import time
from collections.abc import Sequence

from qwen_tui.hub.cache import LocalModel
from qwen_tui.hub.verify import (
    BadFile,
    VerifyProgress,
    VerifyResult,
    discard_bad,
    verify_model,
)
from qwen_tui.i18n import _, ngettext
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.screens.model_entries import ModelEntry
from qwen_tui.ui.screens.models_view import ModelsView
from qwen_tui.ui.widgets.line_text import percent_of

_TELL_S = 0.25
_NOTE_S = 2.0


class VerifyActions:
    """What the key v does, one model at a time."""

    def __init__(self, view: ModelsView) -> None:
        self._view = view
        self._stop: threading.Event | None = None
        self._tell_after = 0.0

    @property
    def _desk(self) -> ModelDesk:
        return self._view.desk

    @property
    def is_verifying(self) -> bool:
        """Whether files are being read."""
        return self._stop is not None

    def verify(self, entry: ModelEntry) -> None:
        """Hash every file of a model, and tell how far it is."""
        if self.is_verifying:
            self._view.say(_("One at a time: Esc stops the verification."))
            self._tell_after = time.monotonic() + _NOTE_S
        elif entry.disk is None:
            self._view.say(_("Nothing of it is on this machine."))
        else:
            self._view.start(self._verify(entry, entry.disk.model), "verify")

    def stop_verifying(self) -> None:
        """End it at the next step."""
        if self._stop is not None:
            self._stop.set()
            self._view.say(_("The verification was stopped."))

    def abandon(self) -> None:
        """Let the thread end when the screen is left."""
        if self._stop is not None:
            self._stop.set()

    async def _verify(self, entry: ModelEntry, model: LocalModel) -> None:
        self._stop = stop = threading.Event()
        try:
            result = await self._hash_files(entry.name, model, stop)
        finally:
            stop.set()  # the thread ends, too, when the screen is left
            self._stop = None
        if result is None:
            return
        self._desk.checks[model.source.path] = result
        self._view.draw()
        if result.bad:
            self._offer_repair(entry, result.bad)
        else:
            self._tell_result(entry.name, result)

    async def _hash_files(
        self, name: str, model: LocalModel, stop: threading.Event
    ) -> VerifyResult | None:
        """Run in a thread that tells a few times a second how far it is."""
        loop = asyncio.get_running_loop()

        def tell(progress: VerifyProgress) -> None:
            now = time.monotonic()
            if not stop.is_set() and now >= self._tell_after:
                self._tell_after = now + _TELL_S
                self._tell_progress(name, progress)

        def run() -> VerifyResult | None:
            for step in verify_model(model, stop):
                if isinstance(step, VerifyResult):
                    return step
                loop.call_soon_threadsafe(tell, step)
            return None

        return await asyncio.to_thread(run)

    def _tell_progress(self, name: str, progress: VerifyProgress) -> None:
        percent = percent_of(progress.done_bytes, progress.total_bytes)
        text = _("Verifying {name} {percent}%: {file}   Esc stops").format(
            name=name, percent=percent, file=progress.file
        )
        self._view.say(text, tone="busy")

    def _tell_result(self, name: str, result: VerifyResult) -> None:
        n = result.checked
        text = ngettext(
            "{name}: {n} file is what it should be.",
            "{name}: {n} files are what they should be.",
            n,
        ).format(name=name, n=n)
        hint = ""
        if result.unknown:
            n = len(result.unknown)
            hint = ngettext(
                "Of {n} file no hash is known.", "Of {n} files no hash is known.", n
            ).format(n=n)
        if not result.checked:
            text = _("{name}: no hash is known of its files.").format(name=name)
            hint = ""
        self._view.say(text, hint, tone="good" if result.checked else "")

    def _offer_repair(self, entry: ModelEntry, bad: Sequence[BadFile]) -> None:
        names = ", ".join(file.path_in_repo for file in bad)
        text = ngettext(
            "{n} file is damaged: {names}.", "{n} files are damaged: {names}.", len(bad)
        ).format(n=len(bad), names=names)
        self._view.say(text, tone="error")
        if entry.repo:
            question = ngettext(
                "{names}: fetch it again?", "{names}: fetch them again?", len(bad)
            ).format(names=names)
            work = self._repair
            self._view.confirm(
                question, lambda: self._view.see_through(work(entry, bad))
            )

    async def _repair(self, entry: ModelEntry, bad: Sequence[BadFile]) -> None:
        """Fetch the bad files alone, of the very revision that has them."""
        await asyncio.to_thread(discard_bad, bad)
        if entry.disk is not None:
            self._desk.checks.pop(entry.disk.model.source.path, None)
        for revision in dict.fromkeys(file.revision for file in bad):
            paths = {f.path_in_repo: f for f in bad if f.revision == revision}
            await self._desk.download(
                entry.repo, revision=revision or "main", only=tuple(paths)
            )
        n = len(bad)
        text = ngettext("Fetching {n} file again.", "Fetching {n} files again.", n)
        self._view.say(text.format(n=n))

    def repair_known(self, entry: ModelEntry) -> None:
        """Offer to fetch again what a verification found damaged."""
        if entry.check is not None:
            self._offer_repair(entry, entry.check.bad)
