"""The messages of a chat, one of which can be selected by key."""

from collections.abc import Mapping, Sequence

from textual import on
from textual.binding import Binding

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.ui.widgets.transcript import Transcript
from qwen_tui.ui.widgets.turn import AssistantTurn, Turn
from qwen_tui.ui.widgets.turn_marks import TurnMarks

_MORE = 20
_TAIL = 40


class ChatTranscript(Transcript):
    """Selects a message; what is done with it, the screen does."""

    BINDINGS = [
        Binding("j", "select_next(1)", show=False),
        Binding("k", "select_next(-1)", show=False),
        Binding("space", "fold_selected", show=False),
        Binding("e", "screen.edit", show=False),
        Binding("r", "screen.retry_chosen", show=False),
        Binding("g", "screen.go_on", show=False),
        Binding("p", "screen.pin", show=False),
        Binding("f", "screen.fork", show=False),
        Binding("d", "screen.delete_message", show=False),
        Binding("u", "screen.undo", show=False),
        Binding("left_square_bracket", "screen.branch('prev')", show=False),
        Binding("right_square_bracket", "screen.branch('next')", show=False),
    ]

    _selected_id = ""

    @property
    def selected_message_id(self) -> str:
        """The message that keys and commands are about; empty for none."""
        return self._selected_id

    def select(self, message_id: str) -> None:
        """Select a message that is shown, and show its head; empty for none."""
        self._show_selected(message_id)
        turn = self._selected
        if turn is not None:
            self._bring_into_view(turn)

    def select_unseen(self, message_id: str) -> None:
        """Select a message that is about to be shown."""
        self._selected_id = message_id

    def on_focus(self) -> None:
        if not self._selected_id and self._in_view:
            self._show_selected(self._in_view[-1].message_id)

    @on(Turn.Clicked)
    def select_clicked(self, event: Turn.Clicked) -> None:
        """Select what was clicked where it is; a second click takes that back."""
        is_selected = event.message_id == self._selected_id
        self._show_selected("" if is_selected else event.message_id)

    async def keep(self, count: int) -> None:
        """Take away all but the first `count` of the messages that are shown."""
        async with self._mounting:
            n_mounted = max(count - self.n_older, 0)
            self._shown, self._older = self._shown[:count], self._older[:count]
            with self.app.batch_update():
                await self._turns.remove_children(self.turns[n_mounted:])
                if not n_mounted:
                    await self._mount_newest(_MORE)
            self._show_top()

    async def change_to(
        self, messages: Sequence[ChatMessage], marks: Mapping[str, TurnMarks]
    ) -> None:
        """Show another branch, which parts from the shown one where turns are mounted.

        Args:
            messages: The branch, oldest first.
            marks: By id; the others get none.
        """
        parting = n_in_common(self._shown, messages)
        # rows above it stay, so the scroll offset need not change
        self.forget_place()
        self.release_anchor()
        with self.app.batch_update():
            await self.keep(parting)
            await self._append(messages[parting:])
            self.mark(messages, marks)

    async def action_select_next(self, step: int) -> None:
        """Select the message after or before, from what is read if that is away."""
        turns = self._selectable
        selected, in_view = self._selected, self._in_view
        if selected is not None and (selected in in_view or not in_view):
            place = turns.index(selected) + step
        elif in_view:
            place = turns.index(in_view[0 if step > 0 else -1])
        else:
            return
        if place < 0 and self.n_older:
            newest = turns[0]
            await self.mount_older(_MORE)
            turns = self._selectable
            place += turns.index(newest)
            if place >= 0:  # where it stands is known after the layout
                self.call_after_refresh(self.select, turns[place].message_id)
        elif 0 <= place < len(turns):
            self.select(turns[place].message_id)
        elif place > 0:
            self.anchor()

    def action_fold_selected(self) -> None:
        """Open or fold the thinking of the selected answer."""
        turn = self._selected
        if isinstance(turn, AssistantTurn) and turn.panel is not None:
            self._set_thinking(turn, is_open=not turn.panel.is_open, by_person=True)
        elif turn is None:
            self.open_thinking()

    async def _append(self, messages: Sequence[ChatMessage]) -> None:
        """Mount messages below those there are, a slice after another."""
        for start in range(0, len(messages), _TAIL):
            turns = [self._build(m) for m in messages[start : start + _TAIL]]
            for turn in turns:
                self._share(turn)
                await self._prepare(turn)
            await self._turns.mount_all(turns)

    def _show_selected(self, message_id: str) -> None:
        self._selected_id = message_id
        for turn in self.turns:
            turn.select(turn.message_id == message_id != "")

    def _mark_turn(self, turn: Turn, message_id: str) -> None:
        super()._mark_turn(turn, message_id)
        turn.select(message_id == self._selected_id)

    @property
    def _selected(self) -> Turn | None:
        found = (t for t in self._selectable if t.message_id == self._selected_id)
        return next(found, None)

    @property
    def _selectable(self) -> list[Turn]:
        return [turn for turn in self.turns if turn.message_id]

    @property
    def _in_view(self) -> list[Turn]:
        """Those whose heads are in view, or the one that fills it."""
        heads = [t for t in self._selectable if self.region.contains(*t.region.offset)]
        return heads or [t for t in self._selectable if t.region.overlaps(self.region)]

    def _bring_into_view(self, turn: Turn) -> None:
        if turn is self.turns[-1] and turn.size.height < self.size.height:
            self.anchor()
        else:
            self.release_anchor()
            self.scroll_to_widget(turn, animate=False, immediate=True)


def n_in_common(before: Sequence[ChatMessage], after: Sequence[ChatMessage]) -> int:
    """Return with how many of the same messages two branches begin."""
    pairs = enumerate(zip(before, after, strict=False))
    parted = (n for n, (one, other) in pairs if one.id != other.id)
    return next(parted, min(len(before), len(after)))
