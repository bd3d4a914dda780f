"""Where models come from and go to: source, probe, own address, HF_HOME, search."""

from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from rich.cells import cell_len

from qwen_tui.errors import UsageError
from qwen_tui.hub.endpoint import resolve_endpoint
from qwen_tui.hub.queries import ProbeResult, best_source
from qwen_tui.i18n import _, ngettext
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.screens.model_status import source_text
from qwen_tui.ui.screens.models_view import ModelsView
from qwen_tui.ui.widgets.line_text import fit, long_size
from qwen_tui.ui.widgets.sheet import SheetRow
from qwen_tui.ui.widgets.tones import Line

SOURCES = "sources"
URL, HOME, SEARCH = "url", "home", "search"
NAMED = ("official", "mirror")


class SourceActions:
    """What the keys m, b, u, h and g do."""

    def __init__(self, view: ModelsView) -> None:
        self._view = view
        self._own = [] if view.desk.source in NAMED else [view.desk.source]
        self._results: dict[str, ProbeResult] = {}
        self._is_probing = False

    @property
    def _desk(self) -> ModelDesk:
        return self._view.desk

    @property
    def _known(self) -> list[str]:
        """Every source there is to choose from."""
        return [*NAMED, *self._own]

    # The source

    def next_source(self) -> None:
        """Take the next source; downloads under way go on from it."""
        known = self._known
        place = known.index(self._desk.source) if self._desk.source in known else -1
        self.take(known[(place + 1) % len(known)])

    def take(self, endpoint: str) -> None:
        """Fetch from `endpoint` from now on."""
        self._view.see_through(self._take(endpoint))

    async def _take(self, endpoint: str) -> None:
        try:
            moved = await self._desk.set_source(endpoint)
        finally:
            self._view.draw()
        source = source_text(endpoint)
        if moved:
            text = _("From {source} from now on; the download goes on from there.")
        else:
            text = _("From {source} from now on.")
        rival = self._desk.rival_of("downloads.endpoint")
        hint = ""
        if rival:
            hint = _("{variable} is set: it counts again at the next start.").format(
                variable=rival
            )
        self._view.say(text.format(source=source), hint)

    def ask_url(self) -> None:
        """Ask for an address of the person's own."""
        value = self._own[0] if self._own else "https://"
        self._view.ask(URL, lambda: _("Address of a hub or mirror:"), value)

    def take_url(self, value: str) -> None:
        """Take an address, where it is one."""
        try:
            endpoint = resolve_endpoint(value)
        except UsageError as error:
            self._view.say_error(error)
            return
        self._view.ask_line.close()
        self._own = [endpoint]
        if self._view.sheet.is_open:
            self.probe()
        self.take(endpoint)

    # The probe

    def probe(self) -> None:
        """Try every source, and tell of each as it ends."""
        if not self._view.may_ask_hub():
            return
        self._results.clear()
        self._is_probing = True
        self._view.open_sheet(SOURCES, lambda: (self._title(), self._rows()))
        self._view.start(self._probe(), "probe")

    async def _probe(self) -> None:
        try:
            async with aclosing(self._desk.queries.probe(self._known)) as results:
                async for result in results:
                    self._results[result.endpoint] = result
                    self._show_results()
        finally:
            self._is_probing = False
            self._show_results()
        best = best_source(list(self._results.values()))
        for name in self._known:
            if self._view.sheet.is_open and resolve_endpoint(name) == best:
                self._view.sheet.highlight(name)

    def choose(self, endpoint: str) -> None:
        """Take the source that was picked from the list."""
        self._view.sheet.close()
        self.take(endpoint)

    def _show_results(self) -> None:
        sheet = self._view.sheet
        if sheet.is_open and sheet.purpose == SOURCES:
            sheet.renew()

    def _title(self) -> str:
        if self._is_probing:
            return _("Trying the sources")
        return _("Sources: Enter takes one, u adds an address, Esc closes")

    def _rows(self) -> Sequence[SheetRow]:
        best = best_source(list(self._results.values()))
        rows: list[SheetRow] = []
        for name in self._known:
            url = resolve_endpoint(name)
            line = probe_line(
                name,
                self._results.get(url),
                is_current=name == self._desk.source,
                is_best=url == best and not self._is_probing,
                name_cells=name_cells(self._known, self._view.size.width),
            )
            rows.append(SheetRow(name, line))
        return rows

    # The folder

    def ask_home(self) -> None:
        """Ask for another HF_HOME."""
        home = str(self._desk.settings.hf_home)
        self._view.ask(
            HOME, lambda: _("HF_HOME, the folder that models are kept in:"), home
        )

    def take_home(self, value: str) -> None:
        """Keep models there from now on, where that is possible."""
        self._view.see_through(self._take_home(value))

    async def _take_home(self, value: str) -> None:
        change = await self._desk.set_hf_home(Path(value))
        self._view.ask_line.close()
        check = change.check
        text = _("Models go to {folder} from now on: {free} free, {filesystem}.")
        kind = check.filesystem or "?"
        if check.is_network:
            kind = _("{filesystem}, a network filesystem").format(filesystem=kind)
        hint = ""
        if change.rival:
            hint = _("{variable} is set: it counts again at the next start.").format(
                variable=change.rival
            )
        self._view.say(
            text.format(
                folder=check.path, free=long_size(check.free_bytes), filesystem=kind
            ),
            hint,
        )
        self._view.look_again()

    # Searching

    def ask_search(self) -> None:
        """Ask what to search the hub for."""
        if not self._view.may_ask_hub():
            return
        self._view.ask(SEARCH, self._search_question)

    def _search_question(self) -> str:
        source = source_text(self._desk.source)
        return _("Search {source} for:").format(source=source)

    def search(self, words: str) -> None:
        """Search; what is found comes into the table."""
        self._view.ask_line.close()
        self._view.say(
            _("Searching {source} for {words}").format(
                source=source_text(self._desk.source), words=words
            ),
            tone="busy",
        )
        self._view.start(self._search(words), "search")

    async def _search(self, words: str) -> None:
        found = await self._desk.queries.search(words, self._desk.source)
        self._desk.found = found
        if not found:
            self._view.say(_("Nothing was found for {words}.").format(words=words))
            return
        n = len(found)
        text = ngettext("{n} model was found.", "{n} models were found.", n)
        self._view.show_found()
        self._view.say(text.format(n=n), _("d tells more and downloads."))


def name_cells(sources: Sequence[str], width: int) -> int:
    """Return how many cells the longest name gets: at most a third of the line."""
    return min(max(cell_len(source_text(name)) for name in sources), width // 3)


def probe_line(
    name: str,
    result: ProbeResult | None,
    *,
    is_current: bool,
    is_best: bool,
    name_cells: int,
) -> Line:
    """Return what is known of one source: latency, speed, and who serves the bytes."""
    mark = "* " if is_current else "  "
    line: Line = [(f"{mark}{fit(source_text(name), name_cells)} ", "plain")]
    if result is None:
        return [*line, (_("being tried"), "dim")]
    if not result.reachable or result.code:
        text = sanitize_line(result.message) or _("not reachable")
        return [*line, (text, "error")]
    speed = f"{long_size(result.bytes_per_s)}/s"
    latency = _("{n} ms").format(n=round(result.latency_s * 1000))
    line.append((fit(latency, 9), "plain"))
    line.append((fit(speed, 13), "good" if is_best else "plain"))
    if is_best:
        line.append((_("best") + "  ", "good"))
    hosts = " > ".join(dict.fromkeys(result.hosts))
    return [*line, (sanitize_line(hosts), "dim")]
