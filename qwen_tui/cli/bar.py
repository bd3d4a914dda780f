"""The progress bar of a command that works for a while: on a terminal only."""

import os
import sys

from qwen_tui.cli.cells import cell_width, cut

_LONGEST_BAR = 30
_SHORTEST_BAR = 3
_CLEAR_LINE = "\r\x1b[K"
_ROOM_FOR_CTRL_C = len("^C") + 1  # its echo must not wrap the line
_USUAL_COLUMNS = 80


class Bar:
    """One line of standard error that is drawn again and again."""

    def __init__(self) -> None:
        self.is_possible = sys.stderr.isatty()
        self._line = ""

    @property
    def width(self) -> int:
        """Cells there are for the line now; the terminal may have been resized."""
        try:
            columns = os.get_terminal_size(sys.stderr.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        return (columns or _USUAL_COLUMNS) - _ROOM_FOR_CTRL_C

    def show(self, share: float, text: str) -> None:
        """Draw it with `share` of it filled, 0 to 1, and `text` behind."""
        self.draw(with_bar(share, text, self.width) or cut(text, self.width))

    def draw(self, line: str) -> None:
        """Draw a line that fits `width` as it is."""
        if line != self._line:
            sys.stderr.write(f"{_CLEAR_LINE}{line}")
            sys.stderr.flush()
            self._line = line

    def clear(self) -> None:
        """Take it away, so that the next line starts on its own."""
        if self._line:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()
            self._line = ""


def with_bar(share: float, text: str, width: int) -> str:
    """Return `text` behind a bar that fills the line, "" where there is no room."""
    inside = min(width - cell_width(text) - len("[] "), _LONGEST_BAR)
    if inside < _SHORTEST_BAR:
        return ""
    filled = min(inside, int(inside * share))
    return f"[{'#' * filled}{'.' * (inside - filled)}] {text}"
