"""The models on this machine: choose one, fetch another."""

from functools import partial
from pathlib import Path

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from qwen_tui.chat.backend import ModelSource
from qwen_tui.hub.cache import LocalModel, list_models
from qwen_tui.hub.jobs import run_download
from qwen_tui.hub.repo_id import is_repo_id
from qwen_tui.i18n import N_, _
from qwen_tui.settings import Settings
from qwen_tui.ui.screens.download_panel import DownloadPanel, RunDownload
from qwen_tui.ui.screens.model_text import (
    fit_end,
    hints_line,
    home_short,
    model_detail,
    model_row,
    reason_text,
    source_text,
    spread,
    two_lines,
)

_HINTS = (
    ("Enter", N_("load")),
    ("d", N_("download")),
    ("Esc", N_("back")),
    ("p", N_("pause")),
    ("m", N_("change the source")),
)
_ASKING_HINTS = (("Enter", N_("download")), ("Esc", N_("back")))


class ModelsScreen(Screen[ModelSource | None]):
    """A list of what is on disk, and one download at a time.

    Dismissed with the model that was chosen, or None.
    """

    CSS_PATH = "models.tcss"
    AUTO_FOCUS = "#models"
    VERTICAL_BREAKPOINTS = [(0, "-low"), (16, "-tall")]
    BINDINGS = [
        Binding("escape", "back", show=False),
        Binding("d", "ask", show=False),
        Binding("p", "pause_or_resume", show=False),
        Binding("m", "next_source", show=False),
    ]

    class Listed(Message):
        """The models on this machine are known."""

        def __init__(self, models: list[LocalModel], select_path: str) -> None:
            super().__init__()
            self.models = models
            self.select_path = select_path

    table = getters.query_one("#models", OptionList)
    panel = getters.query_one(DownloadPanel)
    status = getters.query_one("#models-status", Static)

    def __init__(
        self,
        settings: Settings,
        *,
        log_dir: Path,
        download_repo: str = "",
        run: RunDownload | None = None,
    ) -> None:
        """Show the models that `settings` leads to.

        Args:
            settings: Cache folder, watched folders, endpoint.
            log_dir: Where the download process logs.
            download_repo: Opens the download line at once, with this repo in it.
            run: Carries out a download; the hub's own where not given.
        """
        super().__init__()
        self._settings = settings
        self._run = run or partial(run_download, log_dir=log_dir)
        self._download_repo = download_repo
        self._models: list[LocalModel] = []

    def compose(self) -> ComposeResult:
        yield Static(id="models-title", markup=False)
        yield Static(id="models-place", markup=False)
        yield OptionList(id="models", markup=False)
        yield Static(id="models-detail", markup=False)
        yield DownloadPanel(self._settings, run=self._run)
        yield Static(id="models-status", markup=False)
        yield Static(id="models-hints", markup=False)

    def on_mount(self) -> None:
        self.list_again()
        if self._download_repo:
            self.panel.ask(self._download_repo)

    def on_resize(self) -> None:
        self._draw_frame()
        self._draw_rows()

    @work(thread=True, exclusive=True, group="list")
    def list_again(self, select_path: str = "") -> None:
        """Look at the disk again, then highlight the model at `select_path`."""
        folders = [Path(f).expanduser() for f in self._settings.model.folders]
        models = list_models(cache_dir=self._settings.hf_cache, folders=folders)
        self.post_message(self.Listed(models, select_path))

    @on(Listed)
    def show_models(self, message: Listed) -> None:
        kept = self._highlighted()
        self._models = message.models
        self._draw_rows()
        wanted = message.select_path or (kept.source.path if kept else "")
        paths = [model.source.path for model in self._models]
        fitting = [i for i, path in enumerate(paths) if path == wanted]
        usable = [i for i, model in enumerate(self._models) if model.complete]
        self.table.highlighted = next(iter(fitting + usable), 0 if paths else None)
        if not paths:
            self._say(_("There is no model on this machine yet. d downloads one."))

    @on(OptionList.OptionHighlighted)
    def show_detail(self) -> None:
        model = self._highlighted()
        self._put("detail", model_detail(model, self._width()) if model else "")

    @on(OptionList.OptionSelected)
    def choose(self) -> None:
        model = self._highlighted()
        if model is None:
            return
        if not model.complete:
            text = _("{name} cannot be loaded: {reason}").format(
                name=model.source.name, reason=reason_text(model)
            )
            hint = _("d fetches what is missing.") if self._repo_of(model) else ""
            self._say(text, hint, tone="error")
        elif self.panel.is_running:
            self._say(_("A download is running. p pauses it, then Enter loads."))
        else:
            self.dismiss(model.source)

    @on(DownloadPanel.Finished)
    def list_after_download(self, message: DownloadPanel.Finished) -> None:
        self.list_again(message.path)

    @on(DownloadPanel.Said)
    def pass_on(self, message: DownloadPanel.Said) -> None:
        self._say(message.text, message.hint, tone=message.tone)

    @on(DownloadPanel.AskingChanged)
    def follow_asking(self) -> None:
        if not self.panel.is_asking:
            self.table.focus()
        self._draw_frame()

    def action_ask(self) -> None:
        if self.panel.is_running:
            self._say(_("One download at a time. p pauses the one that runs."))
            return
        model = self._highlighted()
        unfinished = model is not None and not model.complete
        self.panel.ask(self._repo_of(model) if model and unfinished else "")

    def action_next_source(self) -> None:
        self.panel.next_source()
        self._draw_frame()

    def action_pause_or_resume(self) -> None:
        self.panel.pause_or_resume()

    def action_back(self) -> None:
        if self.panel.is_asking:
            self.panel.stop_asking()
        elif self.panel.is_running:
            self.panel.pause()
        else:
            self.dismiss(None)

    def _draw_frame(self) -> None:
        width = self._width()
        shown = _("source: {source}").format(source=source_text(self.panel.source))
        self._put("title", spread(_("Models"), shown, width))
        place = _("Hugging Face cache: {path}").format(
            path=home_short(str(self._settings.hf_cache))
        )
        self._put("place", fit_end(place, width))
        hints = _ASKING_HINTS if self.panel.is_asking else _HINTS
        self._put("hints", hints_line([(k, _(label)) for k, label in hints], width))

    def _draw_rows(self) -> None:
        kept = self.table.highlighted
        width = self._width()
        rows = [Option(Content(model_row(m, width))) for m in self._models]
        self.table.set_options(rows)
        if rows:
            self.table.highlighted = min(kept or 0, len(rows) - 1)

    def _say(self, text: str, hint: str = "", *, tone: str = "") -> None:
        """Show what happened and what to do next on the bottom line."""
        self.status.set_class(tone == "error", "-error")
        self.status.set_class(tone == "good", "-good")
        self._put("status", two_lines(text, hint))

    def _put(self, place: str, text: str) -> None:
        self.query_one(f"#models-{place}", Static).update(Content(text))

    def _width(self) -> int:
        """Cells of a line, the padding taken off."""
        return max(self.size.width - 2, 1)

    def _highlighted(self) -> LocalModel | None:
        index = self.table.highlighted
        return None if index is None or not self._models else self._models[index]

    def _repo_of(self, model: LocalModel) -> str:
        """The repo that would fetch a model, empty when it came from elsewhere."""
        name = model.source.name
        cached = Path(model.source.path).is_relative_to(self._settings.hf_cache)
        return name if cached and is_repo_id(name) else ""
