"""The models: what is here, what there is, what is on its way; all by the keyboard."""

from textual import on
from textual.binding import Binding

from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.clipboard import sent_note
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.screens.chat_help import HelpScreen
from qwen_tui.ui.screens.model_entries import refusal_text
from qwen_tui.ui.screens.models_disk import PARTIALS, REVISIONS, DiskActions
from qwen_tui.ui.screens.models_frame import MODEL_KEYS
from qwen_tui.ui.screens.models_jobs import JobActions
from qwen_tui.ui.screens.models_sources import HOME, SOURCES, URL, SourceActions
from qwen_tui.ui.screens.models_verify import VerifyActions
from qwen_tui.ui.screens.models_view import ModelsView
from qwen_tui.ui.widgets.ask_line import AskLine
from qwen_tui.ui.widgets.download_sheet import DownloadSheet
from qwen_tui.ui.widgets.filter_bar import FilterBar
from qwen_tui.ui.widgets.model_lines import context_text
from qwen_tui.ui.widgets.model_table import ModelTable
from qwen_tui.ui.widgets.sheet import Sheet

_ALWAYS = ("back", "help")


class ModelsScreen(ModelsView):
    """Routes keys and messages to the parts that act on them.

    Dismissed with the model that was chosen, or None. Downloads go on without it.
    """

    BINDINGS = [
        Binding("escape", "back", show=False),
        Binding("d", "download", show=False),
        Binding("p", "pause_or_resume", show=False),
        Binding("x,delete", "remove", show=False),
        Binding("v", "verify", show=False),
        Binding("r", "revisions", show=False),
        Binding("o", "partials", show=False),
        Binding("y,ctrl+c", "copy_id", show=False),
        Binding("i", "inspect", show=False),
        Binding("g", "search", show=False),
        Binding("m", "next_source", show=False),
        Binding("b", "probe", show=False),
        Binding("u", "own_source", show=False),
        Binding("h", "hf_home", show=False),
        Binding("s", "sort", show=False),
        Binding("t,right", "next_tab(1)", show=False),
        Binding("left", "next_tab(-1)", show=False),
        Binding("plus,equals_sign", "change_context(1)", show=False),
        Binding("minus", "change_context(-1)", show=False),
        Binding("slash", "filter", show=False),
        Binding("f5", "look_again", show=False),
        Binding("f1,question_mark", "help", show=False),
    ]

    def __init__(self, desk: ModelDesk, *, download_repo: str = "") -> None:
        """Show what stands behind the screen.

        Args:
            desk: Disk, queue, hub and settings; shared with the app.
            download_repo: Opens the download sheet at once, for this repo.
        """
        super().__init__(desk)
        self._download_repo = download_repo
        self._jobs = JobActions(self)
        self._disk = DiskActions(self)
        self._verify = VerifyActions(self)
        self._sources = SourceActions(self)

    def on_mount(self) -> None:
        self.look_again(self.desk.arrived)
        self.desk.arrived = ""
        if self._download_repo:
            self._jobs.ask(self._download_repo)
            self._jobs.look_up(self._download_repo)

    def on_unmount(self) -> None:
        self._verify.abandon()

    # What the widgets tell

    @on(ModelTable.Highlighted)
    def show_detail(self) -> None:
        self.draw_pane()

    @on(ModelTable.Chosen)
    def choose(self) -> None:
        entry = self.selected
        if entry is None:
            return
        if entry.disk is None:
            self.action_download()
        elif entry.disk.model.complete and entry.state != "corrupt":
            self.dismiss(entry.disk.model.source)
        else:
            hint = _("d fetches what is missing.") if entry.repo else ""
            self.say(refusal_text(entry, entry.disk), hint, "error")

    @on(FilterBar.Changed)
    def filter_rows(self) -> None:
        self.draw()

    @on(FilterBar.Left)
    @on(AskLine.Closed)
    def go_back_to_table(self) -> None:
        if self.sheet.is_open:
            self.sheet.focus_list()
        else:
            self.table.focus()
        self.set_class(bool(self.filter_bar.text), "-filtered")
        self.draw_frame()

    @on(AskLine.Given)
    def take_answer(self, event: AskLine.Given) -> None:
        if event.purpose == URL:
            self._sources.take_url(event.value)
        elif event.purpose == HOME:
            self._sources.take_home(event.value)
        else:
            self._sources.search(event.value)

    @on(Sheet.Closed)
    def end_sheet(self) -> None:
        self.workers.cancel_group(self, "probe")
        self.table.focus()
        self.draw_frame()

    @on(Sheet.Chosen)
    def take_from_sheet(self, event: Sheet.Chosen) -> None:
        if event.purpose == SOURCES:
            self._sources.choose(event.row_id)
        elif event.purpose == PARTIALS:
            self._disk.purge()

    @on(Sheet.RemoveAsked)
    def remove_from_sheet(self, event: Sheet.RemoveAsked) -> None:
        if event.purpose == REVISIONS:
            self._disk.delete_revision(event.row_id)
        elif event.purpose == PARTIALS:
            self._disk.purge()

    @on(Sheet.OtherAsked)
    def add_source(self, event: Sheet.OtherAsked) -> None:
        if event.purpose == SOURCES:
            self._sources.ask_url()

    @on(DownloadSheet.Named)
    def look_up(self, event: DownloadSheet.Named) -> None:
        self._jobs.look_up(event.name)

    @on(DownloadSheet.FolderAsked)
    def ask_folder(self) -> None:
        self._jobs.ask_folder()

    @on(DownloadSheet.OtherAsked)
    def take_other_gguf(self) -> None:
        self._jobs.next_gguf()

    @on(DownloadSheet.Confirmed)
    def begin_download(self, event: DownloadSheet.Confirmed) -> None:
        self._jobs.confirm_download(event.folder)

    @on(DownloadSheet.StepChanged)
    def follow_download_sheet(self) -> None:
        if not self.download_sheet.is_open:
            self.workers.cancel_group(self, "info")
            self.table.focus()
        self.draw_frame()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave letters to what is open: x in a list is not the table's."""
        busy = (
            self.sheet.is_open or self.download_sheet.is_open or self.ask_line.is_open
        )
        if busy and hasattr(self, f"action_{action}"):
            return action in _ALWAYS
        return super().check_action(action, parameters)

    def on_key(self) -> None:
        """What was told stays until the next key."""
        if not self._verify.is_verifying:
            self.say("")

    def action_back(self) -> None:
        if self.ask_line.is_open:
            self.ask_line.close()
        elif self.download_sheet.is_open:
            self.download_sheet.close()
        elif self.sheet.is_open:
            self.sheet.close()
        elif self._verify.is_verifying:
            self._verify.stop_verifying()
        elif self.has_class("-inspect"):
            self.action_inspect()
        elif self.filter_bar.clear():
            self.remove_class("-filtered")
        else:
            self.dismiss(None)

    def action_download(self) -> None:
        entry = self.selected
        if entry is None or entry.state in ("ready", "in_use"):
            self._jobs.ask()
        elif entry.job is not None and entry.job.state in ("paused", "failed"):
            self.see_through(self._jobs.resume(entry.job))
        elif entry.job is not None:
            self.say(_("It is being downloaded already. p pauses it."))
        elif entry.state == "corrupt":
            self._verify.repair_known(entry)
        else:
            self._jobs.ask(entry.repo)
            if entry.repo:
                self._jobs.look_up(entry.repo)

    def action_pause_or_resume(self) -> None:
        self._jobs.pause_or_resume()

    def action_remove(self) -> None:
        entry = self.selected
        if entry is None:
            return
        if entry.job is not None and entry.job.state != "done":
            self._jobs.cancel(entry.job)
        elif entry.disk is not None:
            self._disk.delete(entry.disk.model)
        else:
            self.say(_("Nothing of it is on this machine."))

    def action_verify(self) -> None:
        if (entry := self.selected) is not None:
            self._verify.verify(entry)

    def action_revisions(self) -> None:
        if (entry := self.selected) is not None:
            self._disk.show_revisions(entry)

    def action_partials(self) -> None:
        self._disk.show_partials()

    def action_copy_id(self) -> None:
        if (entry := self.selected) is not None:
            name = sanitize_line(entry.repo or entry.key)
            self.app.copy_to_clipboard(name)
            self.say(sent_note(name)[0])

    def action_inspect(self) -> None:
        inspect = not self.has_class("-inspect")
        self.set_class(inspect, "-inspect")
        self.set_depth()
        (self.pane if inspect else self.table).focus()
        entry = self.selected
        if inspect and entry is not None and entry.repo and entry.disk is None:
            self._jobs.describe(entry.repo)

    def action_search(self) -> None:
        self._sources.ask_search()

    def action_next_source(self) -> None:
        self._sources.next_source()

    def action_probe(self) -> None:
        self._sources.probe()

    def action_own_source(self) -> None:
        self._sources.ask_url()

    def action_hf_home(self) -> None:
        self._sources.ask_home()

    def action_sort(self) -> None:
        self.models.next_sort()
        self.draw()

    def action_next_tab(self, step: int) -> None:
        self.models.next_tab(step)
        self.draw()

    def action_change_context(self, step: int) -> None:
        tokens = self.models.change_context(step)
        self.draw()
        text = _("Memory is estimated for {context} tokens of context.")
        self.say(text.format(context=context_text(tokens)))

    def action_filter(self) -> None:
        self.add_class("-filtered")
        self.filter_bar.focus_input()

    def action_look_again(self) -> None:
        self.look_again()

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(MODEL_KEYS))
