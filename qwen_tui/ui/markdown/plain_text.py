"""Text that grows at its end, as rows: as it was written; `document` has Markdown."""

from typing import Protocol

from qwen_tui.sanitize import sanitize
from qwen_tui.ui.markdown.rows import Piece, Row
from qwen_tui.ui.markdown.wrap import break_rows, rows_of

STEP_CHARS = 4096
"""About how much text one step takes in."""


class Rows(Protocol):
    """Text that grows at its end, as rows of one width."""

    width: int

    def __len__(self) -> int: ...
    def __getitem__(self, number: int) -> Row: ...

    @property
    def behind(self) -> bool:
        """There is something that `step` would do."""
        ...

    @property
    def complete(self) -> bool:
        """All that came is drawn as it will stay."""
        ...

    def append(self, text: str) -> None:
        """Add raw text at the end; nothing is drawn before `step`."""
        ...

    def finish(self) -> None:
        """Take what was held back: nothing more will come."""
        ...

    def step(self) -> int:
        """Take in some thousand characters; return the first row that changed.

        Never raises: what cannot be drawn as Markdown is shown as plain text.
        """
        ...


class PlainText:
    """Text as it was written, lines wrapped."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._settled: list[Row] = []
        self._tail: list[Row] = []
        self._waiting = Waiting()
        self._source = ""

    def __len__(self) -> int:
        return len(self._settled) + len(self._tail)

    def __getitem__(self, number: int) -> Row:
        if number < len(self._settled):
            return self._settled[number]
        return self._tail[number - len(self._settled)]

    @property
    def behind(self) -> bool:
        """There is something that `step` would do."""
        return self._waiting.behind

    @property
    def complete(self) -> bool:
        """All that came is drawn as it will stay."""
        return not self._waiting.behind

    def append(self, text: str) -> None:
        """Add raw text at the end; nothing is drawn before `step`."""
        self._waiting.append(text)

    def finish(self) -> None:
        """Take what was held back: nothing more will come."""
        self._waiting.finished = True

    def step(self) -> int:
        """Take in some thousand characters; return the first row that changed."""
        changed = len(self._settled)
        source = self._source + self._waiting.take().expandtabs(4)
        *spans, last = break_rows(source, self.width)
        pieces = [Piece(source)]
        self._settled += rows_of(pieces, spans)
        self._tail = rows_of(pieces, [last])
        self._source = source[last.start :]
        return changed


class Waiting:
    """Raw text that was not looked at yet."""

    def __init__(self) -> None:
        self.finished = False
        self._text = ""

    @property
    def behind(self) -> bool:
        """Something can be taken: not a CR whose LF may come yet."""
        return bool(self._text) and (self.finished or self._text != "\r")

    def append(self, text: str) -> None:
        """Add text at the end."""
        self._text += text

    def take(self) -> str:
        """Return the next text, sanitized; whole lines where it is long."""
        end = len(self._text)
        if end > STEP_CHARS:
            line_end = self._text.find("\n", STEP_CHARS, 2 * STEP_CHARS) + 1
            end = line_end or STEP_CHARS
        if self._text[end - 1 : end] == "\r" and not (
            self.finished and end == len(self._text)
        ):
            end -= 1
        text, self._text = self._text[:end], self._text[end:]
        return sanitize(text)
