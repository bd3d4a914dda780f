"""The models screen as it looks: what it is made of, and how it draws what is known."""

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, suppress
from typing import Any, Literal

from rich.cells import cell_len
from textual import getters
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widgets import Static

from qwen_tui.chat.backend import ModelSource
from qwen_tui.errors import HubError, QwenTuiError
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.screens.model_entries import ModelEntry
from qwen_tui.ui.screens.model_status import jobs_text
from qwen_tui.ui.screens.model_views import detail_of
from qwen_tui.ui.screens.models_frame import hints_text, place_text, title_text
from qwen_tui.ui.screens.models_list import ModelsList
from qwen_tui.ui.widgets.ask_line import AskLine
from qwen_tui.ui.widgets.bare_line import BareLine
from qwen_tui.ui.widgets.confirm_line import ConfirmLine
from qwen_tui.ui.widgets.download_sheet import DownloadSheet
from qwen_tui.ui.widgets.filter_bar import FilterBar
from qwen_tui.ui.widgets.line_text import GAP, two_lines
from qwen_tui.ui.widgets.model_pane import ModelPane
from qwen_tui.ui.widgets.model_table import ModelTable
from qwen_tui.ui.widgets.sheet import Listing, Sheet

StatusTone = Literal["", "good", "busy", "error"]
_FLUSH_S = 0.5
_NORMAL, _WIDE, _TALL = 60, 100, 16


class ModelsView(Screen[ModelSource | None]):
    """Draws, tells and asks; the keys are `ModelsScreen`'s."""

    CSS_PATH = "models.tcss"
    AUTO_FOCUS = "#models"
    HORIZONTAL_BREAKPOINTS = [(0, "-compact"), (_NORMAL, "-normal"), (_WIDE, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (_TALL, "-tall")]

    table = getters.query_one("#models", ModelTable)
    pane = getters.query_one(ModelPane)
    filter_bar = getters.query_one(FilterBar)
    ask_line = getters.query_one(AskLine)
    sheet = getters.query_one(Sheet)
    download_sheet = getters.query_one(DownloadSheet)
    confirm_line = getters.query_one(ConfirmLine)
    status = getters.query_one("#models-status", Static)

    def __init__(self, desk: ModelDesk) -> None:
        super().__init__()
        self.desk = desk
        self.models = ModelsList(desk)
        self._is_dirty = False
        self._said = ""
        self._put_texts: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield Static(id="models-title", markup=False)
        yield Static(id="models-place", markup=False)
        yield AskLine(id="models-ask")
        yield FilterBar()
        with Container(id="models-middle"):
            yield ModelTable(id="models")
            yield ModelPane(id="models-detail")
        yield Sheet(id="models-sheet")
        yield DownloadSheet(id="download")
        yield Static(id="models-status", markup=False)
        yield Static(id="models-hints", markup=False)
        yield ConfirmLine()
        yield BareLine()

    def on_mount(self) -> None:
        self.desk.listen(self._note_job)
        self.set_interval(_FLUSH_S, self._flush)

    def on_unmount(self) -> None:
        self.desk.unlisten(self._note_job)

    def on_resize(self) -> None:
        self.set_depth()
        self.draw()

    def relabel(self) -> None:
        """Say everything again in the active language."""
        self.say("")  # what was told is told in the other one
        self.draw()

    # What the parts ask of the screen

    @property
    def selected(self) -> ModelEntry | None:
        """The model under the cursor."""
        return self.models.entry(self.table.key)

    def say(self, text: str, hint: str = "", tone: StatusTone = "") -> None:
        """Tell what happened and what to do next; empty takes it back."""
        with self._while_here():
            one, two = f"{text}{GAP}{hint}".strip(), two_lines(text, hint)
            room = self.size.width - 2
            self._said = sanitize_line(one) if cell_len(one) <= room else two
            for name in ("good", "busy", "error"):
                self.status.set_class(name == tone, f"-{name}")
            self._draw_status()

    def say_error(self, error: QwenTuiError) -> None:
        """Tell what went wrong and what to do next."""
        self.say(error.message, error.hint, "error")

    def ask(self, purpose: str, question: Callable[[], str], value: str = "") -> None:
        """Ask for one line of text."""
        self.ask_line.ask(purpose, question, value)
        self.draw_frame()

    def open_sheet(self, purpose: str, listing: Listing) -> None:
        """Show a list."""
        self.sheet.open(purpose, listing)
        self.draw_frame()

    def confirm(self, question: str, on_yes: Callable[[], object]) -> None:
        """Ask on the bottom line."""
        with self._while_here():
            self.confirm_line.ask(question, on_yes)

    def may_ask_hub(self) -> bool:
        """Whether a request may be made; tells it where not."""
        try:
            self.desk.check_online()
        except HubError as error:
            self.say_error(error)
            return False
        return True

    def start(self, work: Coroutine[Any, Any, None], group: str) -> None:
        """Do something while the screen is there; of a group only the last."""
        self.run_worker(self._told(work), group=group, exclusive=True)

    def see_through(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something to its end, even when the screen is left meanwhile."""
        self.app.run_worker(self._told(work), group="models-work")

    def look_again(self, path: str = "", *, told: str = "") -> None:
        """Look at the disk again, go to the model at `path`, and tell of it."""
        self.start(self._look(path, told), "look")

    def show_found(self) -> None:
        """Show what a search found."""
        self.models.show_tab("found")
        self.draw()
        self.table.focus()

    def draw(self, key: str = "") -> None:
        """Draw everything from what is known now; go to the model with this key."""
        with self._while_here():
            self._draw(key)

    def _draw(self, key: str) -> None:
        self._is_dirty = False
        self.models.update(self.filter_bar.text)
        self._draw_table(key)
        self.filter_bar.show_tabs(self.models.tabs, self.models.tab)
        self.draw_pane()
        self.draw_frame()

    def _draw_table(self, key: str = "") -> None:
        models = self.models
        self.table.show(
            models.rows,
            key=key,
            found=models.tab == "found",
            sorted_by=models.sort,
            empty_text=models.empty_text(),
        )

    def draw_pane(self) -> None:
        """Tell of the model under the cursor."""
        entry = self.selected
        if entry is None:
            self.pane.show(None)
            return
        machine, context = self.desk.machine, self.models.context
        fit = self.models.fit(entry.key)
        self.pane.show(detail_of(entry, fit, machine=machine, context=context))

    def draw_frame(self) -> None:
        """Draw the lines around the table."""
        width = max(self.size.width - 2, 1)
        self._put("title", title_text(self.desk, width))
        self._put("place", place_text(self.desk, width))
        step = "table"
        if self.download_sheet.is_open:
            step = self.download_sheet.step
        elif self.sheet.is_open or self.ask_line.is_open:
            step = "answer"
        self._put("hints", hints_text(width, step=step))
        self._draw_status()

    def set_depth(self) -> None:
        """Let the pane tell as much as there is room for."""
        wide, tall = self.size.width >= _WIDE, self.size.height >= _TALL
        if wide or self.has_class("-inspect"):
            self.pane.set_depth("full")
        elif self.size.width >= _NORMAL and tall:
            self.pane.set_depth("short")
        else:
            self.pane.set_depth("line")

    def _while_here(self) -> AbstractContextManager[None]:
        """Do what follows unless the screen is being left: it loses its parts then."""
        return suppress(NoMatches)

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except QwenTuiError as error:
            self.say_error(error)

    async def _look(self, path: str, told: str) -> None:
        await self.desk.look_at_disk()
        self.draw()
        if key := self.models.key_of(path):
            self.draw(key)
        if told:
            self.say(told, tone="good")
        await self.desk.look_at_machine()
        self.draw()

    def _note_job(self, job: DownloadJob | None) -> None:
        """Draw at once what began or ended, and twice a second how far it is."""
        before = self.models.job_states
        if job is not None and before.get(job.id) == job.state:
            self._is_dirty = True
            return
        if job is not None and job.state == "done":
            # Its row stays under the cursor until the model takes its place: keys
            # pressed in between must not reach another model.
            self.desk.arrived = ""
            text = _("{name} is here. Enter loads it.").format(name=job.repo)
            self.look_again(job.path, told=text)
            return
        self.draw()
        if job is None and self.desk.queue.notice:
            self.say(self.desk.queue.notice, tone="error")
        if job is not None and job.state == "failed":
            self.say(job.message, job.hint, "error")

    def _flush(self) -> None:
        """Draw how far the jobs are: their rows, their pane, the line of jobs."""
        if not self._is_dirty:
            return
        self._is_dirty = False
        with self._while_here():
            self.models.update_jobs()
            self._draw_table()
            self.draw_pane()
            self._draw_status()

    def _draw_status(self) -> None:
        self._put("status", self._said or jobs_text(self.desk.queue.jobs))

    def _put(self, place: str, text: str) -> None:
        before = self._put_texts.get(place, "\n")
        if before == text:
            return
        self._put_texts[place] = text
        # one line for another needs no new layout, which would send the whole screen
        lines = f"{before}\n{text}".split("\n")
        one_each = len(lines) == 2 and max(map(cell_len, lines)) <= self.size.width - 2  # noqa: PLR2004
        line = self.query_one(f"#models-{place}", Static)
        line.update(Content(text), layout=not one_each)
