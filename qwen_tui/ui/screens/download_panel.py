"""One download at a time: what to fetch and from where, how far it is, pause."""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from textual import getters, on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.jobs import DownloadEvent, download_request
from qwen_tui.i18n import _
from qwen_tui.settings import Settings
from qwen_tui.ui.screens.line_input import LineInput
from qwen_tui.ui.screens.model_text import Transfer, source_text, transfer_text
from qwen_tui.wire import (
    Download,
    DownloadDone,
    DownloadFailed,
    DownloadPlan,
    DownloadProgress,
    DownloadRetry,
    DownloadVerify,
)

RunDownload = Callable[[Download], AsyncGenerator[DownloadEvent]]
_SOURCES = ("official", "mirror")


class DownloadPanel(Vertical):
    """The line that asks for a repo and the line that tells how far it is."""

    class Said(Message):
        """There is something to tell: what happened, and what to do next."""

        def __init__(self, text: str, hint: str = "", tone: str = "") -> None:
            super().__init__()
            self.text = text
            self.hint = hint
            self.tone = tone

    class Finished(Message):
        """A model is here, in the folder `path`; empty: only a part of one."""

        def __init__(self, path: str = "") -> None:
            super().__init__()
            self.path = path

    class AskingChanged(Message):
        """The line that asks for a repo was opened or closed."""

    repo_input = getters.query_one(LineInput)

    def __init__(self, settings: Settings, *, run: RunDownload) -> None:
        super().__init__(id="download")
        self._settings = settings
        self._own_endpoint = settings.downloads.endpoint
        self._run = run
        self._transfer: Transfer | None = None
        self.source = self._own_endpoint
        """"official", "mirror" or a URL: where the next download comes from."""

    def compose(self) -> ComposeResult:
        yield Static(id="download-question", markup=False)
        yield LineInput(id="download-input")
        yield Static(id="download-progress", markup=False)

    def on_resize(self) -> None:
        self._draw()

    @property
    def is_asking(self) -> bool:
        """Whether the line that asks for a repo is open."""
        return self.has_class("-asking")

    @property
    def is_running(self) -> bool:
        """Whether bytes are on their way."""
        return self._transfer is not None and self._transfer.phase == "running"

    def ask(self, repo: str) -> None:
        """Open the line that asks for a repo, with `repo` in it."""
        self.add_class("-asking")
        self.repo_input.value = repo
        self.repo_input.cursor_position = len(repo)
        self.repo_input.focus()
        self._draw()
        self.post_message(self.AskingChanged())

    def stop_asking(self) -> None:
        """Close that line."""
        self.remove_class("-asking")
        self.post_message(self.AskingChanged())

    def next_source(self) -> None:
        """Take the next source, for this run of the program only."""
        known = list(dict.fromkeys([self._own_endpoint, *_SOURCES]))
        self.source = known[(known.index(self.source) + 1) % len(known)]
        self._draw()
        if self.is_running:
            self._say(_("From the next download on; p twice moves this one."))

    def pause_or_resume(self) -> None:
        """Pause what runs, go on with what is paused."""
        if self._transfer is None:
            self._say(_("Nothing is being downloaded."))
        elif self.is_running:
            self.pause()
        else:
            self._start(self._transfer.request.repo)

    def pause(self) -> None:
        """End the running download; what is here stays and is used next time."""
        assert self._transfer is not None
        self.workers.cancel_group(self, "download")
        self._transfer.phase = "paused"
        self._draw()
        self._say(_("Paused. What is here is kept: p goes on, after a restart d does."))
        self.post_message(self.Finished())

    @on(LineInput.Submitted)
    def take_name(self, event: LineInput.Submitted) -> None:
        event.stop()
        name = event.value.strip()
        if name and self._start(name):
            self.stop_asking()

    def _start(self, repo: str) -> bool:
        settings = self._settings
        try:
            request = download_request(
                repo,
                endpoint=self.source,
                cache_dir=settings.hf_cache,
                # the token lies in the HF_HOME in force
                environ={**os.environ, "HF_HOME": str(settings.hf_home)},
            )
        except QwenTuiError as error:
            self._say(error.message, error.hint, tone="error")
            return False
        request = replace(request, connections=settings.downloads.connections)
        before = self._transfer
        self._transfer = Transfer(request)
        if before is not None and before.request.repo == request.repo:
            self._transfer.done_bytes = before.done_bytes
            self._transfer.total_bytes = before.total_bytes
        self._say("")
        self._draw()
        self._fetch(request)
        return True

    @work(exclusive=True, group="download")
    async def _fetch(self, request: Download) -> None:
        async with aclosing(self._run(request)) as messages:
            async for message in messages:
                self._take(message)

    def _take(self, message: DownloadEvent) -> None:
        transfer = self._transfer
        if transfer is None:
            return
        match message:
            case DownloadPlan(total_bytes=total, have_bytes=have):
                transfer.done_bytes, transfer.total_bytes = have, total
            case DownloadProgress(done_bytes=done, total_bytes=total, bytes_per_s=rate):
                transfer.done_bytes, transfer.total_bytes = done, total
                transfer.bytes_per_s = rate
            case DownloadRetry(file=file, reason=reason, wait_s=wait_s):
                text = _("{file}: {reason}. Trying again in {n} s.")
                self._say(text.format(file=file, reason=reason, n=round(wait_s)))
            case DownloadVerify(file=file):
                self._say(_("Checking {file}").format(file=file))
            case DownloadDone(path=path):
                self._transfer = None
                text = _("{name} is here. Enter loads it.")
                self._say(text.format(name=transfer.request.repo), tone="good")
                self.post_message(self.Finished(path))
            case DownloadFailed(message=text, hint=hint):
                transfer.phase = "paused"
                self._say(text, hint, tone="error")
                self.post_message(self.Finished())
        self._draw()

    def _say(self, text: str, hint: str = "", *, tone: str = "") -> None:
        self.post_message(self.Said(text, hint, tone))

    def _draw(self) -> None:
        question = _("Repo to download, such as Qwen/Qwen3-0.6B, from {source}:")
        text = question.format(source=source_text(self.source))
        self.query_one("#download-question", Static).update(Content(text))
        self.set_class(self._transfer is not None, "-transfer")
        if self._transfer is not None:
            line = transfer_text(self._transfer, max(self.size.width - 2, 1))
            self.query_one("#download-progress", Static).update(Content(line))
