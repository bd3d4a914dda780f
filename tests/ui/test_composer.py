"""The composer: keys, new lines, history, pastes."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from qwen_tui.ui.widgets.composer import Composer
from qwen_tui.ui.widgets.pasted import LIMIT_BYTES, AttachedFile
from tests.helpers import until


class ComposerApp(App[None]):
    """A composer and what it posts."""

    CSS = "#composer { height: auto; max-height: 10; }"

    def __init__(self) -> None:
        super().__init__()
        self.composer = Composer()
        self.sent: list[str] = []
        self.refused: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.composer

    def on_composer_submitted(self, event: Composer.Submitted) -> None:
        self.sent.append(event.text)

    def on_composer_refused(self, event: Composer.Refused) -> None:
        self.refused.append(event.reason)


@asynccontextmanager
async def composing() -> AsyncGenerator[tuple[ComposerApp, Pilot[None]]]:
    app = ComposerApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.composer.focus()
        await pilot.pause()
        yield app, pilot


async def paste(app: ComposerApp, pilot: Pilot[None], text: str) -> None:
    app.composer.post_message(events.Paste(text))
    await pilot.pause()


async def test_enter_sends_and_what_cannot_be_sent_is_given_back() -> None:
    async with composing() as (app, pilot):
        await pilot.press(*"hi", "enter")
        await until(lambda: app.sent == ["hi"])
        assert app.composer.text == ""
        app.composer.give_back(Composer.Submitted("hi", "hi"))
        assert app.composer.text == "hi"


async def test_what_is_typed_on_in_the_same_instant_is_the_next_prompt() -> None:
    async with composing() as (app, pilot):
        for key in ("a", "enter", "b", "enter", "c"):  # as a slow line delivers them
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(lambda: app.composer.text == "c", pause=pilot.pause)
        assert app.sent == ["a", "b"]
        app.composer.give_back(Composer.Submitted("b", "b"))
        assert app.composer.text == "b\nc"


async def test_keys_that_come_in_one_piece_act_in_their_order() -> None:
    keys = [("a", "a"), ("b", "b"), ("backspace", None), ("left", None), ("c", "c")]
    async with composing() as (app, pilot):
        for key, character in keys:
            app.post_message(events.Key(key, character))
        await pilot.pause()
        assert app.composer.text == "ca"


async def test_enter_on_blanks_sends_nothing() -> None:
    async with composing() as (app, pilot):
        await pilot.press("space", "enter", "x", "enter")
        await until(lambda: bool(app.sent))
    assert app.sent == ["x"]


async def test_a_paste_that_is_given_back_is_whole_after_another_was_sent() -> None:
    long = "z" * 4_000
    async with composing() as (app, pilot):
        await paste(app, pilot, long)
        shown = app.composer.text
        await pilot.press("enter")
        await until(lambda: app.sent == [long])
        app.composer.keep_sent("a prompt before it")
        app.composer.give_back(Composer.Submitted(long, shown))
        assert app.composer.prompt == long
        assert "zz" not in app.composer.text


@pytest.mark.parametrize("key", ["ctrl+j", "shift+enter", "alt+enter"])
async def test_a_new_line_without_sending(key: str) -> None:
    async with composing() as (app, pilot):
        await pilot.press("a", key, "b")
        assert app.composer.text == "a\nb"
        assert app.sent == []


async def test_backslash_and_enter_is_a_new_line_without_the_backslash() -> None:
    async with composing() as (app, pilot):
        await pilot.press("a", "backslash", "enter", "b")
        assert app.composer.text == "a\nb"
        assert app.sent == []


async def test_it_grows_with_its_lines_up_to_eight() -> None:
    async with composing() as (app, pilot):
        heights: list[int] = []
        for _line in range(12):
            await pilot.pause()
            heights.append(app.composer.size.height)
            await pilot.press("ctrl+j")
    assert heights == [1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8]


async def test_up_and_down_walk_the_prompts_and_keep_the_draft() -> None:
    async with composing() as (app, pilot):
        app.composer.set_history(["first", "second\nline"])
        await pilot.press(*"draft", "up")
        assert app.composer.text == "second\nline"
        await pilot.press("up", "up")  # to its first line, then to the one before
        assert app.composer.text == "first"
        await pilot.press("up")
        assert app.composer.text == "first"
        await pilot.press("down", "down", "down")
        assert app.composer.text == "draft"


async def test_up_with_text_typed_finds_what_begins_with_it() -> None:
    async with composing() as (app, pilot):
        app.composer.set_history(["how one", "what two", "how three", "why four"])
        await pilot.press(*"how", "up")
        assert app.composer.text == "how three"
        await pilot.press("up")
        assert app.composer.text == "how one"
        await pilot.press("up")
        assert app.composer.text == "how one"
        await pilot.press("down", "down")
        assert app.composer.text == "how"


async def test_a_recalled_prompt_that_was_changed_is_a_draft_of_its_own() -> None:
    async with composing() as (app, pilot):
        app.composer.set_history(["first", "second"])
        await pilot.press("up", "!", "up")
        assert app.composer.text == "second"
        await pilot.press("down")
        assert app.composer.text == "second!"


async def test_a_sent_prompt_is_the_first_that_up_finds_and_stands_once() -> None:
    async with composing() as (app, pilot):
        app.composer.set_history(["again", "other"])
        await pilot.press(*"again", "enter")
        app.composer.keep_sent("again")
        await pilot.press("up")
        assert app.composer.text == "again"
        await pilot.press("up", "up")
        assert app.composer.text == "other"


async def test_what_is_dropped_was_not_sent() -> None:
    async with composing() as (app, pilot):
        await pilot.press(*"secret")
        app.composer.drop_text()
        await pilot.press("up")
        assert app.composer.text == ""


async def test_the_border_guesses_the_size_with_what_is_folded() -> None:
    async with composing() as (app, pilot):
        await pilot.press(*"abcd")
        assert app.composer.border_subtitle == "~1 tok"
        await paste(app, pilot, "y" * 4_000)
        assert app.composer.border_subtitle == "~1,001 tok"
        await pilot.press("backspace", "ctrl+j")
        assert app.composer.border_subtitle == "2 lines, ~2 tok"


async def test_an_editor_sees_pasted_texts_in_full() -> None:
    long_text = "line\n" * 30 + "end"
    async with composing() as (app, pilot):
        await pilot.press("a")
        await paste(app, pilot, long_text)
        assert app.composer.text_for_editor() == "a" + long_text
        app.composer.take_edited(long_text + "\nmore\x1b")
        assert app.composer.text.startswith("[pasted")
        assert app.composer.prompt == long_text + "\nmore\x1b"
        app.composer.take_edited("short\x1b")
        assert app.composer.text == "short\u241b"


async def test_a_chip_that_an_editor_kept_is_still_its_file() -> None:
    file = AttachedFile("a.txt", "a.txt\n```\nx\n```", 7, is_estimate=False)
    async with composing() as (app, _pilot):
        app.composer.begin_attaching(None)
        app.composer.end_attaching(file)
        assert app.composer.text_for_editor() == "[@ a.txt 7 tok] "
        app.composer.take_edited("see [@ a.txt 7 tok]")
        assert app.composer.prompt == "see a.txt\n\na.txt\n```\nx\n```"
        app.composer.take_edited("see [@ a.txt 7 tok]" + "\nline" * 30)
        assert app.composer.prompt.endswith("\n\n" + file.block)


async def test_two_files_of_one_name_stay_two_and_one_goes_once() -> None:
    files = [AttachedFile("a", f"a\n```\n{x}\n```", 7, is_estimate=True) for x in "xy"]
    async with composing() as (app, _pilot):
        for file in [*files, files[0]]:
            app.composer.begin_attaching(None)
            app.composer.end_attaching(file)
        assert app.composer.text == "[@ a ~7 tok] [@ a (2) ~7 tok] [@ a ~7 tok] "
        assert app.composer.prompt == "\n\n".join(file.block for file in files)


async def test_a_file_that_makes_the_message_too_long_is_refused() -> None:
    half = AttachedFile("half", "x" * (LIMIT_BYTES // 2 + 1), 9, is_estimate=True)
    other = AttachedFile("other", "y" * (LIMIT_BYTES // 2 + 1), 9, is_estimate=True)
    async with composing() as (app, pilot):
        for file in (half, other):
            app.composer.begin_attaching(None)
            app.composer.end_attaching(file)
        await until(lambda: bool(app.refused), pause=pilot.pause)
        assert "other" in app.refused[0]
        assert app.composer.text == "[@ half ~9 tok] "


async def test_a_short_paste_is_text_without_control_characters() -> None:
    async with composing() as (app, pilot):
        await paste(app, pilot, "one\r\ntwo\x1b[31m")
        assert app.composer.text == "one\ntwo\u241b[31m"
        assert app.composer.cursor_location == (1, 8)


async def test_a_long_paste_is_one_line_and_is_sent_whole() -> None:
    long_text = "line of a log\n" * 5_000
    async with composing() as (app, pilot):
        await pilot.press(*"see: ")
        await paste(app, pilot, long_text)
        assert app.composer.text == "see: [pasted 1: 5,001 lines, 70,000 characters]"
        await pilot.press("space", "o", "k", "enter")
        await until(lambda: bool(app.sent))
    assert app.sent == [f"see: {long_text} ok"]


async def test_two_long_pastes_do_not_mix_even_when_one_names_the_other() -> None:
    first = "a" * 3_000
    second = "[pasted 1: 1 line, 3,000 characters]" + "b" * 3_000
    async with composing() as (app, pilot):
        await paste(app, pilot, first)
        await paste(app, pilot, second)
        assert app.composer.prompt == first + second


async def test_backspace_takes_a_folded_paste_away_whole() -> None:
    async with composing() as (app, pilot):
        await pilot.press("x")
        await paste(app, pilot, "y" * 3_000)
        await pilot.press("backspace")
        assert app.composer.text == "x"


async def test_a_paste_over_the_limit_is_refused_and_told() -> None:
    async with composing() as (app, pilot):
        await paste(app, pilot, "z" * (LIMIT_BYTES + 1))
        await until(lambda: bool(app.refused))
        assert app.composer.text == ""
    assert "1 MB" in app.refused[0]


async def test_what_is_put_back_stands_above_what_was_typed_meanwhile() -> None:
    long_text = "w" * 3_000
    async with composing() as (app, pilot):
        await pilot.press(*"typed")
        app.composer.put_back(long_text)
        assert app.composer.prompt == f"{long_text}\ntyped"
        assert len(app.composer.text) < 100


async def test_text_that_is_typed_is_not_put_back_as_a_chip_by_mistake() -> None:
    async with composing() as (app, pilot):
        app.composer.put_back("short")
        assert app.composer.text == "short"
        await pilot.press("!")
        assert app.composer.text == "short!"
