"""The messages: the newest mounted, older ones fetched at the top."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.i18n import _, ngettext
from qwen_tui.ui.widgets import message_looks
from qwen_tui.ui.widgets.steady_scroll import SteadyScroll
from qwen_tui.ui.widgets.turn import AssistantTurn, Turn, UserTurn
from qwen_tui.ui.widgets.turn_marks import NO_MARKS, TurnMarks
from qwen_tui.ui.widgets.typesetter import SLICE_S, Typesetter

_FIRST = 10
_SLICE = 5
_MOUNTED = 60
_MORE = 20
_MOST = 100


class Transcript(SteadyScroll, can_focus=True):
    """Follows the end until the person scrolls away; End follows again."""

    COMPONENT_CLASSES = message_looks.COMPONENT_CLASSES
    BINDINGS = [
        Binding("pageup", "page_up", show=False),
        Binding("i", "screen.info", show=False),
        Binding("y", "screen.copy_message", show=False),
        Binding("c", "screen.copy_code", show=False),
    ]
    FOCUS_ON_CLICK = False  # who selects text with the mouse goes on typing below

    def __init__(self) -> None:
        super().__init__(id="transcript")
        self._palette = message_looks.Palette(self)
        self._typesetter = Typesetter(self._palette)
        self._typesetter.on_growth = self.hold
        self._older: list[Callable[[], Turn]] = []
        """Makers of the messages that are not mounted, the oldest first."""
        self._thinking_open = False
        self._top = Static(id="older", markup=False)
        self._welcome = Static(id="welcome", markup=False)
        # as high as the view at least: an anchored view would else hang at the bottom
        self._turns = Vertical(id="turns")
        self._mounting = asyncio.Lock()
        self._as_source = False
        self._shown: Sequence[ChatMessage] = ()
        self._marks: Mapping[str, TurnMarks] = {}

    def compose(self) -> ComposeResult:
        with self._turns:
            yield self._top
            yield self._welcome

    def on_mount(self) -> None:
        self.relabel()

    def relabel(self) -> None:
        """Say in the active language what stands around the messages."""
        self._welcome.update(
            _("Write a message below and press Enter. F1 shows the keys.")
        )
        self._show_top()

    @property
    def n_older(self) -> int:
        """Messages that are not mounted."""
        return len(self._older)

    @property
    def turns(self) -> list[Turn]:
        """The messages that are mounted."""
        found = self._turns.children
        return [turn for turn in found if isinstance(turn, Turn)]

    @property
    def blocks(self) -> Sequence[Widget]:
        """What is read: the messages."""
        return self.turns

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
            self._older = [partial(self._build, message) for message in messages]
            self._shown = messages
            self.forget_place()
            with self.app.batch_update():
                await self.query(".turn").remove()
                await self._mount_newest(_FIRST)
            self._show_top()
            self.anchor()
        self.call_after_refresh(self._begin_to_fill)  # what is in view comes first

    async def add(self, turn: Turn, *, before: Widget | None = None) -> None:
        """Mount a turn at the end, or before another, and follow the end."""
        self._share(turn)
        self._welcome.display = False
        await self._turns.mount(turn, before=before)
        self.anchor()
        await self.end_read()

    def mark(
        self, messages: Sequence[ChatMessage], marks: Mapping[str, TurnMarks]
    ) -> None:
        """Tell which messages the turns are, and mark them.

        Args:
            messages: Those that are shown, oldest first, mounted or not.
            marks: By id; the others get none.
        """
        self._shown, self._marks = messages, marks
        for turn, message in zip(
            reversed(self.turns), reversed(messages), strict=False
        ):
            self._mark_turn(turn, message.id)

    def show_source(self) -> None:
        """Show all messages as they were written, or as Markdown again."""
        self._as_source = not self._as_source
        for turn in self.turns:
            turn.view.show_plain(self._as_source or isinstance(turn, UserTurn))

    def open_thinking(self) -> None:
        """Open or fold the thinking of the newest answer that has some."""
        for turn in reversed(self.turns):
            if isinstance(turn, AssistantTurn) and turn.panel is not None:
                self._set_thinking(turn, is_open=not turn.panel.is_open, by_person=True)
                return

    @on(AssistantTurn.ThinkingClicked)
    def toggle_thinking(self, event: AssistantTurn.ThinkingClicked) -> None:
        if event.turn.panel is not None:
            is_open = not event.turn.panel.is_open
            self._set_thinking(event.turn, is_open=is_open, by_person=True)

    def fold_when_unread(self, turn: AssistantTurn) -> None:
        """Fold the thinking of `turn` unless somebody is reading it."""
        if turn.wants_folding and (self.following or self._is_above(turn)):
            self._set_thinking(turn, is_open=False)

    def action_scroll_end(self) -> None:
        self.anchor()

    def action_page_up(self) -> None:
        if not self._fetch_older():
            super().action_page_up()

    def action_scroll_up(self) -> None:
        if not self._fetch_older():
            super().action_scroll_up()

    def action_scroll_home(self) -> None:
        if not self._fetch_older():
            super().action_scroll_home()

    def on_mouse_scroll_up(self) -> None:
        self._fetch_older()

    async def mount_older(self, count: int) -> None:
        """Mount `count` older messages above without moving what is in view."""
        async with self._mounting:
            await self._mount_newest(count)
            if len(self.turns) + self.n_older == len(self._shown):
                self.mark(self._shown, self._marks)
            self._show_top()

    def notify_style_update(self) -> None:
        """Read the theme again for all messages."""
        super().notify_style_update()
        self._palette.clear()

    def _fetch_older(self) -> bool:
        """Fetch older messages if the top is in view; tell whether there were any."""
        if self.scroll_y > 0 or not self._older:
            return False
        if not self._mounting.locked():
            self.run_worker(self.mount_older(_MORE), group="older", exit_on_error=False)
        return True

    def _set_thinking(
        self, turn: AssistantTurn, *, is_open: bool, by_person: bool = False
    ) -> None:
        if turn.panel is not None:
            turn.panel.set_open(is_open, by_person=by_person)

    def _is_above(self, turn: AssistantTurn) -> bool:
        return turn.thinking_end <= self.region.y

    def _begin_to_fill(self) -> None:
        self.run_worker(self._fill(), group="fill", exclusive=True, exit_on_error=False)

    async def _fill(self) -> None:
        """Mount more of the messages, a slice of time after another."""
        while self._older and len(self.turns) < _MOUNTED:
            await asyncio.sleep(0)  # the event loop breathes between slices
            await self.mount_older(_SLICE)

    async def _mount_newest(self, count: int) -> None:
        """Mount the newest of what is not mounted, above what is."""
        newest, self._older = self._older[-count:], self._older[:-count]
        turns = [make() for make in newest]
        for turn in turns:
            self._share(turn)
            await self._prepare(turn)
        with self.app.batch_update():
            await self._turns.mount_all(turns, after=self._welcome)
            rows = sum(turn.n_rows + turn.styles.margin.height for turn in turns)
            self.hold(self.region.y, rows)

    async def _prepare(self, turn: Turn) -> None:
        """Set all of a turn, so that it comes with its height."""
        width = self._turns.size.width
        while width and not turn.prepare(width, self.app.size.width, _soon()):
            await self._typesetter.breathe()

    async def end_read(self) -> None:
        """Put the oldest messages away that are too many, while the end is read."""
        if not self.following or len(self.turns) <= _MOST or self._mounting.locked():
            return
        async with self._mounting:
            away = self.turns[:-_MOUNTED]
            self._older += [self._maker(turn) for turn in away]
            with self.app.batch_update():
                await self._turns.remove_children(away)
            self._show_top()

    def _build(self, message: ChatMessage) -> Turn:
        if message.role == "user":
            turn = UserTurn(message.content, message.created_at, message.id)
        else:
            turn = AssistantTurn(message, thinking_open=self._thinking_open)
        self._mark_turn(turn, message.id)
        return turn

    def _mark_turn(self, turn: Turn, message_id: str) -> None:
        turn.message_id = message_id
        turn.mark(self._marks.get(message_id, NO_MARKS))

    def _maker(self, turn: Turn) -> Callable[[], Turn]:
        """Return what makes the same turn again."""
        if isinstance(turn, AssistantTurn) and turn.message is not None:
            return partial(self._build, turn.message)
        assert isinstance(turn, UserTurn)
        return partial(UserTurn, turn.text, turn.created_at, turn.message_id)

    def _share(self, turn: Turn) -> None:
        turn.typesetter = self._typesetter
        if self._as_source:
            turn.view.show_plain(True)

    def _show_top(self) -> None:
        n = len(self._older)
        text = ngettext("^ {n} older message (PgUp)", "^ {n} older messages (PgUp)", n)
        self._top.update(text.format(n=n))
        self._top.display = n > 0
        self._welcome.display = not n and not self.turns


def _soon() -> float:
    return time.perf_counter() + SLICE_S
