"""What the chat tests do again and again: wait, type, read the screen."""

from textual.pilot import Pilot
from textual.widgets import Static

from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.store.conversations import Store
from qwen_tui.ui.app import QwenTuiApp
from tests.helpers import until


class Person:
    """Sits at the app: types, looks, and waits for what should come."""

    def __init__(self, app: QwenTuiApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    async def ready(self) -> None:
        """Wait until the model can be asked."""
        await self.sees("Ready")

    async def sees(self, text: str) -> None:
        """Wait until the status line says `text`."""
        await until(lambda: text in self.app.chat.status.text, pause=self.pilot.pause)

    async def shown(self, text: str) -> None:
        """Wait until `text` stands somewhere on the screen."""
        await until(lambda: text in self.screen_text(), pause=self.pilot.pause)

    async def gone(self, text: str) -> None:
        """Wait until `text` stands nowhere on the screen."""
        await until(lambda: text not in self.screen_text(), pause=self.pilot.pause)

    async def types(self, text: str) -> None:
        """Type `text` and press Enter."""
        self.app.chat.composer.insert(text)
        await self.pilot.press("enter")

    async def asks(self, text: str) -> None:
        """Send `text` and wait for the end of the answer."""
        before = len(self.branch)
        await self.types(text)
        await until(lambda: len(self.branch) == before + 2, pause=self.pilot.pause)
        await self.idle()

    async def idle(self) -> None:
        """Wait until no turn runs and all of its text is drawn."""
        turns = self.app.chat.turns
        await until(lambda: not turns.answering, pause=self.pilot.pause)
        await until(self.all_drawn, pause=self.pilot.pause)

    def all_drawn(self) -> bool:
        """Whether every message's text has been laid out."""
        answer = self.app.chat.transcript.last_answer
        return answer is None or answer.view.settled

    def screen_text(self) -> str:
        """Return the rows of the screen as a terminal would show them."""
        screen = self.app.screen
        width, height = screen.size
        strips = screen._compositor.render_strips()
        return "\n".join(strip.text[:width] for strip in strips[:height])

    @property
    def branch(self) -> list[ChatMessage]:
        """The messages of the open conversation."""
        assert self.app.desk.session is not None
        return self.app.desk.session.conversation.branch()

    def saved(self) -> Conversation:
        """Return the open conversation as another program would read it."""
        assert self.app.desk.session is not None
        assert self.app.desk.store is not None
        other = Store(self.app.desk.store.file)
        try:
            return other.load(self.app.desk.session.conversation.id)
        finally:
            other.close()


def plain(widget: Static) -> str:
    """Return the text of a static widget."""
    return str(widget.render())
