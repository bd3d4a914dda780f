"""The screen as a whole: sizes, keys, commands, help, long conversations."""

from pathlib import Path

import pytest

from qwen_tui.i18n import set_language
from qwen_tui.ui.pace import SLOW_LINK, USUAL
from qwen_tui.ui.screens.chat_commands import (
    COMMANDS,
    Command,
    NotACommand,
    is_command,
    parse_command,
)
from qwen_tui.ui.screens.models import ModelsScreen
from qwen_tui.ui.widgets.hint_bar import hints_text
from qwen_tui.ui.widgets.turn import AssistantTurn, UserTurn
from tests.helpers import until
from tests.scripted import ScriptedBackend, says
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.test_sidebar import save_chat


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12), (30, 8)])
async def test_a_chat_can_be_held_at_every_size(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = make_app(ScriptedBackend(says("the answer")))
    async with app.run_test(size=size) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hello")
        await person.shown("the answer")
        rows = person.screen_text().split("\n")
        assert "scripted" in rows[0]
        assert "Enter send" in rows[-1]
        wide, roomy = size[0] >= 100, size[0] >= 60
        assert ("Chats (F2)" in person.screen_text()) is wide
        assert ("think:on" in rows[0]) is roomy
        assert ("Message" in person.screen_text()) is roomy  # the composer's frame


@pytest.mark.parametrize("size", [(29, 20), (80, 7)])
async def test_a_terminal_that_is_too_small_says_so(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await Person(app, pilot).shown("Terminal too small")
        await pilot.resize_terminal(80, 24)
        await Person(app, pilot).gone("Terminal too small")


async def test_a_slow_link_gathers_an_answer_for_longer(make_app: MakeApp) -> None:
    assert make_app().chat.pace == USUAL
    assert make_app(**{"ui.slow_link": True}).chat.pace == SLOW_LINK


async def test_ascii_borders_leave_no_box_characters(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend(says("hi")), **{"ui.ascii_borders": True})
    async with app.run_test(size=(110, 34)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hello")
        assert person.screen_text().isascii()
        await pilot.press("f1")
        await person.shown("Esc closes this.")
        assert person.screen_text().isascii()


async def test_the_help_lists_the_keys_and_closes(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await pilot.press("f1")
        await person.shown("answer now, while the model thinks")
        await pilot.press("escape")
        await person.gone("answer now, while the model thinks")


async def test_the_chat_speaks_chinese(make_app: MakeApp) -> None:
    set_language("zh")
    try:
        app = make_app(ScriptedBackend(says("你好！", thinking="想")))
        async with app.run_test(size=(120, 36)) as pilot:
            person = Person(app, pilot)
            await person.sees("就绪")
            await person.asks("你好")
            await person.shown("你好！")
            await person.shown("思考:开")
    finally:
        set_language("en")


async def test_tab_goes_from_composer_to_transcript_to_sidebar(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await Person(app, pilot).ready()
        chat = app.chat
        order = [chat.composer, chat.transcript, chat.sidebar.rows, chat.composer]
        for widget in order:
            assert chat.focused is widget
            await pilot.press("tab")


async def test_commands_do_what_the_keys_do(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend(says("one"), says("two")))
    async with app.run_test(size=(120, 36)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.asks("hello")
        await person.types("/retry")
        await person.shown("two")
        await person.idle()
        await person.types("/help")
        await person.shown("Esc closes this.")
        await pilot.press("escape")
        await person.types("/new")
        await until(lambda: person.branch == [], pause=pilot.pause)
        await person.types("/models")
        await until(lambda: isinstance(app.screen, ModelsScreen), pause=pilot.pause)
        await pilot.press("escape")
        await until(lambda: app.screen is app.chat, pause=pilot.pause)
        await person.types("/quit")
        await until(lambda: app.return_value == 0)


async def test_an_unknown_command_is_told_and_stays(make_app: MakeApp) -> None:
    backend = ScriptedBackend()
    app = make_app(backend)
    async with app.run_test(size=(120, 36)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types("/thnik off")
        await person.sees("There is no command /thnik")
        assert app.chat.composer.text == "/thnik off"
    assert backend.requests == []


def read(line: str) -> tuple[str, str]:
    command = parse_command(line)
    assert isinstance(command, Command)
    return command.spec.word, command.argument


def test_every_command_is_an_action(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend())
    for spec in COMMANDS:
        namespace, _dot, name = spec.action.rpartition(".")
        holder = app if namespace == "app" else app.chat
        assert hasattr(holder, f"action_{name}"), spec.word


def test_commands_are_told_from_paths_and_texts() -> None:
    assert is_command("/new")
    assert is_command("/think on")
    assert not is_command("/usr/bin is a folder")
    assert not is_command("/new\nsecond line")
    assert not is_command("/")
    assert read("/THINK off") == ("/think", "off")
    assert read("/think") == ("/think", "")
    assert read("/think 64") == ("/think", "64")
    assert read("/set temperature 0.2") == ("/set", "temperature 0.2")
    assert isinstance(parse_command("/new now"), NotACommand)


def test_a_message_that_begins_with_a_soft_switch_is_a_message() -> None:
    assert not is_command("/no_think What is 2 + 2?")
    assert not is_command("/think 为什么天是蓝的？")
    assert not is_command("/think\nin two lines")
    assert read("/no_think") == ("/think", "off")


def test_hints_are_cut_whole_and_the_first_ones_stay() -> None:
    assert hints_text(38, busy=False) == "Enter send  ^J new line  F1 help"
    assert hints_text(20, busy=True) == "Esc stop"
    assert hints_text(200, busy=False).endswith("^Q quit")


def row_of(person: Person, text: str) -> int:
    rows = person.screen_text().splitlines()
    return next(n for n, line in enumerate(rows) if text in line)


async def test_a_long_conversation_mounts_its_newest_and_fetches_more_at_the_top(
    make_app: MakeApp, tmp_path: Path
) -> None:
    contents = [f"message number {n}" for n in range(100)]
    chat_id = save_chat(tmp_path / "data", "Long", *contents)
    app = make_app(chat=chat_id)
    async with app.run_test(size=(100, 30)) as pilot:
        person = Person(app, pilot)
        await person.shown("message number 99")
        transcript = app.chat.transcript
        await until(lambda: transcript.n_older == 40, pause=pilot.pause)
        await person.shown("message number 99")  # still at the end
        await pilot.press("tab", "home")
        await person.shown("^ 40 older messages (PgUp)")
        await person.shown("message number 40")
        await pilot.press("pageup")
        await until(lambda: transcript.n_older == 20, pause=pilot.pause)
        await person.shown("message number 40")  # what was read stays in view
        row = row_of(person, "message number 40")
        grown = app.chat.query(AssistantTurn).first()
        height = grown.region.height
        grown.view.append("\n\nmore" * 10)  # Markdown draws itself in pieces
        await until(lambda: grown.region.height > height + 15, pause=pilot.pause)
        assert row_of(person, "message number 40") == row
        await pilot.press("end")
        await person.shown("message number 99")
        turns = [*app.chat.query(UserTurn), *app.chat.query(AssistantTurn)]
        assert len(turns) == 80


async def test_scrolling_away_is_respected_while_an_answer_streams(
    make_app: MakeApp, tmp_path: Path
) -> None:
    from tests.scripted import Gate

    gate = Gate()
    chat_id = save_chat(tmp_path / "data", "Long", *[f"message {n}" for n in range(40)])
    app = make_app(ScriptedBackend([gate, *says("streamed\n\n" * 30)]), chat=chat_id)
    async with app.run_test(size=(100, 30)) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await until(lambda: app.chat.transcript.n_older == 0, pause=pilot.pause)
        await person.types("go")
        await until(lambda: gate.reached, pause=pilot.pause)
        await pilot.press("tab", "home")
        await person.shown("message 0")
        gate.open()
        await person.idle()
        assert "message 0" in person.screen_text()
        await pilot.press("end")
        await person.shown("streamed")
