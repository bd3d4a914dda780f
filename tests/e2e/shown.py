"""What a terminal shows, by pyte's emulator."""

import re
from pathlib import Path

import pyte

# pyte knows neither; both would leave letters on its screen.
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=?][0-9;]*u|\x1b\[\?[0-9;]*\$p|\x1b\\")
_CUT_SEQUENCE = re.compile(rb"\x1b[^a-zA-Z~\\]{0,40}\Z")


class _Screen(pyte.Screen):
    """pyte's, whose cursor moves freely outside of the scroll region.

    pyte 0.8.2 puts it back into the region, by a line feed below it, too.
    """

    def cursor_down(self, count: int | None = None) -> None:
        region = self.margins
        if region is not None and self.cursor.y > region.bottom:
            self.margins = None
        super().cursor_down(count)
        self.margins = region

    def cursor_up(self, count: int | None = None) -> None:
        region = self.margins
        if region is not None and self.cursor.y < region.top:
            self.margins = None
        super().cursor_up(count)
        self.margins = region


class Shown:
    """What a terminal shows of the bytes that it was sent."""

    def __init__(self, columns: int, rows: int) -> None:
        self.raw = bytearray()
        """Every byte the program sent."""
        self._unfed = b""
        self.screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)

    def feed(self, data: bytes) -> None:
        """Show what the program sent."""
        self.raw += data
        data = self._unfed + data
        cut = _CUT_SEQUENCE.search(data)
        self._unfed = cut.group() if cut else b""
        data = data[: len(data) - len(self._unfed)]
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))

    def text(self) -> str:
        """Return the screen as lines without trailing blanks."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def picture(self, path: Path) -> None:
        """Draw the screen as it is into a PNG file."""
        from tests.e2e.picture import draw

        draw(self.screen, path)
