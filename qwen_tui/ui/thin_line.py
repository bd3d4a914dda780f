"""Screens over a thin line: only what changed is sent, and nothing while it is stuck.

It leans on textual 8.2.8 inside, as the driver does; with another version, or where
it is switched off, Textual sends frames by itself.
"""

import gc
import logging
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from rich.console import RenderableType
from textual.app import App
from textual.screen import Screen

from qwen_tui.ui.textual_version import is_known_textual

if TYPE_CHECKING:
    from qwen_tui.ui.frame_diff import FrameDiff

_AGAIN_S = 0.05
_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""Around a frame, for terminals that show all of it at once."""

_log = logging.getLogger(__name__)


@runtime_checkable
class WatchedDriver(Protocol):
    """A driver that tells when the terminal may have changed by itself."""

    n_starts: int
    """How often it took the terminal over, after suspends too."""

    @property
    def is_behind(self) -> bool:
        """Frames wait for the terminal to read."""
        ...

    def write(self, data: str) -> None:
        """Send to the terminal."""
        ...


def calm_garbage_collection() -> None:
    """Keep the collector from stopping the event loop every other second.

    Each frame makes some thousand short-lived objects, so the usual threshold of 700
    is passed many times a frame, and each look at everything takes 50 ms.
    """
    gc.freeze()  # code, styles and screens: they stay as long as the program
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


class ThinLineApp(App[int]):
    """An app whose frames go through a `FrameDiff`, where that fits."""

    def __init__(self) -> None:
        super().__init__()
        self._frame_diff: FrameDiff | None = None
        self._seen_starts = 0
        self._owes_frame = False

    @property
    def sends_changes_only(self) -> bool:
        """Whether frames are sent as what changed of them."""
        return self._frame_diff is not None

    def use_frame_diff(self, wanted: bool = True) -> bool:
        """Send changes only from now on; False where this Textual is not known.

        Args:
            wanted: False sends whole frames again.
        """
        if not wanted:
            self._frame_diff = None
            return False
        if not is_known_textual():
            return False
        from qwen_tui.ui.frame_diff import FrameDiff

        self._frame_diff = FrameDiff()
        return True

    def action_redraw(self) -> None:
        """Draw everything anew: something else may have written to the terminal."""
        if self._frame_diff is not None:
            self._frame_diff.forget()
        if self.screen_stack:
            self.screen.refresh()

    def on_resize(self) -> None:
        # Even to the size it had: the terminal may have had another one meanwhile.
        self.action_redraw()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        driver = self._driver
        if (
            self._frame_diff is None
            or self.is_headless
            or self._batch_count
            or not self._running
            or not isinstance(driver, WatchedDriver)
            or not self._frame_diff.knows(renderable)
        ):
            super()._display(screen, renderable)
            return
        try:
            self._send_changes(self._frame_diff, driver, renderable)
        except Exception:  # noqa: BLE001 - whatever it is, Textual can still draw
            _log.exception("sending whole frames from now on")
            self._frame_diff = None
            self.screen.refresh()
        finally:
            self.post_display_hook()

    def _send_changes(
        self, diff: "FrameDiff", driver: WatchedDriver, update: object
    ) -> None:
        if driver.is_behind:
            self._owe_frame()
            return
        if driver.n_starts != self._seen_starts:
            self._seen_starts = driver.n_starts
            diff.forget()
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        changes = diff.render(update, self.size, cursor, self.console)
        if changes and self._sync_available:
            changes = _BEGIN + changes + _END
        if changes:
            driver.write(changes)

    def _owe_frame(self) -> None:
        """Send nothing now, and all that is new when the terminal reads again."""
        if not self._owes_frame:
            self._owes_frame = True
            self.set_timer(_AGAIN_S, self._pay_frame)

    def _pay_frame(self) -> None:
        self._owes_frame = False
        if isinstance(self._driver, WatchedDriver) and self._driver.is_behind:
            self._owe_frame()  # and nothing drawn for nobody meanwhile
        else:
            self.screen.refresh()
