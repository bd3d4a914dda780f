"""The first start with no model on disk: three ways to one."""

from pathlib import Path

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from qwen_tui.chat.backend import ModelSource
from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.catalog import load_catalog
from qwen_tui.hub.find import find_model
from qwen_tui.i18n import N_, _
from qwen_tui.settings import Settings
from qwen_tui.ui.screens.download_panel import RunDownload
from qwen_tui.ui.screens.line_input import LineInput
from qwen_tui.ui.screens.model_text import (
    hints_line,
    size_text,
    source_text,
    two_lines,
)
from qwen_tui.ui.screens.models import ModelsScreen

RECOMMENDED = "qwen3-0.6b"
DEMO = "demo"

_INTRO = N_(
    "A model answers on this machine; nothing you write leaves it. "
    "None is here yet: choose a way."
)
_HINTS = (("Enter", N_("choose")), ("Esc", N_("later")))
_ASKING_HINTS = (("Enter", N_("open")), ("Esc", N_("back")))


class FirstRunScreen(Screen[ModelSource | None]):
    """Dismissed with the model that was chosen, or None for "later"."""

    CSS_PATH = "first_run.tcss"
    AUTO_FOCUS = "#ways"
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (10, "-low"), (16, "-tall")]
    BINDINGS = [Binding("escape", "back", show=False)]

    class Found(Message):
        """A name led to a model."""

        def __init__(self, source: ModelSource) -> None:
            super().__init__()
            self.source = source

    class Refused(Message):
        """A name led to no model that can be loaded."""

        def __init__(self, error: QwenTuiError) -> None:
            super().__init__()
            self.error = error

    ways = getters.query_one("#ways", OptionList)
    path_input = getters.query_one("#first-run-input", LineInput)
    status = getters.query_one("#first-run-status", Static)

    def __init__(
        self,
        settings: Settings,
        *,
        log_dir: Path,
        run: RunDownload | None = None,
    ) -> None:
        """Offer the three ways; `run` carries out a download, as in ModelsScreen."""
        super().__init__()
        self._settings = settings
        self._log_dir = log_dir
        self._run = run

    def compose(self) -> ComposeResult:
        with Vertical(id="first-run"):
            yield Static(Content(_("Welcome to qwen-tui")), id="first-run-title")
            yield Static(Content(_(_INTRO)), id="first-run-intro")
            yield OptionList(*self._options(), id="ways", markup=False)
            with Vertical(id="first-run-asking"):
                yield Static(Content(_("A folder with a model, or a .gguf file:")))
                yield LineInput(id="first-run-input")
            yield Static(id="first-run-status", markup=False)
            yield Static(id="first-run-hints", markup=False)

    def _options(self) -> list[Option]:
        source = source_text(self._settings.downloads.endpoint)
        entry = load_catalog()[RECOMMENDED]
        download = _("Download {repo} (about {size}, source: {source})").format(
            repo=entry.repo, size=size_text(entry.size_bytes), source=source
        )
        return [
            Option(Content(download), id="download"),
            Option(Content(_("Open a folder or a .gguf file")), id="open"),
            Option(Content(_("Try the small demo model, at once")), id=DEMO),
        ]

    def on_mount(self) -> None:
        self.ways.highlighted = self.ways.get_option_index(DEMO)

    def on_resize(self) -> None:
        self._draw_hints()

    @on(OptionList.OptionSelected)
    def take_way(self, event: OptionList.OptionSelected) -> None:
        match event.option_id:
            case "download":
                screen = ModelsScreen(
                    self._settings,
                    log_dir=self._log_dir,
                    download_repo=load_catalog()[RECOMMENDED].repo,
                    run=self._run,
                )
                self.app.push_screen(screen, self._leave_with)
            case "open":
                self._set_asking(True)
            case _:
                self.find(DEMO)

    def _leave_with(self, source: ModelSource | None) -> None:
        if source is not None:
            self.dismiss(source)

    @on(LineInput.Submitted)
    def open_path(self, event: LineInput.Submitted) -> None:
        if event.value.strip():
            self.find(event.value.strip())

    @work(thread=True, exclusive=True, group="find")
    def find(self, name: str) -> None:
        """Look for a model by path or name; the disk may be slow."""
        folders = [Path(f).expanduser() for f in self._settings.model.folders]
        try:
            source = find_model(
                name, cache_dir=self._settings.hf_cache, folders=folders
            )
        except QwenTuiError as error:
            self.post_message(self.Refused(error))
        else:
            self.post_message(self.Found(source))

    @on(Found)
    def leave(self, message: Found) -> None:
        self.dismiss(message.source)

    @on(Refused)
    def tell(self, message: Refused) -> None:
        error = message.error
        self.status.add_class("-error")
        self.status.update(Content(two_lines(error.message, error.hint)))

    def action_back(self) -> None:
        if self.has_class("-asking"):
            self._set_asking(False)
        else:
            self.dismiss(None)

    def _set_asking(self, asking: bool) -> None:
        self.set_class(asking, "-asking")
        (self.path_input if asking else self.ways).focus()
        self.status.update(Content(""))
        self._draw_hints()

    def _draw_hints(self) -> None:
        hints = _ASKING_HINTS if self.has_class("-asking") else _HINTS
        line = hints_line([(k, _(label)) for k, label in hints], self.size.width - 2)
        self.query_one("#first-run-hints", Static).update(Content(line))
