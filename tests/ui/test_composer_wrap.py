"""Long lines of the composer stand on the screen as Textual's own area shows them."""

import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widgets import TextArea
from textual.widgets.text_area import Document, Selection, WrappedDocument

from qwen_tui.ui.widgets.composer import Composer
from qwen_tui.ui.widgets.composer_wrap import LongLines, wrap_on

PIECES = [
    "\u4e2d\u6587",
    "\uff0c",
    "word",
    "a",
    " ",
    "   ",
    "\U0001f469\u200d\U0001f4bb",
]
ODD = ["\ufe0f", "\u2764\ufe0f", "e\u0301", "\u200d", "x" * 90, "\u5b57" * 60, "\u3000"]
WIDTHS = [2, 11, 31, 78]
LONG = "\u4e2d" * 700


def some_text(random_: random.Random, n_pieces: int) -> str:
    pieces = random_.choice([PIECES, PIECES + ODD, PIECES[:2], PIECES[2:5]])
    return "".join(random_.choices(pieces, k=n_pieces))


def stock(text: str, width: int) -> WrappedDocument:
    return WrappedDocument(Document(text), width, 4)


@pytest.mark.parametrize("seed", range(25))
def test_a_line_breaks_where_textual_breaks_it(seed: int) -> None:
    random_ = random.Random(seed)
    line = some_text(random_, random_.choice([0, 1, 5, 40, 400]))
    for width in WIDTHS:
        assert wrap_on(line, [], width) == stock(line, width).get_offsets(0), width


@pytest.mark.parametrize("seed", range(25))
def test_after_any_edit_the_rows_are_those_of_the_whole_text(seed: int) -> None:
    random_ = random.Random(seed)
    lines = [some_text(random_, random_.choice([0, 3, 700])) for _line in range(3)]
    document = Document("\n".join(lines))
    width = random_.choice(WIDTHS)
    rows = LongLines(document, width, 4)
    for _edit in range(6):
        row = random_.randrange(document.line_count)
        ends = [random_.randint(0, len(document[row])) for _end in range(2)]
        start, end = (row, min(ends)), (row, max(ends))
        if random_.random() < 0.8:  # as keys do
            end = (row, min(start[1] + random_.randint(0, 2), len(document[row])))
        new = random_.choice(["", "\n", "\t", "x", " ", "\u5b57", *PIECES])
        edited = document.replace_range(start, end, new)
        rows.wrap_range(start, end, edited.end_location)
        same_rows(rows, stock(document.text, width), random_)


@pytest.mark.parametrize("gone", ["wide_word", "\t", " "])
def test_a_line_that_lost_its_end_is_wrapped_as_if_it_never_had_it(gone: str) -> None:
    word = "\U0001f469\u200d\U0001f4bb" * 4  # 8 cells, though its parts have 16
    document = Document(f"{LONG} {word}{gone}")
    rows = LongLines(document, 11, 4)
    end = len(document[0])
    edited = document.replace_range((0, end - len(gone)), (0, end), "")
    rows.wrap_range((0, end - len(gone)), (0, end), edited.end_location)
    same_rows(rows, stock(document.text, 11), random.Random(0))


def same_rows(
    ours: WrappedDocument, theirs: WrappedDocument, random_: random.Random
) -> None:
    document = theirs.document
    assert ours.height == theirs.height
    for row in range(document.line_count):
        assert ours.get_offsets(row) == theirs.get_offsets(row)
        assert ours.get_sections(row) == theirs.get_sections(row)
        assert ours.get_tab_widths(row) == theirs.get_tab_widths(row)
        place = (row, random_.randint(0, len(document[row])))
        assert ours.location_to_offset(place) == theirs.location_to_offset(place)
    for _place in range(3):
        offset = Offset(random_.randint(0, 80), random_.randint(0, theirs.height + 1))
        assert ours.offset_to_location(offset) == theirs.offset_to_location(offset)


class TwoAreas(App[None]):
    """A composer above a stock text area with the same look."""

    CSS = """
    TextArea { height: 10; border: none; padding: 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.ours = Composer()
        self.stock = TextArea(highlight_cursor_line=False)
        self.stock.cursor_blink = False

    def compose(self) -> ComposeResult:
        yield self.ours
        yield self.stock


@asynccontextmanager
async def two_areas() -> AsyncGenerator[tuple[TwoAreas, Pilot[None]]]:
    app = TwoAreas()
    async with app.run_test(size=(60, 24)) as pilot:
        await pilot.pause()
        yield app, pilot


@pytest.mark.parametrize("seed", range(4))
async def test_it_is_drawn_as_textual_draws_it(seed: int) -> None:
    random_ = random.Random(seed)
    text = "\n".join(["short", some_text(random_, 700), LONG, "tab\t" * 200, "end"])
    async with two_areas() as (app, pilot):
        for area in (app.ours, app.stock):
            area.text = text
        for _look in range(6):
            row = random_.randrange(5)
            end = (row, random_.randint(0, len(app.ours.document[row])))
            start = random_.choice([end, end, (random_.randrange(5), 0)])
            drawn: list[object] = []
            for area in (app.ours, app.stock):
                area.focus()
                area.insert("x", (row, 0))
                area.selection = Selection(start, end)
                await pilot.pause()
                strips = [area.render_line(y) for y in range(area.size.height)]
                drawn.append([[(s.text, str(s.style)) for s in t] for t in strips])
            assert drawn[0] == drawn[1]


async def test_the_cursor_goes_through_a_long_line_row_by_row() -> None:
    async with two_areas() as (app, pilot):
        app.ours.text = app.stock.text = LONG + " and more"
        for area in (app.ours, app.stock):
            area.focus()
            area.move_cursor((0, 705))
            await pilot.press("up", "up", "home", "right", "x", "backspace", "end", "y")
        assert app.ours.text == app.stock.text
        assert app.ours.cursor_location == app.stock.cursor_location
        assert app.ours.cursor_location[1] < 705
