"""From the chat to a file, and back into the list."""

import json
from pathlib import Path

import pytest

from qwen_tui.ui.screens.chat_transfer import form_and_name
from tests.helpers import until
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.test_sidebar import save_chat, titles

SIZE = (160, 30)
SAMPLES = Path(__file__).parents[1] / "data" / "imports"


@pytest.mark.parametrize(
    ("argument", "form", "name"),
    [
        ("", "md", ""),
        ("openai", "openai", ""),
        ("json ~/a b.json", "json", "~/a b.json"),
        ("notes.md", "md", "notes.md"),
        ("backup.JSON", "json", "backup.JSON"),
    ],
)
def test_the_format_is_named_or_told_by_the_ending(
    argument: str, form: str, name: str
) -> None:
    assert form_and_name(argument) == (form, name)


async def test_a_chat_is_exported_and_not_over_a_file_without_a_yes(
    make_app: MakeApp, tmp_path: Path
) -> None:
    chat = save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    file = tmp_path / "cats.md"
    app = make_app(chat=chat)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types(f"/export {file}")
        await person.sees(f"Exported to {file}")
        assert "They do." in file.read_text()
        assert file.stat().st_mode & 0o777 == 0o600
        await person.types(f"/export openai {file}")
        await person.shown("Overwrite it?")
        await pilot.press("n")
        await person.gone("Overwrite it?")
        await person.types(f"/export openai {file}")
        await person.shown("Overwrite it?")
        await pilot.press("y")
        await until(lambda: file.read_text().startswith("{"), pause=pilot.pause)
        await person.types(f"/export json {tmp_path}")
        await person.sees(f"Exported to {tmp_path}/About-cats-")
    exported = tmp_path / f"About-cats-{chat}.json"
    assert "Do cats purr?" in str(json.loads(exported.read_text()))


async def test_an_imported_chat_is_told_and_listed(
    make_app: MakeApp, tmp_path: Path
) -> None:
    chat = save_chat(tmp_path / "data", "About cats", "Do cats purr?", "They do.")
    file = tmp_path / "cats.json"
    app = make_app(chat=chat)
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types(f"/export {file}")
        await person.sees("Exported to")
        await person.types("/chat delete")
        await person.gone("They do.")
        await person.types(f"/import {file}")
        await person.sees('Imported 1 conversation.  "About cats"')
        assert titles(app) == ["About cats"]
        await person.types(f"/import {SAMPLES / 'chatgpt.json'}")
        await person.sees("Imported ")
        await until(lambda: len(titles(app)) > 1, pause=pilot.pause)
        store = app.desk.store
        assert store is not None
        await until(lambda: store.unindexed() == 0, pause=pilot.pause)


async def test_a_file_that_is_none_is_told_and_changes_nothing(
    make_app: MakeApp, tmp_path: Path
) -> None:
    file = tmp_path / "no.json"
    file.write_text("not json")
    app = make_app()
    async with app.run_test(size=SIZE) as pilot:
        person = Person(app, pilot)
        await person.ready()
        await person.types(f"/import {file}")
        await until(lambda: app.chat.status.has_class("-error"), pause=pilot.pause)
        await person.types("/import ~nobody-at-all/x")
        await person.sees("x cannot be")
        assert titles(app) == []
