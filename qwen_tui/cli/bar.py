"""The progress bar of a command that works for a while: on a terminal only."""

import sys

BAR_CELLS = 24
_CLEAR_LINE = "\r\x1b[K"


class Bar:
    """One line of standard error that is drawn again and again."""

    def __init__(self) -> None:
        self.is_possible = sys.stderr.isatty()
        self._is_shown = False

    def show(self, share: float, text: str) -> None:
        """Draw it with `share` of it filled, 0 to 1, and `text` behind."""
        filled = min(BAR_CELLS, int(BAR_CELLS * share))
        bar = f"[{'#' * filled}{'.' * (BAR_CELLS - filled)}]"
        sys.stderr.write(f"{_CLEAR_LINE}{bar} {text}")
        sys.stderr.flush()
        self._is_shown = True

    def clear(self) -> None:
        """Take it away, so that the next line starts on its own."""
        if self._is_shown:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()
            self._is_shown = False
