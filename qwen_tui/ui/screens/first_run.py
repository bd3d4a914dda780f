"""The first start with no model on disk: three ways to one."""

import asyncio
from contextlib import aclosing, suppress

from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.message import Message
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from qwen_tui.chat.backend import ModelSource
from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.endpoint import resolve_endpoint
from qwen_tui.hub.find import find_model
from qwen_tui.hub.queries import ProbeResult, best_source
from qwen_tui.i18n import N_, _
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.screens.first_run_choice import recommend
from qwen_tui.ui.screens.model_status import machine_text, source_text
from qwen_tui.ui.screens.models import ModelsScreen
from qwen_tui.ui.screens.models_sources import NAMED, name_cells, probe_line
from qwen_tui.ui.widgets.confirm_line import ConfirmLine
from qwen_tui.ui.widgets.line_input import LineInput
from qwen_tui.ui.widgets.line_text import hints_line, long_size, two_lines
from qwen_tui.ui.widgets.tones import Line, content_of, cut

DEMO = "demo"
_WIDEST = 96  # as in first_run.tcss

_INTRO = N_(
    "A model answers on this machine; nothing you write leaves it. "
    "None is here yet: choose a way."
)
_HINTS = (("Enter", N_("choose")), ("m", N_("source")), ("Esc", N_("later")))
_ASKING_HINTS = (("Enter", N_("open")), ("Esc", N_("back")))


class FirstRunScreen(Screen[ModelSource | None]):
    """Dismissed with the model that was chosen, or None for "later"."""

    CSS_PATH = "first_run.tcss"
    AUTO_FOCUS = "#ways"
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (10, "-low"), (16, "-tall")]
    BINDINGS = [
        Binding("escape", "back", show=False),
        Binding("m", "next_source", show=False),
    ]

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

    def __init__(self, desk: ModelDesk) -> None:
        """Offer the three ways; `desk` is shared with the app."""
        super().__init__()
        self._desk = desk
        self._choice = recommend(None, None)
        self._results: dict[str, ProbeResult] = {}
        self._racing = False
        self._chosen_by_hand = False

    def compose(self) -> ComposeResult:
        with Vertical(id="first-run"):
            yield Static(id="first-run-title", markup=False)
            yield Static(id="first-run-intro", markup=False)
            yield OptionList(*self._options(), id="ways", markup=False)
            yield Static(id="first-run-sources", markup=False)
            with Vertical(id="first-run-asking"):
                yield Static(id="first-run-question", markup=False)
                yield LineInput(id="first-run-input")
            yield Static(id="first-run-status", markup=False)
            yield Static(id="first-run-hints", markup=False)
        yield ConfirmLine()

    def _options(self) -> list[Option]:
        entry = self._choice.entry
        download = _("Download {repo} (about {size}, source: {source})").format(
            repo=entry.repo,
            size=long_size(entry.size_bytes),
            source=source_text(self._desk.source),
        )
        return [
            Option(Content(download), id="download"),
            Option(Content(_("Open a folder or a .gguf file")), id="open"),
            Option(Content(_("Try the small demo model, at once")), id=DEMO),
        ]

    def on_mount(self) -> None:
        self._say_texts()
        self.ways.highlighted = self.ways.get_option_index(DEMO)
        self._look()
        if not self._desk.is_offline:
            self._racing = True
            self._race()
        self._draw_sources()

    def relabel(self) -> None:
        """Say everything again in the active language."""
        self._say_texts()
        self.status.update(Content(""))  # what was told is told in the other one
        self._draw()
        self._draw_hints()

    def _say_texts(self) -> None:
        texts = {
            "title": _("Welcome to qwen-tui"),
            "intro": _(_INTRO),
            "question": _("A folder with a model, or a .gguf file:"),
        }
        for name, text in texts.items():
            self.query_one(f"#first-run-{name}", Static).update(Content(text))

    def on_resize(self) -> None:
        self._draw_hints()
        self._draw_sources()

    # The offer

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        """Offer what fits, once it is known what this machine has."""
        await self._desk.look_at_disk()
        await self._desk.look_at_machine()
        self._choice = recommend(self._desk.machine, self._desk.disk_free)
        self._draw()

    @work(exclusive=True, group="race")
    async def _race(self) -> None:
        """Try the sources, and offer the fastest; a chosen one is only tried."""
        chosen = self._desk.settings.origins.get("downloads.endpoint", "default")
        is_open = chosen == "default"
        sources = NAMED if is_open else (self._desk.source,)
        try:
            async with aclosing(self._desk.queries.probe(sources)) as results:
                async for result in results:
                    self._results[result.endpoint] = result
                    self._draw()
        except QwenTuiError as error:
            self.post_message(self.Refused(error))
        self._racing = False
        best = best_source(list(self._results.values()))
        named = [name for name in NAMED if best == resolve_endpoint(name)]
        if is_open and named and not self._chosen_by_hand:
            self._desk.use_source(named[0])
        self._draw()

    def action_next_source(self) -> None:
        self._chosen_by_hand = True
        place = NAMED.index(self._desk.source) if self._desk.source in NAMED else -1
        self._desk.use_source(NAMED[(place + 1) % len(NAMED)])
        self._draw()

    def _draw(self) -> None:
        with suppress(NoMatches):  # a screen that is being left loses its parts
            self._draw_offer()
            self._draw_sources()

    def _draw_offer(self) -> None:
        kept = self.ways.highlighted
        self.ways.set_options(self._options())
        self.ways.highlighted = kept

    def _draw_sources(self) -> None:
        self.query_one("#first-run-sources", Static).update(
            content_of(self._source_lines())
        )

    def _source_lines(self) -> list[Line]:
        lines: list[Line] = []
        machine = machine_text(self._desk.machine, short=False)
        if machine:
            words = _("This machine: {machine}").format(machine=machine)
            if not self._choice.fits:
                words += "  " + _("(even the smallest model is tight)")
            lines.append([(words, "dim")])
        if self._desk.is_offline:
            text = _("HF_HUB_OFFLINE is set: nothing can be downloaded.")
            return [*lines, [(text, "warning")]]
        best = best_source(list(self._results.values()))
        sources = NAMED if self._desk.source in NAMED else (self._desk.source,)
        for name in sources:
            url = resolve_endpoint(name)
            result = self._results.get(url)
            if result is not None or self._racing:
                is_current = name == self._desk.source
                is_best = url == best and not self._racing and len(self._results) > 1
                line = probe_line(
                    name,
                    result,
                    is_current=is_current,
                    is_best=is_best,
                    name_cells=name_cells(sources, self.size.width),
                )
                lines.append(cut(line, max(min(self.size.width, _WIDEST) - 4, 1)))
        return lines

    # The ways

    @on(OptionList.OptionSelected)
    def take_way(self, event: OptionList.OptionSelected) -> None:
        match event.option_id:
            case "download":
                repo = self._choice.entry.repo
                screen = ModelsScreen(self._desk, download_repo=repo)
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

    @work(exclusive=True, group="find")
    async def find(self, name: str) -> None:
        """Look for a model by path or name; the disk may be slow."""
        settings = self._desk.settings
        try:
            source = await asyncio.to_thread(
                find_model,
                name,
                cache_dir=settings.hf_cache,
                folders=settings.model.folders,
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
