"""The messages of a chat, also those around one that lies far back."""

from collections.abc import Mapping, Sequence

from textual.widgets import Static

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.i18n import ngettext
from qwen_tui.ui.widgets.chat_transcript import ChatTranscript, n_in_common
from qwen_tui.ui.widgets.turn_marks import TurnMarks

_NEAR = 60
"""Messages that are mounted above what is there to get to one."""
_AFTER = 5
_MORE = 20
_MOST = 100
"""Messages of another branch that are mounted at once below where it parts."""


class FoundTranscript(ChatTranscript):
    """Shows a window around a message; what is newer is fetched at its end."""

    def __init__(self) -> None:
        super().__init__()
        self._newer: Sequence[ChatMessage] = ()
        """Those below the window, the oldest first; none where the end is shown."""
        self._bottom = Static(id="newer", markup=False)

    @property
    def n_newer(self) -> int:
        """Messages below the window, which are not mounted."""
        return len(self._newer)

    def relabel(self) -> None:
        """Say in the active language what stands around the messages."""
        super().relabel()
        self._label_bottom()

    async def show_message(self, message_id: str) -> None:
        """Bring a message of the shown branch into view, and select it."""
        branch = [*self._shown, *self._newer]
        place = next((n for n, m in enumerate(branch) if m.id == message_id), -1)
        if place < 0:
            return
        if self.n_older - _NEAR <= place < len(self._shown):
            await self.mount_older(max(self.n_older - place, 0))
        else:
            await self._show_around(branch, place)
        # where it stands is known after the layout
        self.call_after_refresh(self.select, message_id)

    async def change_to(
        self, messages: Sequence[ChatMessage], marks: Mapping[str, TurnMarks]
    ) -> None:
        """Show another branch; where it parts from the shown one comes into view.

        There it stays in its row, if it is in view already.

        Args:
            messages: The branch, oldest first.
            marks: By id; the others get none.
        """
        parting = n_in_common(self._shown, messages)
        is_below = bool(self._newer) and parting == len(self._shown)
        if messages and (is_below or 0 < self.n_older >= parting):
            ids = [message.id for message in messages]
            chosen = self.selected_message_id
            place = ids.index(chosen) if chosen in ids else min(parting, len(ids) - 1)
            self._marks = marks
            await self._show_around(messages, place)
            self.call_after_refresh(self._come_to, ids[place])
            return
        n_below = len(messages) - parting
        end = parting + (n_below if n_below <= _MOST else _NEAR)
        self._newer = ()
        with self.app.batch_update():
            await self._show_bottom()
            await super().change_to(messages[:end], marks)
            self._newer = messages[end:]
            await self._show_bottom()
        self.call_after_refresh(self._come_to, self.selected_message_id)

    async def show_end(self) -> None:
        """Show what lies below the window, and follow the end."""
        if self._newer:
            branch = [*self._shown, *self._newer]
            await self.show(branch, thinking_open=self._thinking_open)

    async def show(
        self, messages: Sequence[ChatMessage], *, thinking_open: bool
    ) -> None:
        """Replace everything by `messages`, the newest first to appear."""
        self._newer = ()
        await self._show_bottom()
        await super().show(messages, thinking_open=thinking_open)

    def mark(
        self, messages: Sequence[ChatMessage], marks: Mapping[str, TurnMarks]
    ) -> None:
        """Tell which messages the turns are, and mark them.

        Args:
            messages: Those of the shown branch, below the window or not.
            marks: By id; the others get none.
        """
        if self._newer and messages and messages[-1].id == self._newer[-1].id:
            messages = messages[: -len(self._newer)]
        super().mark(messages, marks)

    def action_scroll_end(self) -> None:
        if self._newer:
            self.run_worker(self.show_end(), group="older", exit_on_error=False)
        else:
            super().action_scroll_end()

    def action_page_down(self) -> None:
        if not self._fetch_newer():
            super().action_page_down()

    def action_scroll_down(self) -> None:
        if not self._fetch_newer():
            super().action_scroll_down()

    def on_mouse_scroll_down(self) -> None:
        self._fetch_newer()

    def _fetch_newer(self) -> bool:
        """Fetch newer messages if the end is in view; tell whether there were any."""
        if not self._newer or self.scroll_y < self.max_scroll_y:
            return False
        if not self._mounting.locked():
            self.run_worker(self._mount_newer(), group="older", exit_on_error=False)
        return True

    async def _show_around(self, branch: Sequence[ChatMessage], place: int) -> None:
        """Mount the message at `place` of a branch, and what stands around it."""
        end = place + 1 + _AFTER
        await self.show(branch[:end], thinking_open=self._thinking_open)
        self._newer = branch[end:]
        await self._show_bottom()
        await self._fill()  # before the view is anywhere else than at the end

    def _come_to(self, message_id: str) -> None:
        """Bring a message into view; nothing moves where it is already."""
        turn = next((t for t in self.turns if t.message_id == message_id != ""), None)
        if turn is not None and turn not in self._in_view:
            self._bring_into_view(turn)

    async def _mount_newer(self) -> None:
        async with self._mounting:
            more, self._newer = self._newer[:_MORE], self._newer[_MORE:]
            turns = [self._build(message) for message in more]
            for turn in turns:
                self._share(turn)
                await self._prepare(turn)
            self._shown = [*self._shown, *more]
            self.release_anchor()
            with self.app.batch_update():
                await self._turns.mount_all(turns, before=self._bottom)
                await self._show_bottom()

    async def _show_bottom(self) -> None:
        """Tell at the end how many messages are newer; nothing where none are."""
        n = len(self._newer)
        if not n:
            await self._turns.query("#newer").remove()
            return
        if not self._bottom.is_attached:
            self._bottom = Static(id="newer", markup=False)
            await self._turns.mount(self._bottom)
        self._label_bottom()

    def _label_bottom(self) -> None:
        n = len(self._newer)
        text = ngettext("v {n} newer message (End)", "v {n} newer messages (End)", n)
        self._bottom.update(text.format(n=n))
