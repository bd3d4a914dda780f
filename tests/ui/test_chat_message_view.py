"""The text of one message, drawn piece by piece."""

from collections.abc import MutableMapping
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from qwen_tui.ui.widgets.message_view import MessageView
from tests.helpers import until

PIECES = (1, 4, 17)


class BrokenParser(MarkdownIt):
    """Fails from the word "boom" on."""

    def parse(
        self, src: str, env: MutableMapping[str, Any] | None = None
    ) -> list[Token]:
        if "boom" in src:
            raise UnboundLocalError("as Textual's own widget does at times")
        return super().parse(src, env)


class ViewApp(App[None]):
    """One message."""

    def __init__(self, view: MessageView) -> None:
        super().__init__()
        self.view = view

    def compose(self) -> ComposeResult:
        yield self.view


def shown(app: App[None]) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text for strip in strips)


async def stream(app: ViewApp, pilot: Pilot[None], text: str, size: int) -> None:
    """Append `text` in pieces, each drawn before the next comes."""
    for start in range(0, len(text), size):
        app.view.append(text[start : start + size])
        await until(lambda: app.view.settled, pause=pilot.pause)
    app.view.finish()
    await until(lambda: app.view.settled, pause=pilot.pause)


@pytest.mark.parametrize("size", PIECES)
async def test_a_table_directly_followed_by_code_loses_nothing(size: int) -> None:
    text = "|a|b|\n|-|-|\n|1|2|\n```python\nprint('x')\n```\nthe end\n"
    app = ViewApp(MessageView())
    async with app.run_test(size=(80, 40)) as pilot:
        await stream(app, pilot, text, size)
        await until(lambda: "the end" in shown(app), pause=pilot.pause)
        rows = [row.strip() for row in shown(app).split("\n")]
        assert "print('x')" in rows
        assert "the end" in rows


@pytest.mark.parametrize("size", PIECES)
async def test_line_ends_of_every_kind_are_one_line_end(size: int) -> None:
    app = ViewApp(MessageView())
    async with app.run_test(size=(80, 20)) as pilot:
        await stream(app, pilot, "one\r\ntwo\rthree\nfour\r", size)
        await until(lambda: "four" in shown(app), pause=pilot.pause)
        rows = [row.strip() for row in shown(app).split("\n")]
        start = rows.index("one")
        assert rows[start : start + 4] == ["one", "two", "three", "four"]


async def test_streamed_text_looks_as_the_saved_message_does() -> None:
    text = (
        "# Title\n\nSome *text* with `code`.\n\n1. one\n2. two\n   - nested\n\n"
        "```python\nx = 1\n\ny = 2\n```\n\n> quote\n\n|a|b|\n|-|-|\n|1|2|\n\n"
        "last 段落。"
    )
    streamed, saved = ViewApp(MessageView()), ViewApp(MessageView(text))
    async with streamed.run_test(size=(60, 50)) as pilot:
        await stream(streamed, pilot, text, 7)
        await until(lambda: "last" in shown(streamed), pause=pilot.pause)
        drawn_in_pieces = shown(streamed)
    async with saved.run_test(size=(60, 50)) as pilot:
        await until(lambda: "last" in shown(saved), pause=pilot.pause)
        assert shown(saved) == drawn_in_pieces


async def test_what_cannot_be_drawn_as_markdown_is_shown_as_plain_text() -> None:
    text = "fine **so** far\n\nboom [/x] \x1b[2J\n\nand **on** it goes"
    app = ViewApp(MessageView(parser_factory=BrokenParser))
    async with app.run_test(size=(60, 20)) as pilot:
        await stream(app, pilot, text, 9)
        await until(lambda: "and **on** it goes" in shown(app), pause=pilot.pause)
        assert "boom [/x] \u241b[2J" in shown(app)
        assert "fine **so** far" in shown(app)
