"""Text that grows while it streams, as rows; `TurnView` draws them.

The rest of the screen knows `append`, `finish` and `text` only, so what draws
behind them can be replaced.
"""

import time
from typing import Protocol

from qwen_tui.ui.markdown.plain_text import PlainText, Rows
from qwen_tui.ui.markdown.rows import EMPTY_ROW, Row, pad
from qwen_tui.ui.widgets.typesetter import Typesetter


class Drawer(Protocol):
    """Who draws the rows."""

    @property
    def typesetter(self) -> Typesetter:
        """What the texts are set with."""
        ...

    def note_change(self, view: "MessageView", first: int, before: int) -> None:
        """Draw the rows of `view` from `first` on, there having been `before`."""
        ...

    def flush(self) -> None:
        """Set what came, now or when there is time."""
        ...


class MessageView:
    """One text of a turn; raw in, sanitized at the screen."""

    def __init__(
        self, text: str = "", *, plain: bool = False, look: str = "", indent: int = 0
    ) -> None:
        """Begin with a text.

        Args:
            text: What is there already; raw.
            plain: Show it as it was written instead of as Markdown.
            look: What all of it looks like.
            indent: Cells left free before it, where there is room.
        """
        self.look = look
        self.shown = True
        """Whether it takes part in the turn at all; change it by `show`."""
        self.needs_room = False
        """Leave it out on a small screen."""
        self.drawer: Drawer | None = None
        self._text = text
        self._plain = plain
        self._indent = indent
        self._finished = bool(text)
        self._rows: Rows | None = None
        """What is shown; None before the width is known."""
        self._next: Rows | None = None
        """What is being set to take its place, when the width has changed."""
        self._width = 0
        self._left = 0
        """Cells of `_width` that stay free."""
        self._small = False

    def __len__(self) -> int:
        if self._rows is None or not self.shown or (self.needs_room and self._small):
            return 0
        return len(self._rows)

    @property
    def text(self) -> str:
        """Everything appended so far, raw."""
        return self._text

    @property
    def settled(self) -> bool:
        """Everything that can be drawn so far has been drawn."""
        rows = self._rows
        if not self.shown:
            return True
        return rows is not None and rows.complete and self._next is None

    @property
    def behind(self) -> bool:
        """There is something to set."""
        rows = self._rows if self._next is None else self._next
        return self.shown and rows is not None and not rows.complete

    def append(self, text: str) -> None:
        """Add `text` at the end; never raises, whatever it holds."""
        self._text += text
        for rows in (self._rows, self._next):
            if rows is not None:
                rows.append(text)
        self._flush()

    def finish(self) -> None:
        """Draw what was held back: nothing more will come."""
        self._finished = True
        for rows in (self._rows, self._next):
            if rows is not None:
                rows.finish()
        self._flush()

    def replace(self, text: str, look: str | None = None) -> None:
        """Show another text instead, and in another look if one is given."""
        new_look = self.look if look is None else look
        if text != self._text or new_look != self.look:
            self._text, self._finished, self.look = text, True, new_look
            self._set_anew(at_once=True)

    def take(self) -> str:
        """Give the text away and begin again with none."""
        text, self._text, self._finished = self._text, "", False
        self._set_anew(at_once=True)
        return text

    def show(self, shown: bool) -> None:
        """Let it take part in the turn, or not."""
        if shown == self.shown:
            return
        before = len(self)
        self.shown = shown
        if shown and self._rows is None and self._width:
            self._set(self._begin())
        self._note(0, before)

    def show_plain(self, plain: bool) -> None:
        """Show the text as it was written, or as Markdown."""
        if plain != self._plain:
            self._plain = plain
            self._set_anew(at_once=False)

    # What the drawer asks

    def row(self, number: int) -> Row:
        """Return one of the rows, its indent before it."""
        rows = self._rows
        if rows is None or number >= len(rows):
            return EMPTY_ROW
        row = rows[number]
        return Row((pad(self._left), *row.pieces), row.join) if self._left else row

    def fit(self, width: int, *, roomy: bool) -> None:
        """Set the rows for a width, or as many as there is time for.

        Args:
            width: In cells.
            roomy: Whether there is room for an indent.
        """
        self._small = not roomy
        self._width, self._left = width, self._indent if roomy else 0
        current = self._rows if self._next is None else self._next
        if self.shown and (current is None or current.width != self._inner):
            self._set(self._begin())

    def set_some(self, deadline: float) -> None:
        """Set rows until the deadline."""
        if self._next is not None:
            step_until(self._next, deadline)
            self._take_next()
        elif self._rows is not None and self.shown:
            before = len(self)
            self._note(step_until(self._rows, deadline), before)

    def _set_anew(self, *, at_once: bool) -> None:
        """Begin again with the same width; what is shown stays until that is done."""
        if self._rows is None:
            return
        self._next = self._begin()
        if at_once:
            step_until(self._next, time.perf_counter() + 1)
        self._take_next()
        self._flush()

    def _begin(self) -> Rows:
        rows: Rows = PlainText(self._inner)
        if not self._plain and self.drawer is not None:
            # a parser takes 20 ms to import, and the first frame needs none
            from qwen_tui.ui.markdown.document import Document

            shared = self.drawer.typesetter
            rows = Document(self._inner, parser=shared.parser, lexers=shared.lexers)
        rows.append(self._text)
        if self._finished:
            rows.finish()
        return rows

    def _set(self, rows: Rows) -> None:
        """Set rows within a layout: no drawing is asked for."""
        if self.drawer is not None:
            step_until(rows, self.drawer.typesetter.deadline())
        if self._rows is None or rows.complete:
            self._rows, self._next = rows, None
        else:
            self._next = rows

    def _take_next(self) -> None:
        """Show what was set for another width, if that is complete."""
        if self._next is not None and self._next.complete:
            before = len(self)
            self._rows, self._next = self._next, None
            self._note(0, before)

    @property
    def _inner(self) -> int:
        return max(self._width - self._left, 1)

    def _note(self, first: int, before: int) -> None:
        if self.drawer is not None:
            self.drawer.note_change(self, first, before)

    def _flush(self) -> None:
        if self.drawer is not None and self._rows is not None:
            self.drawer.flush()


def step_until(rows: Rows, deadline: float) -> int:
    """Set rows until the deadline, a part at least; return the first that changed."""
    first = len(rows)
    while rows.behind:
        first = min(first, rows.step())
        if time.perf_counter() >= deadline:
            break
    return first
