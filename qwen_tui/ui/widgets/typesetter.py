"""What all messages share: parser, lexers, colours, and turns on the event loop."""

import asyncio
import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from textual.widget import Widget

from qwen_tui.ui.markdown.highlight import Lexers
from qwen_tui.ui.widgets.message_looks import Palette

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

SLICE_S = 0.008
_PASS_S = 0.02  # what one layout of the screen may spend on messages
_APART_S = 0.05  # between two of them


class Typesettable(Protocol):
    """A message that may have more to set than one slice of time can."""

    @property
    def urgency(self) -> int:
        """The lower, the sooner."""
        ...

    def set_some(self, deadline: float) -> bool:
        """Set rows until the deadline; True when all is set."""
        ...


class Typesetter:
    """Sets long messages a slice at a time, those in view first."""

    def __init__(self, palette: Palette | None = None) -> None:
        self.palette = palette or Palette()
        self.on_growth: Callable[[int, int], None] | None = None
        """Told before the layout: the row of the screen below which rows move, and by
        how many."""
        self.lexers = Lexers(load_at_once=False)
        self._jobs: dict[Typesettable, None] = {}
        self._is_running = False
        self._pass_end = 0.0

    @cached_property
    def parser(self) -> "MarkdownIt":
        """Reads every message."""
        from qwen_tui.ui.markdown.parser import build_parser  # as in `MessageView`

        return build_parser()

    def deadline(self) -> float:
        """Return until when a layout may work at once; it may have passed."""
        now = time.perf_counter()
        if now > self._pass_end + _APART_S:
            self._pass_end = now + _PASS_S
        return self._pass_end

    def ask(self, job: Typesettable, owner: Widget) -> None:
        """Set the rest of `job` when the event loop has time."""
        self._jobs[job] = None
        if not self._is_running:
            self._is_running = True
            owner.app.run_worker(self._work(), group="typesetter", exit_on_error=False)

    def forget(self, job: Typesettable) -> None:
        """Leave a message alone that is gone."""
        self._jobs.pop(job, None)

    async def breathe(self) -> None:
        """Let others run between two slices, and load the languages that are wanted."""
        for language in list(self.lexers.wanted):
            await asyncio.to_thread(self.lexers.load, language)
        await asyncio.sleep(0)

    async def _work(self) -> None:
        try:
            while self._jobs:
                await self.breathe()
                self._work_once(time.perf_counter() + SLICE_S)
        finally:
            self._is_running = False

    def _work_once(self, deadline: float) -> None:
        for job in sorted(self._jobs, key=lambda job: job.urgency):
            if job.set_some(deadline):
                self.forget(job)
            if time.perf_counter() >= deadline:
                return
