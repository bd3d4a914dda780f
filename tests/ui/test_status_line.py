"""The line that tells what is happening, where there is little room for it."""

import pytest

from qwen_tui.ui.widgets.status_line import whole_parts
from tests.helpers import until
from tests.scripted import ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp

NUMBERS = "9.0 tok/s  9 tokens  first token after 0.50 s"


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (45, NUMBERS),
        (44, "9.0 tok/s  9 tokens"),
        (18, "9.0 tok/s"),
        (3, "9.0 tok/s"),
    ],
)
def test_parts_that_do_not_fit_are_left_out_whole(width: int, shown: str) -> None:
    assert whole_parts(NUMBERS, width) == shown


def test_wide_characters_count_for_two_cells() -> None:
    assert whole_parts("29 个 token  首个 token 0.41 秒", 28) == "29 个 token"


async def test_the_numbers_come_back_with_the_room(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend(says("one two three")))
    async with app.run_test(size=(40, 12)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("count")
        await person.shown("4.0 tok/s  4 tokens")
        await until(lambda: "first" not in person.screen_text(), pause=pilot.pause)
        await pilot.resize_terminal(80, 24)
        await person.shown("4.0 tok/s  4 tokens  first token after 0.50 s")


async def test_a_note_that_is_longer_than_the_line_is_told_in_full(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test(size=(40, 12)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        app.chat.tell("Exported to a folder whose name is long: /home/ada/day.md.")
        await person.shown("Exported to a folder whose name is")
        await person.shown("/home/ada/day.md.")
        app.chat.tell("Short.")
        await person.shown("Short.")
        await until(lambda: app.chat.status.size.height == 1, pause=pilot.pause)
