"""What may be meant by the word that is being written, above the composer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.content import Content
from textual.widgets import Static

from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.widgets.line_text import fit, fit_middle

_ROWS = 8
_MARK = "> "
_MARKED = "bold $block-cursor-foreground on $block-cursor-background"
_GAP = 2
_KEYS = frozenset({"up", "down", "tab", "enter", "escape"})
_LABEL_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Word:
    """A part of one line of the composer, up to the cursor."""

    text: str
    row: int
    start: int
    """Column of its first character."""

    @property
    def end(self) -> int:
        """Column after its last character."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that may be meant."""

    label: str
    detail: str
    text: str
    """What takes the word's place; for a file, until it is read."""
    path: str = ""
    """A file that is attached instead."""
    is_whole: bool = False
    """The line can be sent once this is in it."""


Take = Callable[[Word, Offer, bool], None]
"""Takes the word, what comes in its place, and whether Enter chose that."""


class CompletionMenu(Static):
    """Opened with offers for one word; the composer hands it some of its keys."""

    def __init__(self, take: Take, decline: Callable[[], None]) -> None:
        """Make a closed menu.

        Args:
            take: Is called at once when a person takes an offer, so that the next key
                finds it done.
            decline: Is called for an Enter that came while offers were looked for,
                and means none of them.
        """
        super().__init__(id="completions", markup=False)
        self._take = take
        self._decline = decline
        self.word: Word | None = None
        """What is completed; None while nothing is."""
        self.offers: Sequence[Offer] = ()
        self.selected = -1
        """Index of the marked offer; -1 for none."""
        self._rows = _ROWS
        self._top = 0
        self._held: list[str] = []
        self._is_looking = False
        self._dismissed: tuple[int, int] | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is something to take."""
        return bool(self.offers)

    def is_dismissed(self, word: Word) -> bool:
        """Whether Esc closed the menu at this word."""
        return self._dismissed == (word.row, word.start)

    def look_for(self, word: Word) -> None:
        """Note that offers for `word` are looked for; what is shown stays meanwhile."""
        self.word = word
        self._is_looking = True

    def show(
        self, word: Word, offers: Sequence[Offer], *, selected: int, rows: int = _ROWS
    ) -> None:
        """Offer something for `word`, in at most `rows` rows."""
        self.word, self.offers = word, offers
        self.selected = min(selected, len(offers) - 1)
        self._rows = max(1, min(rows, _ROWS))
        self._top = 0
        self._is_looking = False
        self.set_class(bool(offers), "-open")
        self._draw()
        held, self._held = self._held, []
        for key in held:
            if self.is_open and (key == "tab" or self.selected >= 0):
                self._accept(key)
            elif key == "enter":
                self._decline()

    def close(self) -> None:
        """Take the menu off the screen."""
        if self.word is not None:
            self.word, self.offers, self.selected = None, (), -1
            self._is_looking, self._held = False, []
            self.remove_class("-open")

    def relabel(self) -> None:
        """Close: the next key brings it back in the active language."""
        self.close()

    def forget(self) -> None:
        """Close, and open again at the next word, whatever Esc closed before."""
        self.close()
        self._dismissed = None

    def takes(self, key: str) -> bool:
        """Tell whether a key is meant for the menu."""
        if key not in _KEYS:
            return False
        if self._is_looking and key in ("tab", "enter"):
            return True
        return self.is_open and (key != "enter" or self.selected >= 0)

    def press(self, key: str) -> None:
        """Do what one of its keys does."""
        match key:
            case "up" | "down":
                self._move(-1 if key == "up" else 1)
            case "escape":
                self._dismiss()
            case _ if self._is_looking:
                self._held.append(key)
            case _:
                self._accept(key)

    def on_click(self, event: events.Click) -> None:
        index = self._top + event.y
        if self.is_open and 0 <= index < len(self.offers):
            self.selected = index
            self._accept("tab")

    def on_resize(self) -> None:
        self._draw()

    def _move(self, step: int) -> None:
        n = len(self.offers)
        if self.selected < 0:
            self.selected = n - 1 if step < 0 else 0
        else:
            self.selected = (self.selected + step) % n
        self._draw()

    def _dismiss(self) -> None:
        if self.word is not None:
            self._dismissed = (self.word.row, self.word.start)
        self.close()

    def _accept(self, key: str) -> None:
        word, offer = self.word, self.offers[max(self.selected, 0)]
        self.close()
        if word is not None:
            self._take(word, offer, key == "enter")

    def _draw(self) -> None:
        width = self.content_size.width or self.app.size.width - _GAP
        self._top = min(self._top, max(self.selected, 0))
        self._top = max(self._top, self.selected - self._rows + 1)
        lines = offer_lines(self.offers, width, marked=self.selected)
        shown = lines[self._top : self._top + self._rows]
        n_below = len(lines) - self._top - len(shown)
        if n_below:
            more = f" +{n_below}"
            shown[-1] = set_cell_size(shown[-1], width - len(more)) + more
        self.update(
            Content("\n").join(
                Content.styled(line, _MARKED if self._top + n == self.selected else "")
                for n, line in enumerate(shown)
            )
        )


def offer_lines(offers: Sequence[Offer], width: int, *, marked: int) -> list[str]:
    """Return offers as lines of `width` cells, details in a column of their own."""
    labels = [sanitize_line(offer.label) for offer in offers]
    widest = max(map(cell_len, labels), default=0)
    column = min(widest, int((width - len(_MARK)) * _LABEL_SHARE))
    lines: list[str] = []
    for n, (label, offer) in enumerate(zip(labels, offers, strict=True)):
        mark = _MARK if n == marked else " " * len(_MARK)
        shown = fit_middle(label, column)
        lines.append(fit(f"{mark}{shown}{' ' * _GAP}{offer.detail}", width))
    return lines
