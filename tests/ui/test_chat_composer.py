"""Completion, attached files and earlier prompts on the chat screen."""

import asyncio
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from qwen_tui.chat.counting import estimate_tokens
from qwen_tui.settings import SavedServer
from qwen_tui.ui.app import QwenTuiApp
from qwen_tui.ui.prompt_history import PromptHistory
from tests.helpers import until
from tests.scripted import Hang, ScriptedBackend
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program runs: a few files of each kind."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "notes.txt").write_text("one two three\n")
    (folder / "picture.png").write_bytes(b"\x89PNG\xff")
    (folder / "huge.log").write_bytes(b"x" * 1_000_001)
    (folder / "[red]x\x1b.txt").write_text("odd\n")
    (folder / "src").mkdir()
    (folder / "src" / "main.py").write_text("print(1)\n")
    monkeypatch.chdir(folder)
    return folder


class Writer(Person):
    """Writes in the composer, key by key."""

    def __init__(self, app: QwenTuiApp, pilot: Pilot[int]) -> None:
        super().__init__(app, pilot)
        self.composer = app.chat.composer
        self.menu = app.chat.completions

    async def writes(self, text: str) -> None:
        for letter in text:
            await self.pilot.press(_KEYS.get(letter, letter))

    async def offered(self, *labels: str) -> None:
        """Wait until exactly these are offered."""
        await until(
            lambda: tuple(offer.label for offer in self.menu.offers) == labels,
            pause=self.pilot.pause,
        )

    async def reads(self, text: str) -> None:
        """Wait until `text` is what the composer holds."""
        await until(lambda: self.composer.text == text, pause=self.pilot.pause)


_KEYS = {"/": "slash", " ": "space", "@": "at", ".": "full_stop", "\n": "ctrl+j"}


async def test_a_chosen_command_is_done(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend())
    async with app.run_test(size=(100, 30)) as pilot:
        person = Writer(app, pilot)
        await person.ready()
        await person.writes("/cont")
        await person.offered("/continue", "/context")
        await pilot.press("down", "up", "down")
        await person.shown("> /context")
        await pilot.press("escape")
        await person.gone("> /context")
        assert person.composer.text == "/cont"
        await person.writes("e")  # still the word at which it was closed
        assert not person.menu.is_open
        await pilot.press("ctrl+u")
        await person.writes("/info")
        await pilot.press("enter")
        await person.sees("There is no answer yet.")
        assert person.composer.text == ""


async def test_arguments_follow_a_completed_command(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend())
    async with app.run_test(size=(100, 30)) as pilot:
        person = Writer(app, pilot)
        await person.ready()
        await person.writes("/thi")
        await pilot.press("tab")
        await person.reads("/think ")
        await person.offered("on", "off")
        await person.writes("of")
        await pilot.press("enter")
        await person.sees("without thinking")
        assert person.composer.text == ""


async def test_a_file_goes_with_the_prompt_as_a_block(
    make_app: MakeApp, folder: Path
) -> None:
    backend = ScriptedBackend()
    app = make_app(backend)
    async with app.run_test(size=(100, 30)) as pilot:
        person = Writer(app, pilot)
        await person.ready()
        await person.writes("look at @note")
        await person.offered("notes.txt")
        await pilot.press("tab")
        await person.reads("look at [@ notes.txt 6 tok] ")  # words, as scripted counts
        await pilot.press("enter")
        await person.idle()
    block = "notes.txt\n```\none two three\n```"
    assert backend.requests[0].messages[-1].content == f"look at notes.txt\n\n{block}"


async def test_keys_that_outrun_the_disk_wait_for_it(
    make_app: MakeApp, folder: Path
) -> None:
    backend = ScriptedBackend()
    app = make_app(backend)
    async with app.run_test(size=(100, 30)) as pilot:
        person = Writer(app, pilot)
        await person.ready()
        for key, letter in (("at", "@"), ("n", "n"), ("tab", None), ("enter", None)):
            app.post_message(events.Key(key, letter))
        await until(lambda: bool(backend.requests), pause=pilot.pause)
    assert backend.requests[0].messages[-1].content.startswith("notes.txt\n```\n")


async def test_folders_open_one_after_the_other(
    make_app: MakeApp, folder: Path
) -> None:
    app = make_app(ScriptedBackend())
    async with app.run_test(size=(100, 30)) as pilot:
        person = Writer(app, pilot)
        await person.ready()
        await person.writes("@sr")
        await person.offered("src/")
        await pilot.press("enter")
        await person.reads("@src/")
        await person.offered("src/main.py")
        await pilot.press("down", "enter")
        await until(lambda: "[@ main.py" in person.composer.text, pause=pilot.pause)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [("pict", "no UTF-8 text"), ("hug", "the limit is 1000000")],
)
async def test_a_file_that_cannot_go_is_refused_with_the_reason(
    make_app: MakeApp, folder: Path, typed: str, reason: str
) -> None:
    app = make_app(ScriptedBackend())
    async with app.run_test(size=(100, 30)) as pilot:
        person = Writer(app, pilot)
        await person.ready()
        await person.writes(f"@{typed}")
        await until(lambda: person.menu.is_open, pause=pilot.pause)
        await pilot.press("tab")
        await person.sees(reason)
        assert person.composer.text == f"@{typed}"


@pytest.mark.parametrize("path", ["missing.txt", "src", "/dev/zero", "a\0b"])
async def test_a_command_that_attaches_refuses_too(
    make_app: MakeApp, folder: Path, path: str
) -> None:
    app = make_app(ScriptedBackend())
    async with app.run_test(size=(100, 30)) as pilot:
        person = Writer(app, pilot)
        await person.ready()
        app.chat.action_attach_file(path)
        await until(lambda: app.chat.status.has_class("-warning"), pause=pilot.pause)
        assert person.composer.text == ""


async def test_odd_names_are_text_alone(make_app: MakeApp, folder: Path) -> None:
    app = make_app(ScriptedBackend())
    async with app.run_test(size=(100, 30)) as pilot:
        person = Writer(app, pilot)
        await person.ready()
        await person.writes("@x")
        await person.shown("[red]x\u241b.txt")
        await pilot.press("down", "tab")
        await until(
            lambda: "[@ [red]x\u241b.txt" in person.composer.text, pause=pilot.pause
        )
        assert "\x1b" not in person.screen_text()
        await pilot.press("backspace", "backspace")
        assert person.composer.text == ""


async def test_while_an_answer_is_written_the_size_is_a_guess(
    make_app: MakeApp, folder: Path
) -> None:
    app = make_app(ScriptedBackend([Hang()]))
    async with app.run_test(size=(100, 30)) as pilot:
        person = Writer(app, pilot)
        await person.ready()
        await person.types("hi")
        await until(lambda: app.chat.turns.active, pause=pilot.pause)
        await person.writes("@note")
        await person.offered("notes.txt")
        await pilot.press("tab")
        guess = estimate_tokens("notes.txt\n```\none two three\n```")
        await person.reads(f"[@ notes.txt ~{guess} tok] ")


async def test_what_was_sent_is_there_after_a_restart(make_app: MakeApp) -> None:
    app = make_app(ScriptedBackend())
    async with app.run_test() as pilot:
        person = Writer(app, pilot)
        await person.ready()
        await person.asks("first")
        await person.asks("second\nline")
        await person.types("/fold")
        kept = PromptHistory(app.desk.options.data_dir / "prompts.jsonl")
        await until(lambda: len(kept.load()) == 3)
    again = make_app(ScriptedBackend())
    async with again.run_test() as pilot:
        person = Writer(again, pilot)
        await person.ready()
        await person.writes("fi")
        await pilot.press("up")
        await person.reads("first")
        await pilot.press("down")
        await person.reads("fi")
        await pilot.press("ctrl+u", "up")
        await person.reads("/fold")
        assert not person.menu.is_open
        await pilot.press("up")
        await person.reads("second\nline")


async def test_history_that_cannot_be_kept_is_told_and_costs_nothing(
    make_app: MakeApp, tmp_path: Path
) -> None:
    app = make_app(ScriptedBackend())
    await asyncio.to_thread((tmp_path / "data" / "prompts.jsonl").mkdir)
    async with app.run_test() as pilot:
        person = Writer(app, pilot)
        await person.sees("earlier prompts cannot be read")
        await until(lambda: app.chat.has_model, pause=pilot.pause)
        await person.asks("hello")
        await pilot.press("up")
        await person.reads("hello")


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12)])
async def test_the_menu_never_covers_composer_or_status(
    make_app: MakeApp, size: tuple[int, int]
) -> None:
    app = make_app(ScriptedBackend())
    async with app.run_test(size=size) as pilot:
        person = Writer(app, pilot)
        await person.ready()
        await person.writes("/")
        await person.shown("> /new")
        menu, status = person.menu.region, app.chat.status.region
        assert menu.bottom == status.y
        assert menu.y >= 1
        assert menu.right <= size[0]


async def test_names_of_themes_personas_devices_and_servers_are_offered(
    make_app: MakeApp, tmp_path: Path
) -> None:
    (tmp_path / "personas.toml").write_text(
        '["Chinese teacher"]\nsystem_prompt = "Answer in Chinese."\n', "utf-8"
    )
    app = make_app(servers=[SavedServer("gpu", "http://127.0.0.1:9/v1")])
    async with app.run_test(size=(100, 30)) as pilot:
        person = Writer(app, pilot)
        await person.ready()
        await person.writes("/persona ")
        await person.offered("Chinese teacher", "off", "edit")
        await person.writes("chin")
        await person.offered("Chinese teacher")
        await pilot.press("enter")
        await person.sees("Chinese teacher answers from the next message on.")
        await person.writes("/theme qwen")
        await person.offered("qwen-dark", "qwen-light")
        await pilot.press("down", "enter")
        await person.sees("Theme: qwen-light")
        await person.writes("/server ")
        await person.offered("gpu", "off")
        await pilot.press("ctrl+u")
        await person.writes("/device c")
        await until(
            lambda: "cpu" in [offer.label for offer in person.menu.offers],
            pause=pilot.pause,
        )


async def test_an_argument_and_enter_in_one_piece_are_not_lost(
    make_app: MakeApp,
) -> None:
    app = make_app()
    async with app.run_test(size=(100, 30)) as pilot:
        person = Writer(app, pilot)
        await person.ready()
        for letter in "/theme qwen-l":
            key = _KEYS.get(letter, letter)
            app.post_message(events.Key(key, letter))
        app.post_message(events.Key("enter", "\r"))
        await person.sees("Theme: qwen-light")
