"""Long conversations: what is mounted, and that what is read never jumps."""

from collections.abc import Sequence

from textual.app import App, ComposeResult
from textual.events import MouseScrollUp
from textual.pilot import Pilot

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.ui.widgets.transcript import Transcript
from qwen_tui.ui.widgets.turn import AssistantTurn, UserTurn
from tests.helpers import until
from tests.ui.markdown.corpus import CHINESE, ENGLISH

SIZE = (70, 30)


class TranscriptApp(App[None]):
    """A transcript alone; remembers where a text stood in every frame."""

    CSS_PATH = "../../qwen_tui/ui/screens/chat.tcss"

    def __init__(self) -> None:
        super().__init__()
        self.transcript = Transcript()
        self.watched = ""
        self.seen_at: list[int] = []

    def compose(self) -> ComposeResult:
        yield self.transcript

    def rows(self) -> list[str]:
        strips = self.screen._compositor.render_strips()
        return [strip.text for strip in strips]

    def post_display_hook(self) -> None:
        if self.watched:
            rows = self.rows()
            found = [n for n, row in enumerate(rows) if self.watched in row]
            self.seen_at.append(found[0] if found else -1)

    def row_of(self, text: str) -> int:
        return next(n for n, row in enumerate(self.rows()) if text in row)


def messages(count: int, extra: str = "") -> list[ChatMessage]:
    return [
        ChatMessage("user", f"question {n}")
        if n % 2 == 0
        else ChatMessage("assistant", f"answer {n}\n\n{extra}")
        for n in range(count)
    ]


async def shows(app: TranscriptApp, pilot: Pilot[None], text: str) -> None:
    await until(lambda: any(text in r for r in app.rows()), pause=pilot.pause)


async def open_chat(
    app: TranscriptApp, pilot: Pilot[None], chat: Sequence[ChatMessage]
) -> Transcript:
    transcript = app.transcript
    await transcript.show(chat, thinking_open=False)
    mounted = min(len(chat), 60)
    await until(lambda: len(transcript.turns) == mounted, pause=pilot.pause)
    await pilot.pause()
    transcript.focus()
    return transcript


async def test_a_very_long_conversation_mounts_its_newest_messages_only() -> None:
    app = TranscriptApp()
    async with app.run_test(size=SIZE) as pilot:
        transcript = await open_chat(app, pilot, messages(5000))
        await shows(app, pilot, "answer 4999")
        assert transcript.n_older == 4940
        assert transcript.following


async def test_older_messages_come_in_above_without_a_jump() -> None:
    app = TranscriptApp()
    async with app.run_test(size=SIZE) as pilot:
        transcript = await open_chat(app, pilot, messages(200, ENGLISH + CHINESE))
        await pilot.press("home")
        await shows(app, pilot, "^ 140 older messages")
        row = app.row_of("question 140")
        app.watched = "question 140"
        await pilot.press("pageup")
        await until(lambda: transcript.n_older == 120, pause=pilot.pause)
        await until(lambda: transcript.scroll_y > 100, pause=pilot.pause)
        await pilot.pause()
        # the line that tells how many there are is no longer above it
        assert set(app.seen_at) <= {row, row - 1}, app.seen_at
        assert app.row_of("question 140") == app.seen_at[-1]


async def test_the_mouse_wheel_at_the_top_fetches_too() -> None:
    app = TranscriptApp()
    async with app.run_test(size=SIZE) as pilot:
        transcript = await open_chat(app, pilot, messages(100))
        await pilot.press("home")
        await shows(app, pilot, "^ 40 older messages")
        await pilot._post_mouse_events([MouseScrollUp], transcript, (5, 5), button=0)
        await until(lambda: transcript.n_older == 20, pause=pilot.pause)


async def test_too_many_messages_are_put_away_at_the_end_and_come_again() -> None:
    app = TranscriptApp()
    async with app.run_test(size=SIZE) as pilot:
        transcript = await open_chat(app, pilot, messages(200))
        for n_older in (120, 100, 80):
            await pilot.press("home")
            await until(lambda: transcript.scroll_y == 0, pause=pilot.pause)
            await pilot.press("home")
            await until(lambda n=n_older: transcript.n_older == n, pause=pilot.pause)
            await pilot.pause()
        assert len(transcript.turns) == 120
        await pilot.press("end")
        await until(lambda: len(transcript.turns) == 60, pause=pilot.pause)
        assert transcript.n_older == 140
        await shows(app, pilot, "answer 199")
        await pilot.press("home")
        await shows(app, pilot, "question 140")
        await pilot.press("pageup")
        await until(lambda: transcript.n_older == 120, pause=pilot.pause)
        contents = [
            turn.text if isinstance(turn, UserTurn) else turn.view.text.strip()
            for turn in transcript.turns
        ]
        names = ("question", "answer")
        assert contents == [f"{names[n % 2]} {n}" for n in range(120, 200)]


async def test_a_long_chat_is_cut_back_while_it_goes_on_at_the_end() -> None:
    app = TranscriptApp()
    async with app.run_test(size=SIZE) as pilot:
        transcript = await open_chat(app, pilot, messages(60))
        for number in range(45):
            await transcript.add(UserTurn(f"more {number}", 0.0))
        await until(lambda: len(transcript.turns) < 100, pause=pilot.pause)
        await shows(app, pilot, "more 44")
        assert transcript.following
        assert transcript.n_older + len(transcript.turns) == 105


async def test_what_is_read_stays_while_messages_above_it_grow_and_fold() -> None:
    app = TranscriptApp()
    async with app.run_test(size=SIZE) as pilot:
        chat = messages(40, "some more text\n\n" * 5)
        chat[11] = ChatMessage("assistant", "answer 11", thinking="a thought\n" * 30)
        transcript = await open_chat(app, pilot, chat)
        turn = transcript.turns[11]
        assert isinstance(turn, AssistantTurn)
        assert turn.panel is not None
        await pilot.press("home", *["pagedown"] * 4)
        await pilot.pause()
        app.watched = next(row.strip() for row in app.rows() if "question" in row)
        row = app.row_of(app.watched)
        assert turn.region.bottom < transcript.region.y
        heights = {turn.size.height}
        for is_open in (True, False, True):
            turn.panel.set_open(is_open)
            await pilot.pause()
            heights.add(turn.size.height)
        turn.view.append("\n\nmore" * 20)
        await pilot.pause()
        assert len(heights | {turn.size.height}) == 3
        assert set(app.seen_at) == {row}


async def test_the_end_is_followed_until_the_person_scrolls_away() -> None:
    app = TranscriptApp()
    async with app.run_test(size=SIZE) as pilot:
        transcript = await open_chat(app, pilot, messages(20))
        turn = AssistantTurn()
        await transcript.add(turn)
        turn.answer("one\n\n" * 50 + "so far")
        await shows(app, pilot, "so far")
        await pilot.press("pageup")
        await until(lambda: not transcript.following, pause=pilot.pause)
        top = app.rows()[0]
        turn.answer("\n\ntwo" * 50 + "\n\nthe end")
        await until(lambda: turn.settled, pause=pilot.pause)
        await pilot.pause()
        assert app.rows()[0] == top
        await pilot.press("end")
        await shows(app, pilot, "the end")
        turn.answer("\n\nof it all")
        await shows(app, pilot, "of it all")


async def test_a_resize_keeps_the_message_that_is_read() -> None:
    app = TranscriptApp()
    async with app.run_test(size=(120, 30)) as pilot:
        transcript = await open_chat(app, pilot, messages(60, CHINESE))
        await pilot.press(*["pageup"] * 12)
        await pilot.pause()
        read = next(row for row in app.rows() if "answer" in row or "question" in row)
        await pilot.resize_terminal(62, 30)
        await until(
            lambda: all(turn.settled for turn in transcript.turns), pause=pilot.pause
        )
        await shows(app, pilot, " ".join(read.split()))


async def test_the_sources_of_all_messages_can_be_shown() -> None:
    app = TranscriptApp()
    async with app.run_test(size=SIZE) as pilot:
        transcript = await open_chat(app, pilot, messages(100, "**bold**"))
        await shows(app, pilot, " bold ")
        transcript.show_source()
        await shows(app, pilot, "**bold**")
        await pilot.press("home")
        await shows(app, pilot, "^ 40 older messages")
        await pilot.press("pageup")
        await until(lambda: transcript.n_older == 20, pause=pilot.pause)
        views = [t.view for t in transcript.turns if isinstance(t, AssistantTurn)]
        assert all("**bold**" in view.row(2).text for view in views)
        transcript.show_source()
        assert all("**" not in view.row(2).text for view in views)


async def test_a_click_on_the_line_of_the_thinking_opens_it() -> None:
    app = TranscriptApp()
    async with app.run_test(size=SIZE) as pilot:
        chat = [ChatMessage("assistant", "answer", thinking="deep thoughts")]
        await open_chat(app, pilot, chat)
        await shows(app, pilot, "[+] Thoughts")
        await pilot.click(offset=(8, app.row_of("[+] Thoughts")))
        await shows(app, pilot, "deep thoughts")
        await pilot.click(offset=(8, app.row_of("deep thoughts")))
        await shows(app, pilot, "[-] Thoughts")
