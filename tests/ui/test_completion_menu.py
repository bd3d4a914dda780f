"""The menu of what may be meant: rows, marks, what is below."""

from rich.cells import cell_len
from textual.app import App, ComposeResult

from qwen_tui.ui.widgets.completion_menu import (
    CompletionMenu,
    Offer,
    Word,
    offer_lines,
)
from tests.ui.chat_pilot import plain

_WORD = Word("/", 0, 0)
_OFFERS = [Offer(f"/n{n}", f"number {n}", f"/n{n}") for n in range(6)]


class MenuApp(App[None]):
    """A menu, and what was taken from it."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[str] = []
        self.menu = CompletionMenu(self.take, lambda: None)

    def take(self, word: Word, offer: Offer, by_enter: bool) -> None:
        self.taken.append(offer.text)

    def compose(self) -> ComposeResult:
        yield self.menu


def rows(menu: CompletionMenu) -> list[str]:
    return [" ".join(row.split()) for row in plain(menu).splitlines()]


async def test_the_rows_follow_the_mark_and_tell_how_many_are_below() -> None:
    app = MenuApp()
    async with app.run_test(size=(40, 10)):
        app.menu.show(_WORD, _OFFERS, selected=0, rows=3)
        assert rows(app.menu) == ["> /n0 number 0", "/n1 number 1", "/n2 number 2 +3"]
        for _step in range(3):
            app.menu.press("down")
        assert rows(app.menu) == ["/n1 number 1", "/n2 number 2", "> /n3 number 3 +2"]
        app.menu.press("up")
        assert rows(app.menu)[1] == "> /n2 number 2"
        for _step in range(3):
            app.menu.press("up")
        assert rows(app.menu) == ["/n3 number 3", "/n4 number 4", "> /n5 number 5"]


async def test_a_click_takes_the_row_it_is_on() -> None:
    app = MenuApp()
    async with app.run_test(size=(40, 10)) as pilot:
        app.menu.show(_WORD, _OFFERS, selected=5, rows=3)
        await pilot.pause()
        await pilot.click(app.menu, offset=(3, 1))
        assert app.taken == ["/n4"]
        assert not app.menu.is_open


def test_no_line_is_wider_than_the_menu_and_nothing_in_it_acts() -> None:
    offers = [
        Offer("说明" * 30, "1.1M", ""),
        Offer("[/b]\x1b[2J\u202e.txt", "解释" * 40, ""),
    ]
    for width in (20, 40, 80):
        for line in offer_lines(offers, width, marked=1):
            assert "\x1b" not in line
            assert "\u202e" not in line
            assert cell_len(line) == width
