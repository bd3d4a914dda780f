"""A driver whose terminal is in memory: what is sent, and what that shows."""

import pyte
from textual.drivers.headless_driver import HeadlessDriver


class Screen(pyte.Screen):
    """A terminal; unlike pyte's own it keeps the rest after a joined emoji."""

    def cells(self) -> list[list[object]]:
        return [
            [self.buffer[y][x] for x in range(self.columns)] for y in range(self.lines)
        ]


class PipeDriver(HeadlessDriver):
    """Feeds a terminal in memory."""

    n_starts = 0
    is_behind = False

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        width, height = self._get_terminal_size()
        self.screen = Screen(width, height)
        self._stream = pyte.Stream(self.screen)
        self.sent: list[str] = []

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.sent.append(data)
        self._stream.feed(data)

    def start_application_mode(self) -> None:
        self.n_starts += 1
        super().start_application_mode()
