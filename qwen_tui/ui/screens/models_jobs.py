"""Downloads on the models screen: what to fetch and where to, pause, cancel."""

import asyncio
from pathlib import Path

from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.catalog import repo_of
from qwen_tui.hub.fit import Fit, judge, memory_need
from qwen_tui.hub.machine import disk_free
from qwen_tui.hub.quantisations import quantisations, with_gguf
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.screens.model_entries import job_key
from qwen_tui.ui.screens.model_status import models_folder, source_text
from qwen_tui.ui.screens.models_view import ModelsView
from qwen_tui.ui.widgets.line_text import GAP, long_size
from qwen_tui.ui.widgets.model_lines import context_text
from qwen_tui.ui.widgets.model_row import FITS
from qwen_tui.ui.widgets.tones import Line, wrap
from qwen_tui.wire_hub import RemoteInfo

_SHORT_COMMIT = 8


class JobActions:
    """What the keys d, p and x do to downloads."""

    def __init__(self, view: ModelsView) -> None:
        self._view = view
        self._info: RemoteInfo | None = None
        self._gguf = ""
        self._free_bytes: int | None = None

    @property
    def _desk(self) -> ModelDesk:
        return self._view.desk

    # Fetching

    def ask(self, repo: str = "") -> None:
        """Open the sheet that asks what to fetch, with `repo` in it."""
        if not self._view.may_ask_hub():
            return
        self._view.download_sheet.ask_name(self._repo_question, repo)

    def _repo_question(self) -> str:
        source = source_text(self._desk.source)
        text = _("Repo to download (id or alias), from {source}:")
        return text.format(source=source)

    def look_up(self, name: str) -> None:
        """Ask the hub what it would be, before anything is fetched."""
        if not self._view.download_sheet.is_open:
            return

        def told() -> str:
            source, repo = source_text(self._desk.source), repo_of(name)
            return _("Asking {source} for {repo}").format(source=source, repo=repo)

        self._view.download_sheet.wait(told)
        self._view.start(self._look_up(name), "info")

    async def _look_up(self, name: str) -> None:
        sheet = self._view.download_sheet
        try:
            self._info = info = await self._desk.info(name)
            self._gguf = _wanted_gguf(info)
        except QwenTuiError as error:
            if sheet.is_open:
                self.ask(name)
            self._view.say_error(error)
            return
        if not sheet.is_open:
            return
        cache = self._desk.settings.hf_cache
        self._free_bytes = await asyncio.to_thread(_free_bytes, cache)
        self._show_facts(info)

    def _show_facts(self, info: RemoteInfo) -> None:
        self._view.download_sheet.show_facts(
            lambda: _(
                "Enter downloads it into the cache, f into a folder, Esc goes back."
            ),
            lambda: self._info_lines(info, self._free_bytes),
        )

    def next_gguf(self) -> None:
        """Want the next quantisation of what was looked up, where there are several."""
        if self._info is None or not self._gguf:
            return
        names = [offer.name for offer in quantisations(self._info.files)]
        self._gguf = names[(names.index(self._gguf) + 1) % len(names)]
        self._info = with_gguf(self._info, self._gguf)
        self._show_facts(self._info)

    def describe(self, repo: str) -> None:
        """Ask the hub of a repo, for the pane alone."""
        if not self._desk.is_offline:
            self._view.start(self._describe(repo), "info")

    async def _describe(self, repo: str) -> None:
        if repo not in self._desk.infos:
            await self._desk.info(repo)
        self._view.draw()

    def ask_folder(self) -> None:
        """Ask for the folder that shall hold plain files."""
        if self._info is not None:
            self._view.download_sheet.ask_folder(
                lambda: _("Folder for plain files, without links:"),
                models_folder(self._info.repo),
            )

    def confirm_download(self, folder: str) -> None:
        """Queue what was looked up; `folder` is empty for the cache."""
        info = self._info
        self._view.download_sheet.close()
        if info is not None:
            local_dir = Path(folder).expanduser().absolute() if folder else None
            self._view.see_through(self._queue(info.repo, local_dir))

    async def _queue(self, repo: str, local_dir: Path | None) -> None:
        gguf = self._gguf
        job = await self._desk.download(repo, local_dir=local_dir, gguf=gguf)
        self._view.draw(job_key(job, str(self._desk.settings.hf_cache)))
        state = self._desk.queue.job(job.id).state
        queued, running = _("{repo} is queued."), _("Downloading {repo}.")
        text = queued if state == "queued" else running
        if state in ("queued", "running"):  # else its end was told already
            hint = _("It goes on when you leave this screen.")
            self._view.say(text.format(repo=job.repo), hint)

    def _info_lines(self, info: RemoteInfo, disk_bytes: int | None) -> list[Line]:
        n = sum(file.wanted for file in info.files)
        files = ngettext("{n} file, {size}", "{n} files, {size}", n).format(
            n=n, size=long_size(info.wanted_bytes)
        )
        head = [sanitize_line(info.repo), info.commit[:_SHORT_COMMIT], files]
        if info.license:
            head.append(sanitize_line(info.license))
        lines: list[Line] = [[(GAP.join(head), "strong")]]
        if self._gguf:
            lines += self._gguf_lines(info)
        if info.gated:
            text = _(
                "Its owner decides who may download it: accept the terms on its page "
                "of the hub, then log in with: hf auth login"
            )
            lines += wrap(text, max(self._view.size.width - 2, 1), "warning")
        lines.append(_disk_line(info.wanted_bytes, disk_bytes))
        lines.append(self._memory_line(info))
        return lines

    def _gguf_lines(self, info: RemoteInfo) -> list[Line]:
        names = [offer.name for offer in quantisations(info.files)]
        text = _("quantisation: {name}; q takes the next of {names}").format(
            name=sanitize_line(self._gguf), names=sanitize_line(", ".join(names))
        )
        return wrap(text, max(self._view.size.width - 2, 1), "plain")

    def _memory_line(self, info: RemoteInfo) -> Line:
        machine = self._desk.machine
        context = min(
            self._view.models.context, info.context_length or self._view.models.context
        )
        kind = machine.device_kind if machine is not None else "cpu"
        need = memory_need(
            info.config,
            info.weights_bytes or info.wanted_bytes,
            context,
            device_kind=kind,
        )
        free = machine.free_bytes if machine is not None else None
        word, tone = FITS[judge(need, free)]
        text = _("memory: {weights} + KV at {context} {kv} + {overhead}, free {free}")
        shown = text.format(
            weights=long_size(need.weights_bytes),
            context=context_text(context),
            kv=long_size(need.kv_bytes),
            overhead=long_size(need.overhead_bytes),
            free=long_size(free) if free is not None else "?",
        )
        return [(shown, "plain"), (f" => {_(word)}", tone)]

    # Pause, resume, cancel

    def pause_or_resume(self) -> None:
        """Pause what runs, go on with what is paused: the one under the cursor."""
        job = self._job()
        if job is None:
            self._view.say(_("Nothing is being downloaded."))
        elif job.is_active:
            self._view.see_through(self._pause(job))
        else:
            self._view.see_through(self.resume(job))

    async def _pause(self, job: DownloadJob) -> None:
        await self._desk.queue.pause(job.id)
        self._view.say(_("Paused. What is here is kept."), _("p goes on."))

    async def resume(self, job: DownloadJob) -> None:
        """Go on with a job, from the source that is in force now."""
        await self._desk.queue.resume(job.id, endpoint=self._desk.source)
        self._view.say("")

    def cancel(self, job: DownloadJob) -> None:
        """Ask, then end a job and delete what it has fetched in part."""
        self._view.start(self._ask_to_cancel(job), "cancel")

    async def _ask_to_cancel(self, job: DownloadJob) -> None:
        preview = await self._desk.queue.cancel_preview(job.id)
        parts = [_("Cancel the download of {repo}?").format(repo=job.repo)]
        if preview.n_partials:
            n = preview.n_partials
            text = ngettext(
                "{n} unfinished file ({size}) is deleted.",
                "{n} unfinished files ({size}) are deleted.",
                n,
            )
            parts.append(text.format(n=n, size=long_size(preview.partial_bytes)))
        if preview.n_finished_files:
            n = preview.n_finished_files
            text = ngettext("{n} whole file stays.", "{n} whole files stay.", n)
            parts.append(text.format(n=n))
        work = self._cancel
        self._view.confirm(" ".join(parts), lambda: self._view.see_through(work(job)))

    async def _cancel(self, job: DownloadJob) -> None:
        await self._desk.queue.cancel(job.id)
        self._view.say(_("The download of {repo} is cancelled.").format(repo=job.repo))
        self._view.look_again()

    def _job(self) -> DownloadJob | None:
        """The job under the cursor, else the only one that is not done."""
        entry = self._view.selected
        if entry is not None and entry.job is not None and entry.job.state != "done":
            return entry.job
        open_jobs = [job for job in self._desk.queue.jobs if job.state != "done"]
        return open_jobs[0] if len(open_jobs) == 1 else None


def _wanted_gguf(info: RemoteInfo) -> str:
    """The quantisation that is taken of several; empty where there is no choice."""
    offers = quantisations(info.files)
    wanted = {file.path for file in info.files if file.wanted}
    taken = [offer.name for offer in offers if wanted.issuperset(offer.paths)]
    return taken[0] if taken and len(offers) > 1 else ""


def _disk_line(wanted_bytes: int, free_bytes: int | None) -> Line:
    if free_bytes is None:
        return [(_("disk: the free space is not known"), "warning")]
    fit: Fit = "fits" if wanted_bytes < free_bytes else "too_big"
    word, tone = FITS[fit]
    text = _("disk: {size}, free {free}").format(
        size=long_size(wanted_bytes), free=long_size(free_bytes)
    )
    return [(text, "plain"), (f" => {_(word)}", tone)]


def _free_bytes(folder: Path) -> int | None:
    try:
        return disk_free(folder)
    except OSError:
        return None
