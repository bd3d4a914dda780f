"""What a search found, two lines each."""

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from qwen_tui.chat.shelf import SearchHit
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.widgets.chat_rows import age_text, shown_title
from qwen_tui.ui.widgets.line_text import fit

_MATCH = "bold $text-warning"
_DIM = "$foreground-muted"
_GAP = "  "


class HitList(OptionList):
    """The hits; the best of them first."""

    def __init__(self) -> None:
        super().__init__(id="hits", markup=False)
        self.hits: Sequence[SearchHit] = ()

    def show(self, hits: Sequence[SearchHit], now: float) -> None:
        """Show these hits, the first one highlighted; the same hits keep theirs."""
        kept = self.highlighted if hits is self.hits else None
        self.hits = hits
        width = max(self.screen.size.width - 4, 1)
        self.set_options(Option(hit_content(hit, width, now)) for hit in hits)
        if hits:
            self.highlighted = kept or 0

    @property
    def chosen(self) -> SearchHit | None:
        """The hit under the highlight."""
        place = self.highlighted
        return self.hits[place] if place is not None and self.hits else None


def hit_content(hit: SearchHit, width: int, now: float) -> Content:
    """Return where a text was found, and below it the text with its matches marked."""
    about = [role_name(hit), age_text(max(now - hit.when, 0))]
    if hit.archived:
        about.append(_("archived"))
    told = _GAP.join(about)
    title = fit(shown_title(hit.title), max(width - cell_len(told) - len(_GAP), 1))
    head = Content.assemble((title, "bold"), _GAP, (told, _DIM))
    pieces: list[str | tuple[str, str]] = []
    place = 0
    for low, high in hit.marks:
        pieces += [hit.snippet[place:low], (hit.snippet[low:high], _MATCH)]
        place = high
    pieces.append(hit.snippet[place:])
    if not hit.message_id:  # the title tells it all
        return Content.assemble(*pieces, _GAP, (told, _DIM))
    return Content("\n").join([head, Content.assemble("  ", *pieces)])


def role_name(hit: SearchHit) -> str:
    """Return who wrote what was found."""
    if not hit.message_id:
        return _("title")
    if hit.in_thinking:
        return _("thinking")
    return _("You") if hit.role == "user" else sanitize_line(_("Model"))
