"""Frames sent as changes: the terminal shows what full frames would have shown."""

import random
import time
from collections.abc import Awaitable, Callable, Iterable

import pyte
import pytest
from rich.console import Console
from rich.segment import Segment
from textual._compositor import LayoutUpdate
from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.geometry import Offset, Region, Size
from textual.pilot import Pilot
from textual.strip import Strip
from textual.widgets import Static

from qwen_tui.ui.frame_diff import FrameDiff
from qwen_tui.ui.thin_line import ThinLineApp
from tests.helpers import until
from tests.ui.conftest import MakeApp
from tests.ui.pipe_driver import PipeDriver, Screen

WORDS = (
    "plain words of a row ", "显存占用主要由权重", "ｆｕｌｌ", "。，", "“引号”", "é",
    "→ × …", "0123456789", "   ", "日本語かな", "한국어", "- item", "x",
)  # fmt: skip
STYLES = ("none", "bold", "reverse", "italic underline")
COLOURS = ("red", "$primary", "$text-muted", "green 50%")
SIZES = ((80, 24), (50, 18), (101, 30))


class BusyApp(ThinLineApp):
    """A scrolling column of lines beside a sidebar, with toasts over them."""

    CSS = """
    #side { width: 20; background: $surface; border-right: solid $primary; }
    #side.-over { layer: over; dock: left; }
    Screen { layers: base over; }
    #lines { width: 1fr; }
    Static { width: 1fr; height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.driver_class = PipeDriver
        self.n_drawn = 0
        self.use_frame_diff()

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static("side", id="side", markup=False)
            yield VerticalScroll(id="lines")
        yield Static("status", id="status", markup=False)

    def post_display_hook(self) -> None:
        self.n_drawn += 1

    @property
    def pipe(self) -> PipeDriver:
        assert isinstance(self._driver, PipeDriver)
        return self._driver


def full_frame(app: BusyApp) -> list[list[object]]:
    """Return the cells of a terminal to which Textual sent the whole screen."""
    screen = Screen(*app.size)
    compositor = app.screen._compositor
    waiting = compositor._dirty_regions.copy()
    update = compositor.render_full_update()
    compositor._dirty_regions.update(waiting)  # it forgot what is yet to be drawn
    pyte.Stream(screen).feed("\x1b[?7l" + update.render_segments(app.console))
    return screen.cells()


def difference(app: BusyApp) -> str:
    """Return where the terminal shows something else than it should."""
    shown, wanted = app.pipe.screen.cells(), full_frame(app)
    if shown == wanted:
        return ""
    for y, (left, right) in enumerate(zip(shown, wanted, strict=True)):
        for x, (a, b) in enumerate(zip(left, right, strict=True)):
            if a != b:
                return f"cell {x},{y} of {app.size}: {a} is not {b}"
    return "another size"


async def assert_same(app: BusyApp, pilot: Pilot[int], what: str) -> None:
    """Wait for the frame that is on its way, and fail if it is not right."""
    deadline = time.monotonic() + 5
    while found := difference(app):
        assert time.monotonic() < deadline, f"after {what}: {found}"
        await pilot.pause(0.01)


class Chaos:
    """What may happen between two frames."""

    def __init__(self, app: BusyApp, pilot: Pilot[int], seed: int) -> None:
        self.app, self.pilot = app, pilot
        self.random = random.Random(seed)
        self.lines = app.query_one("#lines", VerticalScroll)
        self.side = app.query_one("#side", Static)
        self.steps: list[Callable[[], object]] = [
            *[self.add] * 6, *[self.grow] * 4, *[self.scroll] * 6, self.change,
            self.restyle, self.remove, self.toggle_side, self.overlay, self.toast,
            self.status, self.resize, self.suspend,
        ]  # fmt: skip

    async def step(self) -> str:
        step = self.random.choice(self.steps)
        done = step()
        if isinstance(done, Awaitable):
            await done
        return step.__name__

    def text(self, most: int = 8) -> str:
        return "".join(self.random.choices(WORDS, k=self.random.randint(1, most)))

    def some_line(self) -> Static | None:
        lines = list(self.lines.query(Static))
        return self.random.choice(lines) if lines else None

    async def add(self) -> None:
        await self.lines.mount(Static(self.text(), markup=False))
        if self.random.random() < 0.7:
            self.lines.scroll_end(animate=False)

    def grow(self) -> None:
        lines = list(self.lines.query(Static))
        if lines:
            lines[-1].update(f"{lines[-1].render()}{self.text(2)}")
            self.lines.scroll_end(animate=False)

    def scroll(self) -> None:
        self.lines.scroll_relative(y=self.random.randint(-9, 9), animate=False)

    def change(self) -> None:
        if line := self.some_line():
            line.update(self.text())

    def restyle(self) -> None:
        if line := self.some_line():
            line.styles.text_style = self.random.choice(STYLES)
            line.styles.color = self.random.choice(("red", "blue", "yellow"))

    async def remove(self) -> None:
        if line := self.some_line():
            await line.remove()

    def toggle_side(self) -> None:
        self.side.display = not self.side.display
        self.side.update("\n".join(self.text(2) for _ in range(9)))

    def overlay(self) -> None:
        self.side.toggle_class("-over")

    def toast(self) -> None:
        self.app.notify(self.text(3), timeout=0.05, markup=False)

    def status(self) -> None:
        self.app.query_one("#status", Static).update(self.text())

    async def resize(self) -> None:
        width, height = self.random.choice(SIZES)
        self.app.pipe.screen.resize(height, width)
        await self.pilot.resize_terminal(width, height)

    def suspend(self) -> None:
        pipe = self.app.pipe
        pipe.screen.reset()
        pipe.start_application_mode()


@pytest.mark.parametrize(
    ("seed", "term", "colours"),
    [
        (0, "xterm-256color", "truecolor"),
        (1, "xterm-256color", "truecolor"),
        (2, "xterm-256color", ""),
        (3, "screen", ""),
        (4, "xterm-16color", ""),
    ],
)
async def test_200_random_frames_differ_in_no_cell(
    seed: int, term: str, colours: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", colours)
    app = BusyApp()
    async with app.run_test(headless=False, size=SIZES[0], notifications=True) as pilot:
        await pilot.pause()
        chaos = Chaos(app, pilot, seed)
        for number in range(200):
            what = await chaos.step()
            await assert_same(app, pilot, f"{number} {what}")


async def settled(app: BusyApp, pilot: Pilot[int]) -> None:
    await pilot.pause()
    await assert_same(app, pilot, "waiting")
    app.pipe.sent.clear()


def test_a_frame_of_the_size_before_leaves_nothing_behind() -> None:
    screen = Screen(40, 2)
    stream = pyte.Stream(screen)
    diff = FrameDiff()
    wide = ["a" * 50, "b" * 30]
    for parts in (["x" * 40], wide, ["y" * 40], wide):
        rows: list[Iterable[Strip]] = [[Strip([Segment(part)]) for part in parts]] * 3
        update = LayoutUpdate(rows, Region(0, 0, len("".join(parts)), 3))
        stream.feed(diff.render(update, Size(40, 2), Offset(0, 0), Console()))
        assert screen.display == [parts[0][:40]] * 2


async def test_a_frame_that_cannot_be_compared_is_drawn_by_textual(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> str:
        raise ZeroDivisionError

    app = BusyApp()
    async with app.run_test(headless=False, size=(80, 24)) as pilot:
        await assert_same(app, pilot, "at first")
        monkeypatch.setattr(FrameDiff, "render", fail)
        app.query_one("#status", Static).update("another status")
        await until(lambda: not app.sends_changes_only, pause=pilot.pause)
        await assert_same(app, pilot, "afterwards")
    assert "ZeroDivisionError" in caplog.text


async def test_scrolled_rows_are_moved_by_the_terminal() -> None:
    app = BusyApp()
    async with app.run_test(headless=False, size=(80, 24)) as pilot:
        lines = app.query_one("#lines", VerticalScroll)
        for number in range(40):
            letters = random.Random(number).choices("abcdefghij ", k=50)
            await lines.mount(Static("".join(letters), markup=False))
        await settled(app, pilot)
        lines.scroll_to(y=3, animate=False)
        await until(lambda: bool(app.pipe.sent), pause=pilot.pause)
        await assert_same(app, pilot, "a scroll")
        sent = "".join(app.pipe.sent)
        assert "\x1b[3M" in sent
        assert len(sent) < 900
        app.pipe.sent.clear()
        lines.scroll_to(y=1, animate=False)
        await until(lambda: bool(app.pipe.sent), pause=pilot.pause)
        await assert_same(app, pilot, "a scroll back")
        assert "\x1b[2L" in "".join(app.pipe.sent)


async def test_what_the_terminal_shows_already_is_not_sent_again() -> None:
    app = BusyApp()
    async with app.run_test(headless=False, size=(80, 24)) as pilot:
        status = app.query_one("#status", Static)
        status.update("one two three")
        await settled(app, pilot)
        app.screen.refresh()
        await pilot.pause(0.2)
        assert not app.pipe.sent
        status.update("one TWO three")
        await until(lambda: bool(app.pipe.sent), pause=pilot.pause)
        sent = "".join(app.pipe.sent)
        assert "TWO" in sent
        assert "three" not in sent


async def test_a_redraw_sends_all_of_it() -> None:
    app = BusyApp()
    async with app.run_test(headless=False, size=(80, 24)) as pilot:
        await settled(app, pilot)
        app.pipe.screen.reset()
        app.action_redraw()
        await until(lambda: bool(app.pipe.sent), pause=pilot.pause)
        await assert_same(app, pilot, "a redraw")


async def test_a_terminal_that_lags_behind_gets_one_frame_when_it_reads_again() -> None:
    app = BusyApp()
    async with app.run_test(headless=False, size=(80, 24)) as pilot:
        await settled(app, pilot)
        app.pipe.is_behind = True
        for number in range(5):
            app.query_one("#status", Static).update(f"number {number}")
            await pilot.pause(0.05)
        drawn = app.n_drawn
        await pilot.pause(0.3)
        assert not app.pipe.sent
        assert app.n_drawn == drawn  # nothing is drawn for nobody
        app.pipe.is_behind = False
        await until(lambda: bool(app.pipe.sent), pause=pilot.pause)
        await assert_same(app, pilot, "it read again")
        assert "number 3" not in "".join(app.pipe.sent)


async def test_characters_of_doubtful_width_cannot_move_what_follows() -> None:
    app = BusyApp()
    async with app.run_test(headless=False, size=(80, 24)) as pilot:
        await settled(app, pilot)
        text = "👨\u200d👩\u200d👧 family, ⚠\ufe0f sign, “quote”"
        app.query_one("#status", Static).update(text)
        await until(lambda: bool(app.pipe.sent), pause=pilot.pause)
        await pilot.pause(0.1)
        row = app.pipe.screen.display[23]
        places = {word: row.index(word) for word in ("family", "sign", "quote")}
        # wide characters take one place in the text of pyte and two on the screen
        assert places == {"family": 2, "sign": 13, "quote": 20}, row


async def test_another_textual_draws_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.__version__", "9.0.0", raising=False)
    app = ThinLineApp()
    assert not app.use_frame_diff()


async def test_a_setting_switches_it_off(make_app: MakeApp) -> None:
    assert make_app().sends_changes_only
    assert not make_app(**{"ui.frame_diff": False}).sends_changes_only
