"""The text of one message: drawn piece by piece, wrapped, selected, never lost."""

import pytest
from markdown_it.rules_block import StateBlock
from textual.app import App, ComposeResult
from textual.containers import VerticalScroll
from textual.geometry import Offset
from textual.pilot import Pilot

from qwen_tui.ui.widgets import message_looks
from qwen_tui.ui.widgets.message_view import MessageView
from qwen_tui.ui.widgets.turn_view import TurnView
from qwen_tui.ui.widgets.typesetter import Typesetter
from tests.helpers import until
from tests.ui.markdown.corpus import TEXTS

PIECES = (1, 3, 7)
SIZE = (60, 50)


class Column(VerticalScroll):
    """Has the looks of messages, as the transcript does."""

    COMPONENT_CLASSES = message_looks.COMPONENT_CLASSES
    DEFAULT_CSS = """
    Column {
        scrollbar-gutter: stable;
        & > .message--strong, & > .message--heading { text-style: bold; }
        & > .message--code { background: $surface; }
        & > .message--code-keyword { color: $text-accent; }
    }
    """


class ViewApp(App[None]):
    """Messages in a scrolling column."""

    def __init__(self, *views: MessageView) -> None:
        super().__init__()
        self.view = views[0]
        self.turns = [TurnView(view) for view in views]

    def compose(self) -> ComposeResult:
        column = Column()
        typesetter = Typesetter(message_looks.Palette(column))
        for turn in self.turns:
            turn.typesetter = typesetter
        with column:
            yield from self.turns


def shown(app: App[None]) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


def rows_of(app: ViewApp) -> list[str]:
    """Return every row of the message with its colours, on the screen or not."""
    turn = app.turns[0]
    strips = [turn.render_line(y) for y in range(turn.size.height)]
    return [repr([(s.text, s.style) for s in strip]) for strip in strips]


async def stream(app: ViewApp, pilot: Pilot[None], text: str, size: int) -> None:
    """Append `text` in pieces, the screen being drawn now and then."""
    for number, start in enumerate(range(0, len(text), size)):
        app.view.append(text[start : start + size])
        if number % 20 == 0:
            await pilot.pause()
    app.view.finish()
    await ready(app, pilot)


async def ready(app: ViewApp, pilot: Pilot[None]) -> None:
    await until(lambda: app.view.settled, pause=pilot.pause)
    await pilot.pause()


@pytest.mark.parametrize("size", PIECES)
@pytest.mark.parametrize("name", ["english", "chinese", "odd"])
async def test_what_was_streamed_looks_as_the_saved_message_does(
    name: str, size: int
) -> None:
    text = TEXTS[name]
    streamed, saved = ViewApp(MessageView()), ViewApp(MessageView(text))
    async with streamed.run_test(size=SIZE) as pilot:
        await stream(streamed, pilot, text, size)
        in_pieces = rows_of(streamed)
    async with saved.run_test(size=SIZE) as pilot:
        await ready(saved, pilot)
        assert rows_of(saved) == in_pieces


@pytest.mark.parametrize("size", PIECES)
async def test_a_table_directly_followed_by_code_loses_nothing(size: int) -> None:
    text = "|a|b|\n|-|-|\n|1|2|\n```python\nprint('x')\n```\nthe end\n"
    app = ViewApp(MessageView())
    async with app.run_test(size=SIZE) as pilot:
        await stream(app, pilot, text, size)
        await until(lambda: "the end" in shown(app), pause=pilot.pause)
        rows = [row.strip() for row in shown(app).split("\n")]
        assert "print('x')" in rows
        assert "the end" in rows


@pytest.mark.parametrize("size", PIECES)
async def test_line_ends_of_every_kind_are_one_line_end(size: int) -> None:
    app = ViewApp(MessageView())
    async with app.run_test(size=SIZE) as pilot:
        await stream(app, pilot, "one\r\ntwo\rthree\nfour\r", size)
        await until(lambda: "four" in shown(app), pause=pilot.pause)
        rows = [row.strip() for row in shown(app).split("\n")]
        start = rows.index("one")
        assert rows[start : start + 4] == ["one", "two", "three", "four"]


def break_at_boom(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if "boom" in state.src:
        raise UnboundLocalError("as some parser does at times")
    return False


async def test_what_cannot_be_drawn_as_markdown_is_shown_as_plain_text() -> None:
    text = "fine **so** far\n\nboom [/x] \x1b[2J\n\nand **on** it goes"
    app = ViewApp(MessageView())
    async with app.run_test(size=SIZE) as pilot:
        parser = app.turns[0].typesetter.parser
        parser.block.ruler.before("fence", "boom", break_at_boom)
        await stream(app, pilot, text, 9)
        await until(lambda: "it goes" in shown(app), pause=pilot.pause)
        assert "boom [/x] \u241b[2J" in shown(app)
        assert "fine" in shown(app)


async def test_text_that_grows_in_its_row_leaves_the_layout_alone() -> None:
    app = ViewApp(MessageView("one"))
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        layouts: list[object] = []
        app.screen.screen_layout_refresh_signal.subscribe(app.turns[0], layouts.append)
        app.view.append(" two")
        await until(lambda: "one two" in shown(app), pause=pilot.pause)
        assert not layouts
        app.view.append("\n\nthree")
        await until(lambda: "three" in shown(app), pause=pilot.pause)
        assert layouts


async def test_another_width_draws_the_message_as_if_it_had_always_been_so() -> None:
    text = TEXTS["english"] + TEXTS["chinese"] + TEXTS["long"]
    app = ViewApp(MessageView(text))
    async with app.run_test(size=(100, 40)) as pilot:
        await ready(app, pilot)
        await pilot.resize_terminal(41, 40)
        await until(lambda: app.turns[0].size.width < 60, pause=pilot.pause)
        await ready(app, pilot)
        resized = rows_of(app)
    fresh = ViewApp(MessageView(text))
    async with fresh.run_test(size=(41, 40)) as pilot:
        await ready(fresh, pilot)
        assert rows_of(fresh) == resized


async def test_the_source_of_a_message_can_be_shown_in_its_place() -> None:
    app = ViewApp(MessageView("# Title\n\n$x^2$ and **bold**"))
    async with app.run_test(size=SIZE) as pilot:
        await until(lambda: "x² and bold" in shown(app), pause=pilot.pause)
        app.view.show_plain(True)
        await until(lambda: "$x^2$ and **bold**" in shown(app), pause=pilot.pause)
        assert "# Title" in shown(app)
        app.view.show_plain(False)
        await until(lambda: "x² and bold" in shown(app), pause=pilot.pause)


async def drag(pilot: Pilot[None], start: Offset, end: Offset) -> None:
    await pilot.mouse_down(offset=start)
    await pilot.hover(offset=end)
    await pilot.mouse_up(offset=end)
    await pilot.pause()


async def test_the_mouse_selects_across_messages() -> None:
    first = MessageView("alpha **beta** gamma")
    second = MessageView("delta $x^2$ epsilon")
    app = ViewApp(first, second)
    async with app.run_test(size=SIZE) as pilot:
        await until(lambda: "epsilon" in shown(app), pause=pilot.pause)
        await drag(pilot, Offset(6, 0), Offset(8, 1))
        assert app.screen.get_selected_text() == "beta gamma\ndelta $x^2$"
        chosen = app.screen.get_component_rich_style("screen--selection")
        marked = [
            s.text for s in app.turns[0].render_line(0) if bg(s) == chosen.bgcolor
        ]
        assert "".join(marked) == "beta gamma"


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "nord", "gruvbox"])
async def test_what_is_selected_can_be_read(theme: str) -> None:
    app = ViewApp(MessageView("alpha **beta** `gamma`"))
    async with app.run_test(size=SIZE) as pilot:
        app.theme = theme
        await until(lambda: "gamma" in shown(app), pause=pilot.pause)
        before = app.turns[0].render_line(0)
        await drag(pilot, Offset(1, 0), Offset(20, 0))
        marked = app.turns[0].render_line(0)
        assert marked.text == before.text
        for segment in marked:
            style = segment.style
            assert style is not None
            assert style.color != style.bgcolor


def bg(segment: object) -> object:
    style = getattr(segment, "style", None)
    return style.bgcolor if style else None


async def test_wrapped_lines_are_copied_as_one() -> None:
    chinese = "显存占用主要由权重与缓存两部分组成，其中后者随上下文线性增长。"
    text = f"{chinese}\n\n- a point that is long enough to be wrapped\n  - inner"
    app = ViewApp(MessageView(text))
    async with app.run_test(size=(24, 20)) as pilot:
        await until(lambda: "inner" in shown(app), pause=pilot.pause)
        app.screen.text_select_all()
        assert app.screen.get_selected_text() == text.replace("  - i", "  * i")


async def test_code_is_copied_without_its_label_and_margins() -> None:
    app = ViewApp(MessageView("```python\ndef f():\n\n    return 1\n```"))
    async with app.run_test(size=SIZE) as pilot:
        await until(lambda: "return 1" in shown(app), pause=pilot.pause)
        app.screen.text_select_all()
        assert app.screen.get_selected_text() == "def f():\n\n    return 1"


async def test_another_theme_colours_what_is_drawn_already() -> None:
    app = ViewApp(MessageView("# Title"))
    async with app.run_test(size=SIZE) as pilot:
        await until(lambda: "Title" in shown(app), pause=pilot.pause)
        dark = rows_of(app)
        app.theme = "textual-light"
        await until(lambda: rows_of(app) != dark, pause=pilot.pause)
