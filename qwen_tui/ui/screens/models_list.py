"""Which models the table shows, in which order; no Textual."""

from collections.abc import Sequence
from dataclasses import replace

from qwen_tui.hub.catalog import load_catalog
from qwen_tui.hub.fit import Fit
from qwen_tui.i18n import N_, _
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.screens.model_entries import (
    Known,
    ModelEntry,
    job_key,
    make_entries,
    row_of,
)
from qwen_tui.ui.screens.model_order import Sort, Tab, shown_entries, sort_entries
from qwen_tui.ui.widgets.model_row import ModelRow

_TABS: tuple[Tab, ...] = ("all", "local", "fits")
_SORTS: tuple[Sort, ...] = ("state", "name", "size", "fit")
_FOUND_SORTS: tuple[Sort, ...] = ("downloads", "date", "name", "size", "state")
_CONTEXTS = tuple(1024 * n for n in (4, 8, 16, 32, 64, 128, 256))
_DEFAULT_CONTEXT = 32768
_EMPTY: dict[Tab, str] = {
    "all": N_("No model is called so."),
    "local": N_("There is no model on this machine yet."),
    "fits": N_("None fits."),
    "found": N_("Nothing was found."),
}


class ModelsList:
    """Tab, order and context that were chosen, and the rows they make.

    Attributes:
        tab: Which models are shown.
        context: Tokens that memory is estimated for.
        rows: What the table shows.
        job_states: The state of each job when `rows` was made.
    """

    def __init__(self, desk: ModelDesk) -> None:
        self._desk = desk
        self.tab: Tab = "all"
        self.context = _DEFAULT_CONTEXT
        self.rows: list[ModelRow] = []
        self.job_states: dict[str, str] = {}
        self._sorts: dict[bool, Sort] = {False: "state", True: "downloads"}
        self._entries: dict[str, ModelEntry] = {}
        self._fits: dict[str, Fit] = {}

    @property
    def tabs(self) -> Sequence[Tab]:
        """The tabs there are: one more once something was searched for."""
        return (*_TABS, "found") if self._desk.found else _TABS

    @property
    def sort(self) -> Sort:
        """What the tab is sorted by."""
        return self._sorts[self.tab == "found"]

    def entry(self, key: str) -> ModelEntry | None:
        """The model with this key."""
        return self._entries.get(key)

    def fit(self, key: str) -> Fit:
        """Whether a model fits the machine."""
        return self._fits.get(key, "unknown")

    def key_of(self, path: str) -> str:
        """The key of the model that lies at `path`; empty where none does."""
        for entry in self._entries.values():
            if path and entry.disk is not None:
                place = entry.disk.model.source.path
                if place == path or place.startswith(f"{path}/"):
                    return entry.key
        return ""

    def update(self, words: str) -> None:
        """Make the rows from what is known now, those that hold the words."""
        desk = self._desk
        jobs = desk.queue.jobs
        self.job_states = {job.id: job.state for job in jobs}
        known = Known(
            disk=desk.on_disk,
            catalog=list(load_catalog().values()),
            found=desk.found,
            jobs=[job for job in jobs if job.state != "done"],
            infos=desk.infos,
            checks=desk.checks,
            in_use=desk.in_use(),
            cache_dir=str(desk.settings.hf_cache),
        )
        entries = make_entries(known)
        self._entries = {entry.key: entry for entry in entries}
        self._fits = {e.key: e.fit(self.context, desk.machine) for e in entries}
        if not desk.has_looked:
            self.rows = []  # rows that come in between would move the cursor
            return
        shown = shown_entries(entries, tab=self.tab, words=words, fits=self._fits)
        ordered = sort_entries(shown, self.sort, self._fits)
        self.rows = [row_of(entry, self._fits[entry.key]) for entry in ordered]

    def update_jobs(self) -> None:
        """Bring the rows of jobs up to date, and nothing else."""
        cache_dir = str(self._desk.settings.hf_cache)
        for job in self._desk.queue.jobs:
            entry = self._entries.get(job_key(job, cache_dir))
            if entry is not None and job.state != "done":
                entry = replace(entry, job=job)
                self._entries[entry.key] = entry
                self._fits[entry.key] = entry.fit(self.context, self._desk.machine)
        self.rows = [
            row_of(entry, self._fits[row.key])
            if (entry := self._entries[row.key]).job is not None
            else row
            for row in self.rows
        ]

    def empty_text(self) -> str:
        """What is told where there is no row."""
        if not self._desk.has_looked:
            return _("Looking at the disk")
        return _(_EMPTY[self.tab])

    def show_tab(self, tab: Tab) -> None:
        """Show another tab."""
        self.tab = tab

    def next_tab(self, step: int) -> None:
        """Go on to the next tab."""
        tabs = self.tabs
        place = tabs.index(self.tab) if self.tab in tabs else 0
        self.tab = tabs[(place + step) % len(tabs)]

    def next_sort(self) -> Sort:
        """Sort by the next thing."""
        found = self.tab == "found"
        sorts = _FOUND_SORTS if found else _SORTS
        self._sorts[found] = sorts[(sorts.index(self.sort) + 1) % len(sorts)]
        return self.sort

    def change_context(self, step: int) -> int:
        """Estimate memory for more or less context; returns the tokens."""
        place = _CONTEXTS.index(self.context) + step
        self.context = _CONTEXTS[max(0, min(place, len(_CONTEXTS) - 1))]
        return self.context
