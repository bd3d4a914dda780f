"""The messages: the newest mounted, older ones fetched at the top."""

import asyncio
from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.i18n import _, ngettext
from qwen_tui.ui.widgets.thinking_panel import ThinkingPanel
from qwen_tui.ui.widgets.turn import AssistantTurn, UserTurn
from qwen_tui.ui.widgets.typesetter import Typesetter

Turn = UserTurn | AssistantTurn

_FIRST = 10
_SLICE = 5
_MOUNTED = 60
_MORE = 20


class Transcript(VerticalScroll, can_focus=True):
    """Follows the end until the person scrolls away; End follows again."""

    BINDINGS = [
        Binding("pageup", "page_up", show=False),
        Binding("i", "screen.info", show=False),
    ]
    FOCUS_ON_CLICK = False  # who selects text with the mouse goes on typing below

    def __init__(self) -> None:
        super().__init__(id="transcript")
        self._typesetter = Typesetter()
        self._older: list[ChatMessage] = []
        self._thinking_open = False
        self._top = Static(id="older", markup=False)
        self._welcome = Static(id="welcome", markup=False)
        # as high as the view at least: an anchored view would else hang at the bottom
        self._turns = Vertical(id="turns")
        self._mounting = asyncio.Lock()
        self._kept: tuple[Widget, int] | None = None
        """A turn, and the row of the view where its top is to stay."""
        self._is_keeping = False
        self._outside: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        with self._turns:
            yield self._top
            yield self._welcome

    def on_mount(self) -> None:
        self._welcome.update(
            _("Write a message below and press Enter. F1 shows the keys.")
        )
        self._show_top()

    @property
    def following(self) -> bool:
        """The end is in view, and stays so while text arrives."""
        return self.is_vertical_scroll_end

    @property
    def n_older(self) -> int:
        """Messages that are not mounted yet."""
        return len(self._older)

    @property
    def last_answer(self) -> AssistantTurn | None:
        """The newest answer, finished or not."""
        answers = self.query(AssistantTurn)
        return answers.last() if answers else None

    async def show(
        self, messages: Sequence[ChatMessage], *, thinking_open: bool
    ) -> None:
        """Replace everything by `messages`, the newest first to appear."""
        async with self._mounting:
            self._thinking_open = thinking_open
            self._older = list(messages)
            self._kept = None
            with self.app.batch_update():
                await self.query(".turn").remove()
                await self._mount_newest(_FIRST)
            self._show_top()
            self.anchor()
        self.run_worker(self._fill(), group="fill", exclusive=True, exit_on_error=False)

    async def add(self, turn: Turn, *, before: Widget | None = None) -> None:
        """Mount a turn at the end, or before another, and follow the end."""
        turn.share(self._typesetter)
        self._welcome.display = False
        await self._turns.mount(turn, before=before)
        self.anchor()

    def mark_outside(
        self, messages: Sequence[ChatMessage], outside: frozenset[str]
    ) -> None:
        """Mark the messages that the model does not see any more.

        Args:
            messages: Those that are shown, oldest first, mounted or not.
            outside: The ids of those to be marked.
        """
        self._outside = outside
        turns = [turn for turn in self.query(".turn") if isinstance(turn, Turn)]
        for turn, message in zip(reversed(turns), reversed(messages), strict=False):
            turn.mark_outside(message.id in outside)

    def open_thinking(self) -> None:
        """Open or fold the thinking of the newest answer that has some."""
        panels = self.query(ThinkingPanel)
        if panels:
            panel = panels.last()
            self.set_panel(panel, is_open=not panel.is_open, by_person=True)

    def set_panel(
        self, panel: ThinkingPanel, *, is_open: bool, by_person: bool = False
    ) -> None:
        """Open or fold a panel without moving what is being read."""
        if not self.following and self._is_above(panel):
            self._keep_view()
        panel.set_open(is_open, by_person=by_person)

    def fold_when_unread(self, turn: AssistantTurn) -> None:
        """Fold the thinking of `turn` unless somebody is reading it."""
        panel = turn.panel
        if panel is None or not turn.wants_folding:
            return
        if self.following or self._is_above(panel):
            self.set_panel(panel, is_open=False)

    def action_scroll_end(self) -> None:
        self.anchor()

    def action_page_up(self) -> None:
        if self.scroll_y <= 0 and self._older:
            self.run_worker(self.mount_older(_MORE), group="older")
        else:
            super().action_page_up()

    async def mount_older(self, count: int) -> None:
        """Mount `count` older messages above without moving what is in view."""
        async with self._mounting:
            if not self.following:
                self._keep_view()
            with self.app.batch_update():
                await self._mount_newest(count)
            self._show_top()

    def _is_above(self, panel: ThinkingPanel) -> bool:
        return panel.region.bottom <= self.region.y

    async def _fill(self) -> None:
        while self._older and len(self.query(".turn")) < _MOUNTED:
            await asyncio.sleep(0)  # the event loop breathes between slices
            await self.mount_older(_SLICE)

    async def _mount_newest(self, count: int) -> None:
        """Mount the newest of what is not mounted, above what is."""
        newest, self._older = self._older[-count:], self._older[:-count]
        turns = [self._build(message) for message in newest]
        if turns:
            await self._turns.mount_all(turns, after=self._welcome)

    def _build(self, message: ChatMessage) -> Widget:
        if message.role == "user":
            turn = UserTurn(message.content, message.created_at)
        else:
            turn = AssistantTurn(message, thinking_open=self._thinking_open)
        turn.share(self._typesetter)
        turn.mark_outside(message.id in self._outside)
        return turn

    def _keep_view(self) -> None:
        """Hold what is read now in its place, until the person scrolls."""
        top = self.region.y
        for turn in self.query(".turn"):
            if turn.region.bottom > top:
                self._kept = (turn, turn.region.y - top)
                return

    def watch_virtual_size(self) -> None:
        # Markdown draws itself piece by piece, so what lies above grows more than
        # once after it was mounted.
        if self._kept is None or not self._kept[0].is_attached:
            return
        turn, row = self._kept
        moved = turn.region.y - self.region.y - row
        if moved:
            self._is_keeping = True
            self.scroll_to(
                y=self.scroll_y + moved, animate=False, force=True, immediate=True
            )
            self._is_keeping = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if not self._is_keeping:
            self._kept = None

    def _show_top(self) -> None:
        n = len(self._older)
        text = ngettext("^ {n} older message (PgUp)", "^ {n} older messages (PgUp)", n)
        self._top.update(text.format(n=n))
        self._top.display = n > 0
        self._welcome.display = not n and not self.query(".turn")
