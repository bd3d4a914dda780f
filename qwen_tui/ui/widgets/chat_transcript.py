"""The messages of a chat, one of which can be selected by key."""

from textual.binding import Binding

from qwen_tui.ui.widgets.transcript import Transcript
from qwen_tui.ui.widgets.turn import AssistantTurn, Turn

_MORE = 20


class ChatTranscript(Transcript):
    """Selects a message; what is done with it, the screen does."""

    BINDINGS = [
        Binding("j", "select_next(1)", show=False),
        Binding("k", "select_next(-1)", show=False),
        Binding("space", "fold_selected", show=False),
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

    def on_focus(self) -> None:
        if not self._selected_id and self._in_view:
            self._show_selected(self._in_view[-1].message_id)

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
