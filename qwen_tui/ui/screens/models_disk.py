"""Models on the disk: delete, revisions, and what downloads left unfinished."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from qwen_tui.hub.cache import LocalModel
from qwen_tui.hub.delete import Deletion, delete, plan_deletion
from qwen_tui.hub.partials import Partial, list_partials, purge_partials
from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.screens.model_entries import ModelEntry
from qwen_tui.ui.screens.models_view import ModelsView
from qwen_tui.ui.widgets.line_text import (
    age_text,
    fit,
    fit_middle,
    long_size,
    size_text,
)
from qwen_tui.ui.widgets.sheet import SheetRow
from qwen_tui.ui.widgets.tones import Line

REVISIONS = "revisions"
PARTIALS = "partials"
_SHORT_COMMIT = 8
_NORMAL = 60
_AGE = 14
_OTHERS = 58  # cells of a row of leftovers beside the name


class DiskActions:
    """What the keys x, r and o do."""

    def __init__(self, view: ModelsView) -> None:
        self._view = view
        self._model: LocalModel | None = None
        self._partials: list[Partial] = []

    @property
    def _desk(self) -> ModelDesk:
        return self._view.desk

    # Deleting

    def delete(self, model: LocalModel, commits: tuple[str, ...] = ()) -> None:
        """Ask, then delete a model or some of its revisions."""
        self._view.start(self._ask_to_delete(model, commits), "delete")

    async def _ask_to_delete(self, model: LocalModel, commits: tuple[str, ...]) -> None:
        cache_dir = self._desk.settings.hf_cache
        plan = await asyncio.to_thread(
            plan_deletion, model, commits, cache_dir=cache_dir
        )
        question = _("Delete {title}? It frees {size}.").format(
            title=plan.title, size=long_size(plan.freed_bytes)
        )
        work = self._delete
        self._view.confirm(question, lambda: self._view.see_through(work(plan)))

    async def _delete(self, plan: Deletion) -> None:
        self._view.say(_("Deleting {title}").format(title=plan.title), tone="busy")
        freed = await asyncio.to_thread(delete, plan, in_use=self._desk.in_use())
        text = _("{title} is deleted; {size} are free again.")
        self._view.say(text.format(title=plan.title, size=long_size(freed)))
        if self._view.sheet.is_open:
            self._view.sheet.close()
        self._view.look_again()

    # Revisions

    def show_revisions(self, entry: ModelEntry) -> None:
        """List what is here of a cached repo."""
        model = entry.disk.model if entry.disk is not None else None
        if model is None or not model.revisions:
            self._view.say(_("It has no revisions: it does not lie in the cache."))
            return
        self._model = model
        self._view.open_sheet(REVISIONS, lambda: _revisions_of(model))

    def delete_revision(self, commit: str) -> None:
        """Ask, then delete one of the revisions that are listed."""
        if self._model is not None and commit:
            self.delete(self._model, (commit,))

    # Leftovers

    def show_partials(self) -> None:
        """List unfinished files, ours and other tools'."""
        self._view.start(self._show_partials(), "partials")

    async def _show_partials(self) -> None:
        settings = self._desk.settings
        found = await asyncio.to_thread(
            list_partials, settings.hf_cache, list(settings.model.folders)
        )
        if not found:
            self._view.say(_("There are no unfinished files."))
            return
        wanted = {job.repo for job in self._desk.queue.jobs if job.state != "done"}
        wanted |= {job.local_dir for job in self._desk.queue.jobs if job.local_dir}
        self._partials = [p for p in found if not p.in_use and p.repo not in wanted]
        self._view.open_sheet(PARTIALS, lambda: self._leftovers(found, wanted))

    def _leftovers(
        self, found: Sequence[Partial], wanted: set[str]
    ) -> tuple[str, Sequence[SheetRow]]:
        width = self._view.size.width
        rows = [SheetRow(str(p.path), _partial_line(p, wanted, width)) for p in found]
        size = sum(partial.size_bytes for partial in self._partials)
        title = _("Unfinished files: all belong to downloads")
        if self._partials:
            text = _("Unfinished files: Enter deletes what nobody needs, {size}")
            title = text.format(size=long_size(size))
        return title, rows

    def purge(self) -> None:
        """Ask, then delete the unfinished files that no download needs."""
        doomed = self._partials
        if not doomed:
            self._view.say(_("Each of them belongs to a download."))
            return
        text = ngettext(
            "Delete {n} unfinished file? It frees {size}.",
            "Delete {n} unfinished files? It frees {size}.",
            len(doomed),
        )
        size = sum(partial.size_bytes for partial in doomed)
        question = text.format(n=len(doomed), size=long_size(size))
        work = self._purge
        self._view.confirm(question, lambda: self._view.see_through(work(doomed)))

    async def _purge(self, doomed: Sequence[Partial]) -> None:
        freed = await asyncio.to_thread(purge_partials, doomed)
        self._view.sheet.close()
        self._view.say(_("{size} are free again.").format(size=long_size(freed)))
        self._view.look_again()


def _revisions_of(model: LocalModel) -> tuple[str, Sequence[SheetRow]]:
    rows = [
        SheetRow(
            revision.commit,
            _revision_line(
                revision.commit[:_SHORT_COMMIT],
                "/".join(revision.refs),
                f"{size_text(revision.size_bytes)} "
                + _("(frees {size})").format(size=size_text(revision.freed_bytes)),
                _age(revision.last_used),
                loaded=revision.commit == model.source.revision,
            ),
        )
        for revision in model.revisions
    ]
    text = _("Revisions of {repo}: x deletes one, Esc closes")
    return text.format(repo=model.repo), rows


def _revision_line(
    commit: str, refs: str, size: str, used: str, *, loaded: bool
) -> Line:
    mark = "* " if loaded else "  "
    return [
        (f"{mark}{fit(commit, 10)}", "plain"),
        (fit(refs, 16), "dim"),
        (fit(size, 26), "plain"),
        (used, "dim"),
    ]


def _partial_line(partial: Partial, wanted: set[str], width: int) -> Line:
    if partial.in_use:
        whose, tone = _("being fetched"), "busy"
    elif partial.repo in wanted:
        whose, tone = _("of a paused download"), "warning"
    elif partial.ours:
        whose, tone = _("ours, a download goes on with it"), "plain"
    else:
        whose, tone = _("left by another tool"), "dim"
    name = partial.repo if "/" in partial.repo else Path(partial.repo).name
    name_cells = min(max(width - _OTHERS, 16), 40)
    age_cells = _AGE if width >= _NORMAL else 0
    return [
        (fit_middle(sanitize_line(name), name_cells), "plain"),
        (" " + fit(size_text(partial.size_bytes), 7), "plain"),
        (fit(_age(partial.modified), age_cells), "dim"),
        (whose, tone),
    ]


def _age(moment: float | None) -> str:
    if moment is None:
        return ""
    return age_text(time.time() - moment)
