"""The real program on a scripted model, measured from inside."""

import asyncio
import time
from pathlib import Path

from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.conversation import ChatMessage, Conversation
from qwen_tui.chat.events import AnswerDelta, Finished, Usage
from qwen_tui.ui import app
from qwen_tui.ui.app import QwenTuiApp
from qwen_tui.ui.desk import Desk
from qwen_tui.ui.launch import LaunchOptions
from qwen_tui.ui.widgets.composer import Composer
from tests.bench.screen_child import RATE, Report, answer, rss_mib
from tests.bench.screen_text import KINDS
from tests.helpers import until
from tests.scripted import Gate, Pause, ScriptedBackend, Step
from tests.ui.model_hosts import settings_for, write_model

_ROUNDS = 5
_MOUNTED = 60
_LOAD_S = 1.0  # within it a load has begun, and mostly ended


class BenchApp(QwenTuiApp):
    """Does what the report's spec says as soon as it is ready."""

    CSS_PATH = Path(app.__file__).with_name("app.tcss")

    def __init__(self, report: Report, home: Path) -> None:
        self._report = report
        self._gate = Gate()
        self.frames: list[float] = []
        slow_link = "slow" in report.spec
        # a title comes once, a second after the answer: when we look for silence
        own = {"ui.slow_link": slow_link, "ui.titles": False}
        options = LaunchOptions(
            settings=settings_for(home, **own),
            model=str(write_model(home / "scripted")),
            chat="",
            data_dir=home / "data",
            log_dir=home / "log",
            config_file=home / "config.toml",
        )
        options.data_dir.mkdir()
        super().__init__(options, open_backend=self._open_backend)

    def _open_backend(self, source: ModelSource) -> ScriptedBackend:
        spec = self._report.spec
        script: list[Step] = []
        if "kind" in spec:
            before, tokens = answer(spec)
            script = [AnswerDelta(before), self._gate]
            for token in tokens:
                script += [AnswerDelta(token), Pause(1 / RATE)]
            script.append(Finished("stop", Usage()))
        backend = ScriptedBackend(script)
        backend.source = source
        return backend

    def post_display_hook(self) -> None:
        self.frames.append(time.perf_counter())

    async def on_mount(self) -> None:
        await super().on_mount()
        self.run_worker(self._report.probe(), group="probe")
        self.run_worker(self._measure(), group="measure")

    async def _measure(self) -> None:
        await until(lambda: self.desk.backend is not None)
        await asyncio.sleep(_LOAD_S)
        await until(lambda: not self.chat.turns.loading)
        await (self._stream() if "kind" in self._report.spec else self._open_chats())
        if not self._report.spec.get("stay"):
            self.leave()

    async def _stream(self) -> None:
        self.chat.post_message(Composer.Submitted("go", "go"))
        await until(lambda: self._gate.reached)

        async def stream() -> None:
            self._gate.open()
            await self.chat.turns.until_idle()

        await self._report.window(stream, self._is_drawn)

    def _is_drawn(self) -> bool:
        turn = self.chat.transcript.last_answer
        return turn is not None and bool(turn.view.text) and turn.settled

    async def _open_chats(self) -> None:
        """Open a short and a long chat in turn; tell when the first frame came."""
        chats = [save_chat(self.desk, size) for size in self._report.spec["sizes"]]
        for number in range(_ROUNDS + 1):
            times = [await self._open_chat(chat) for chat in chats]
            if number:
                self._report.tell("opened", seconds=times)
        for _page in range(10):
            self.chat.transcript.action_page_up()
            await asyncio.sleep(0.05)
        self._report.tell("memory", rss=rss_mib())

    async def _open_chat(self, chat: str) -> float:
        start = time.perf_counter()
        await self.chat.open_session(await self.desk.open_chat(chat))
        shown = len(self.frames)
        await until(lambda: len(self.frames) > shown)
        seconds = self.frames[shown] - start
        transcript = self.chat.transcript
        await until(lambda: not transcript.n_older or len(transcript.turns) >= _MOUNTED)
        await asyncio.sleep(0.5)
        return seconds


def save_chat(desk: Desk, size: int) -> str:
    """Save a chat of so many messages; return its id."""
    assert desk.store is not None
    chat = Conversation(title=f"{size} messages")
    desk.store.save_conversation(chat)
    text = KINDS["mixed"].text(300)
    parent = None
    for number in range(size):
        role = "assistant" if number % 2 else "user"
        content = text if number % 2 else f"Question {number}: 显存估算?"
        message = ChatMessage(role, content, parent_id=parent)
        desk.store.save_message(chat.id, message)
        chat.put(message)
        parent = message.id
    desk.store.save_conversation(chat)
    return chat.id
