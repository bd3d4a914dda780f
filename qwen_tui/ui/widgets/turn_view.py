"""One message on the screen: its texts, one below the other, in a single widget.

A single one, because each row that an answer grows by makes Textual arrange every
mounted widget anew.
"""

import time
from collections.abc import Iterator

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from qwen_tui.ui.markdown.rows import Row
from qwen_tui.ui.widgets.message_view import MessageView
from qwen_tui.ui.widgets.typesetter import SLICE_S, Typesetter

_ROOMY = 60  # columns of the terminal from which on texts are indented
_SLOW_S = 0.015  # who takes longer to draw what came rests before the next time
_REST = 8  # times as long


class TurnView(Widget):
    """Draws texts by the Line API, and lets the mouse select in them."""

    DEFAULT_CSS = """
    TurnView {
        width: 1fr;
        height: auto;
    }
    """

    def __init__(self, *views: MessageView, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self.views = views
        self._typesetter: Typesetter | None = None
        self._strips: dict[int, Strip] = {}
        self._rest_until = 0.0
        for view in views:
            view.drawer = self

    @property
    def typesetter(self) -> Typesetter:
        """Shared with other turns; one of its own where none was given."""
        if self._typesetter is None:
            self._typesetter = Typesetter()
        return self._typesetter

    @typesetter.setter
    def typesetter(self, typesetter: Typesetter) -> None:
        self._typesetter = typesetter

    @property
    def settled(self) -> bool:
        """Everything that can be drawn so far has been drawn."""
        return all(view.settled for view in self.views)

    @property
    def n_rows(self) -> int:
        """Its height, as far as it is set."""
        return sum(map(len, self.views))

    def first_row(self, view: MessageView) -> int:
        """Return where a text begins."""
        return sum(map(len, self.views[: self.views.index(view)]))

    def prepare(self, width: int, screen_width: int, deadline: float) -> bool:
        """Set rows for a width before it is mounted; True when all is set."""
        for view in self.views:
            view.fit(width, roomy=self._is_roomy(screen_width))
        self._set_until(deadline)
        return self.settled

    # What the texts ask

    def note_change(self, view: MessageView, first: int, before: int) -> None:
        """Draw the rows of `view` from `first` on, there having been `before`."""
        start, after = self.first_row(view), len(view)
        if after != before:
            last = max(self._strips, default=-1) + 1
            if self.typesetter.on_growth is not None and self.is_attached:
                below = self.region.y + start + before
                self.typesetter.on_growth(below, after - before)
            self.refresh(layout=True)
        else:
            last = start + after
            if first < after:
                self.refresh(Region(0, start + first, self.size.width, after - first))
        for y in range(start + first, last):
            self._strips.pop(y, None)

    def flush(self) -> None:
        """Set what came, now or when there is time."""
        start = time.perf_counter()
        if not self.is_attached or start < self._rest_until:
            return  # a timer is set, or the first layout comes
        self._set_until(start + SLICE_S)
        took = time.perf_counter() - start
        if took > _SLOW_S:
            self._rest_until = start + _REST * took
            self.set_timer(_REST * took, self.flush)
        self._ask()

    # What the typesetter asks

    @property
    def urgency(self) -> int:
        """Turns in view come first."""
        return 0 if self.region.overlaps(self.screen.region) else 1

    def set_some(self, deadline: float) -> bool:
        """Set rows until the deadline; True when all is set."""
        if self.is_attached:
            self._set_until(deadline)
        return not self.is_attached or not any(view.behind for view in self.views)

    # What Textual asks

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows at that width, or those there are so far."""
        for view in self.views:
            view.fit(width, roomy=self._is_roomy(viewport.width))
        self._ask()
        return self.n_rows

    def render_line(self, y: int) -> Strip:
        """Return one row, with what of it is selected."""
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self._strip(y)
        selection = self.text_selection
        span = selection.get_span(y) if selection is not None else None
        return strip if span is None else self._selected(strip, *span)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text: wrapped lines joined, formulas as their source."""
        parts: list[str] = []
        join = ""
        for y, row in enumerate(self._rows()):
            span = selection.get_span(y)
            if span is None:
                continue
            start, end = span
            parts += [join, row.copied(start, None if end < 0 else end)]
            join = row.join
        return "".join(parts), "\n"

    def notify_style_update(self) -> None:
        """Draw with the theme's new colours."""
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self) -> None:
        self._strips.clear()

    def on_unmount(self) -> None:
        self.typesetter.forget(self)

    def _is_roomy(self, screen_width: int) -> bool:
        return screen_width >= _ROOMY and not self.app.has_class("-bare")

    def _set_until(self, deadline: float) -> None:
        for view in self.views:
            if view.behind:
                view.set_some(deadline)

    def _ask(self) -> None:
        if any(view.behind for view in self.views):
            self.typesetter.ask(self, self)

    def _rows(self) -> Iterator[Row]:
        for view in self.views:
            for number in range(len(view)):
                yield view.row(number)

    def _strip(self, y: int) -> Strip:
        base = self.visual_style.rich_style
        style = self.typesetter.palette.style
        for view in self.views:
            if y < len(view):
                pieces = view.row(y).pieces
                segments = [
                    Segment(text, base + style(f"{view.look} {look}"))
                    for text, look, _source in pieces
                ]
                # the mouse selects where there is a character
                return Strip(segments or [Segment(" ", base)]).apply_offsets(
                    0, self.first_row(view) + y
                )
            y -= len(view)
        return Strip.blank(self.size.width, base)

    def _selection_style(self) -> Style:
        """Return what a selection changes: most themes leave the text its colour."""
        name = "screen--selection"
        chosen = self.screen.get_component_rich_style(name)
        own_colour = self.screen.get_component_styles(name).color
        return Style(
            color=None if own_colour.is_transparent else chosen.color,
            bgcolor=chosen.bgcolor,
        )

    def _selected(self, strip: Strip, start: int, end: int) -> Strip:
        """Return `strip` with its characters `start` to `end` marked; -1: all."""
        chosen = self._selection_style()
        segments: list[Segment] = []
        at = 0
        for text, style, _ in strip:
            left = min(max(start - at, 0), len(text))
            right = len(text) if end < 0 else min(max(end - at, left), len(text))
            parts = (text[:left], text[left:right], text[right:])
            for number, part in enumerate(parts):
                if part:
                    marked = (style or Style()) + chosen if number == 1 else style
                    segments.append(Segment(part, marked))
            at += len(text)
        return Strip(segments, strip.cell_length)
