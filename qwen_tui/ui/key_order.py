"""Keys one after the other: each goes to what the one before it has opened.

Textual gives every key to the widget that has the focus when it arrives, although
the key before it may still be on its way to the handler that moves the focus. What
arrives in one piece (fast typing over a slow line, a macro) then ends in the wrong
place: after "/" in a list the letters would not reach the filter that it opens.
"""

import asyncio
from collections import deque

from textual import events, on
from textual.app import App
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, TextArea

from qwen_tui.sanitize import sanitize_line

_ROUNDS = 4
"""A key becomes a message, which may become another, before the focus moves."""
_MOST_S = 0.5
"""A handler that waits longer, for a disk perhaps, holds no key up any more."""


class KeyFollower(Message):
    """Goes the way of a key, behind it: once it is back, the key has been handled."""

    def __init__(self, number: int, rounds: int) -> None:
        """Follow a key.

        Args:
            number: Of the key.
            rounds: How often it goes that way again, behind what the key has posted.
        """
        super().__init__()
        self.number = number
        self.rounds = rounds


class KeyOrderApp(App[int]):
    """An app that hands a key on when the one before has been handled."""

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[events.Key | events.Paste] = deque()
        self._number = 0
        self._deadline: asyncio.TimerHandle | None = None
        """Of the key that is on its way; None while none is."""

    async def on_event(self, event: events.Event) -> None:
        """Hand on what was typed or pasted in its turn, all else at once."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._deadline is not None or self._held:
            self._held.append(event)
        else:
            await self._hand_on(event)

    async def _hand_on(self, event: events.Key | events.Paste) -> None:
        if isinstance(event, events.Paste):
            await super().on_event(self._clean(event))
            return
        stays = event.is_printable and isinstance(self.focused, Input | TextArea)
        await super().on_event(event)
        if not stays:
            self._number += 1
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(_MOST_S, self._give_up, self._number)
            self._follow(self._number, _ROUNDS)

    def _clean(self, event: events.Paste) -> events.Paste:
        """Return the paste with nothing that a line of Textual's own would show raw."""
        if not isinstance(self.focused, Input):
            return event
        return events.Paste(sanitize_line(event.text.strip("\r\n")))

    def _follow(self, number: int, rounds: int) -> None:
        target: Widget = self.focused or self.screen
        if not target.post_message(KeyFollower(number, rounds)):
            self._give_up(number)

    @on(KeyFollower)
    def _go_again(self, event: KeyFollower) -> None:
        if event.number != self._number or self._deadline is None:
            return
        if event.rounds > 1:
            self._follow(event.number, event.rounds - 1)
        else:
            self.call_later(self._next_key)  # behind a focus that is to be moved

    async def _next_key(self) -> None:
        """Hand on what was held, up to the next key that has to be waited for."""
        self._end_wait()
        while self._held and self._deadline is None:
            await self._hand_on(self._held.popleft())

    def _give_up(self, number: int) -> None:
        """Wait no longer for a key."""
        if number == self._number and self._deadline is not None:
            self._end_wait()
            self.call_later(self._hand_on_all)

    async def _hand_on_all(self) -> None:
        while self._held:
            await super().on_event(self._held.popleft())

    def _end_wait(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
