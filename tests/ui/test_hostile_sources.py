"""Hostile text from files, servers and other programs stays off the terminal."""

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
import tomli_w
from textual import events

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.settings import SavedServer
from qwen_tui.store.transfer.exchange import backup_text
from qwen_tui.ui.clipboard import sent_note
from qwen_tui.ui.notify import sign_bytes
from tests.backends.scripted_server import ScriptedServer, Status
from tests.helpers import until
from tests.scripted import Gate, ScriptedBackend, says
from tests.ui.conftest import MakeApp
from tests.ui.hostile import (
    FILE_NAME,
    FILE_SHOWN,
    HOSTILE,
    ONE_LINE,
    PAYLOADS,
    SHOWN,
    acted_on,
    hostile_chat,
)
from tests.ui.hostile_stage import Stage
from tests.ui.test_hostile_text import SINKS as OTHER_SINKS
from tests.ui.test_sidebar import save_chat

Sink = Callable[[Stage], Awaitable[None]]
SAMPLES = Path(__file__).parents[1] / "data" / "imports"
KINDS = 26
"""The kinds of sink that the plan asks for, at least."""


def with_hostile(value: Any, names: set[str], name: str = "") -> Any:
    """Return a JSON document with every text under these names made hostile."""
    if isinstance(value, dict):
        items = cast(dict[str, Any], value).items()
        return {key: with_hostile(inner, names, key) for key, inner in items}
    if isinstance(value, list):
        inside = cast(list[Any], value)
        return [with_hostile(inner, names, name) for inner in inside]
    return HOSTILE if isinstance(value, str) and name in names else value


async def imports(stage: Stage, text: str, told: str) -> None:
    """Import a file of this text, wait for a note, and open what came in."""
    file = stage.folder / "import.json"
    file.write_text(text)
    async with stage.chat() as person:
        await person.ready()
        await person.app.chat.action_import(str(file))
        await person.sees(told)
        await person.shown(SHOWN)
        if person.app.chat.sidebar.items:
            await person.pilot.press("shift+tab", "enter")
            await until(lambda: bool(person.branch), pause=person.pilot.pause)
            await person.pilot.press("f3")
            await person.shown(SHOWN)


async def imported_own_file(stage: Stage) -> None:
    await imports(stage, backup_text([hostile_chat()]), "Imported 1 conversation.")


async def imported_chatgpt_file(stage: Stage) -> None:
    names = {"title", "parts", "model_slug", "default_model_slug", "summary", "content"}
    body = json.loads((SAMPLES / "chatgpt.json").read_text())[:1]
    body = with_hostile(body, names)
    await imports(stage, json.dumps(body), "Imported 1 conversation.")


async def imported_open_webui_file(stage: Stage) -> None:
    names = {"title", "content", "model", "modelName", "models", "system", "tags"}
    body = json.loads((SAMPLES / "open_webui.json").read_text())
    body = with_hostile(body, names)
    await imports(stage, json.dumps(body), "Imported 1 conversation.")


async def imported_messages(stage: Stage) -> None:
    names = {"text", "content", "reasoning_content", "model"}
    body = json.loads((SAMPLES / "openai.json").read_text())
    body = with_hostile(body, names)
    await imports(stage, json.dumps(body), "Imported 1 conversation.")


async def role_of_an_imported_message(stage: Stage) -> None:
    body = [{"role": HOSTILE, "content": "x"}]
    file = stage.folder / FILE_NAME
    file.write_text(json.dumps(body))
    async with stage.chat() as person:
        await person.ready()
        await person.app.chat.action_import(str(file))
        await person.sees("role")


async def key_of_an_imported_file(stage: Stage) -> None:
    body = {"mapping": {HOSTILE: {"children": [HOSTILE]}, "a": {HOSTILE: 3}}}
    file = stage.folder / "import.json"
    file.write_text(json.dumps(body))
    async with stage.chat() as person:
        await person.ready()
        await person.app.chat.action_import(str(file))
        await person.shown(SHOWN)


async def file_to_import_that_is_not_there(stage: Stage) -> None:
    async with stage.chat() as person:
        await person.ready()
        await person.app.chat.action_import(str(stage.folder / FILE_NAME))
        await person.shown(FILE_SHOWN)


async def note_about_an_export(stage: Stage) -> None:
    chat = save_chat(stage.folder / "data", HOSTILE, "fine", HOSTILE)
    async with stage.chat(chat=chat) as person:
        await person.ready()
        file = str(stage.folder / FILE_NAME)
        await person.app.chat.action_export(f"md {file}")
        await person.sees("Exported to")
        await person.shown(FILE_SHOWN)
        await person.app.chat.action_export(f"md {file}")
        await person.shown("Overwrite it?")


async def name_made_of_a_title(stage: Stage) -> None:
    chat = save_chat(stage.folder / "data", HOSTILE, "fine", "fine")
    async with stage.chat(chat=chat) as person:
        await person.ready()
        await person.app.chat.action_export(f"json {stage.folder}")
        await person.sees("Exported to")
    (name,) = (path.name for path in stage.folder.glob("*.json"))
    assert not acted_on(name)


async def note_about_a_saved_file(stage: Stage) -> None:
    chat = save_chat(stage.folder / "data", "T", "fine", "fine")
    async with stage.chat(chat=chat) as person:
        await person.ready()
        file = str(stage.folder / FILE_NAME)
        await person.app.chat.action_save(file)
        await person.sees("Saved to")
        await person.shown(FILE_SHOWN)
        await person.app.chat.action_save(file)
        await person.shown("Overwrite it?")
        await person.pilot.press("n")
        await person.app.chat.action_save(f"{stage.folder}/no/{FILE_NAME}")
        await person.sees("cannot be written")


async def names_of_files_that_are_offered(stage: Stage) -> None:
    folder = stage.folder / "files"
    folder.mkdir()
    for place, payload in enumerate(PAYLOADS.values()):
        name = payload.replace("/", "").replace("\x00", "")
        (folder / f"f{place}{name}").write_text("text")
    async with stage.chat() as person:
        await person.ready()
        person.app.chat.composer.insert(f"@{folder}/f")
        menu = person.app.chat.completions
        await until(lambda: len(menu.offers) > 10, pause=person.pilot.pause)
        for _ in menu.offers:
            await person.pilot.press("down")


async def name_of_an_attached_file(stage: Stage) -> None:
    file = stage.folder / FILE_NAME
    file.write_text(HOSTILE.replace("\x00", ""))
    async with stage.chat(says("ok")) as person:
        await person.ready()
        person.app.chat.action_attach_file(str(file))
        await person.shown(FILE_SHOWN)
        await person.asks(" ")
        await person.shown(SHOWN)


async def file_that_cannot_be_attached(stage: Stage) -> None:
    (stage.folder / FILE_NAME).mkdir()
    async with stage.chat() as person:
        await person.ready()
        person.app.chat.action_attach_file(str(stage.folder / FILE_NAME))
        await person.shown(FILE_SHOWN)


async def names_and_faults_of_personas(stage: Stage) -> None:
    personas = {
        ONE_LINE: {"system_prompt": HOSTILE},
        f"a{ONE_LINE}": {"system_prompt": "a", ONE_LINE: 1},
        f"b{ONE_LINE}": {"system_prompt": "b", "thinking": ONE_LINE},
        f"c{ONE_LINE}": {ONE_LINE: 1},
        f"d{ONE_LINE}": ONE_LINE,
    }
    (stage.folder / "personas.toml").write_text(tomli_w.dumps(personas))
    async with stage.chat() as person:
        await person.ready()
        await person.app.chat.action_persona()
        await person.sees("Personas: [")
        await person.app.chat.action_persona(ONE_LINE)
        await person.sees("answers from the next message on.")
        await person.app.chat.action_persona("no" + ONE_LINE)
        await person.sees("There is no persona no[")
        await person.pilot.press("f6")
        await person.shown("Options of this conversation")
        await person.shown(SHOWN)


async def names_of_personas_that_are_offered(stage: Stage) -> None:
    personas = {ONE_LINE: {"system_prompt": "a"}, "b": {"system_prompt": "b"}}
    (stage.folder / "personas.toml").write_text(tomli_w.dumps(personas))
    async with stage.chat() as person:
        await person.ready()
        person.app.chat.composer.insert("/persona ")
        menu = person.app.chat.completions
        await until(lambda: len(menu.offers) > 2, pause=person.pilot.pause)
        await person.shown(SHOWN)
        await person.pilot.press("down", "tab")
        await person.shown("/persona [/x]")
        await person.pilot.press("enter")
        await until(lambda: "Ready" not in person.app.chat.status.text)


async def file_of_personas_that_is_none(stage: Stage) -> None:
    (stage.folder / "personas.toml").write_text(f"[a\n{ONE_LINE}")
    async with stage.chat() as person:
        await person.ready()
        await person.app.chat.action_persona()
        await person.sees("personas.toml, line")


async def names_and_keys_of_a_keymap(stage: Stage) -> None:
    (stage.folder / "data").mkdir()
    keys = {ONE_LINE: "f7", "fold": ONE_LINE, "source": [ONE_LINE], "undo": "c-\x9b"}
    (stage.folder / "data" / "keymap.toml").write_text(tomli_w.dumps(keys))
    async with stage.chat() as person:
        await person.shown("there is no action")
        await person.shown("there is no key")


async def keymap_that_is_none(stage: Stage) -> None:
    (stage.folder / "data").mkdir()
    (stage.folder / "data" / "keymap.toml").write_text(f"[a\n{ONE_LINE}")
    async with stage.chat() as person:
        await person.shown("keymap.toml, line")


async def values_of_the_settings(stage: Stage) -> None:
    async with stage.chat(**{"model.default": ONE_LINE}) as person:
        await person.ready()
        await person.pilot.press("f10")
        await person.shown(SHOWN)


async def names_of_servers_and_their_models(stage: Stage) -> None:
    with ScriptedServer("vllm", models=[HOSTILE, "other"]) as server:
        saved = [SavedServer(ONE_LINE, server.url)]
        async with stage.chat(servers=saved) as person:
            await person.ready()
            await person.types("/server")
            await person.shown("other  4,096 tokens")
            await person.pilot.press("down", "enter")
            await person.shown("qwen-tui  [/x]")


async def error_of_a_server(stage: Stage) -> None:
    body = json.dumps({"error": {"message": HOSTILE, "type": HOSTILE}}).encode()
    with ScriptedServer("vllm") as server:
        server.does(Status(400, body))
        async with stage.chat() as person:
            await person.ready()
            await person.types(f"/server {server.url}")
            await person.shown("qwen @")
            await person.ready()
            await person.types("go")
            await person.shown(SHOWN)


async def server_that_is_none(stage: Stage) -> None:
    async with stage.chat() as person:
        await person.ready()
        person.app.chat.action_server(ONE_LINE.replace("@", ""))
        await person.shown(SHOWN)


async def words_that_are_no_argument(stage: Stage) -> None:
    async with stage.chat() as person:
        await person.ready()
        chat = person.app.chat
        for action in (
            chat.action_theme,
            chat.action_speak,
            chat.action_set_option,
        ):
            chat.tell("")
            action(f"{ONE_LINE} 1")
            await person.sees(SHOWN)


async def hits_of_a_search(stage: Stage) -> None:
    answer = ChatMessage("assistant", HOSTILE, thinking=HOSTILE)
    stage.save(ChatMessage("user", HOSTILE), answer, title=HOSTILE)
    async with stage.chat() as person:
        await person.ready()
        await person.pilot.press("ctrl+f", *"/x")
        await person.shown("3 found")
        await person.shown("http://e.x")


async def words_of_a_search(stage: Stage) -> None:
    async with stage.chat() as person:
        await person.ready()
        person.app.chat.action_search(ONE_LINE)
        await person.shown(SHOWN)
        assert person.app.focused is not None
        person.app.focused.post_message(events.Paste(HOSTILE))
        searches = person.app.workers
        await until(
            lambda: not any(w.group == "search" for w in searches),
            pause=person.pilot.pause,
        )
        await person.shown("0 found")


async def title_that_a_person_gave(stage: Stage) -> None:
    chat = save_chat(stage.folder / "data", "T", "fine", "fine")
    async with stage.chat(chat=chat) as person:
        await person.ready()
        await person.app.chat.action_rename(HOSTILE)
        await person.sees("The title is now")
        await person.pilot.press("shift+tab", "r")
        await person.shown("Title:")


async def tags_of_a_conversation(stage: Stage) -> None:
    chat = save_chat(stage.folder / "data", HOSTILE, "fine", "fine")
    async with stage.chat(chat=chat) as person:
        await person.ready()
        await person.app.chat.action_tag(ONE_LINE)
        await person.sees("has the tags")
        await person.pilot.press("shift+tab", "/", "#", "enter")
        await person.shown(SHOWN)
        await person.pilot.press("t")
        await person.shown("Tags:")


async def prompt_that_waits(stage: Stage) -> None:
    gate = Gate()
    backend = ScriptedBackend([gate, *says("one")], says("two"))
    async with stage.chat(backend=backend) as person:
        await person.ready()
        await person.types("go")
        await until(lambda: gate.reached, pause=person.pilot.pause)
        person.app.chat.queue_prompt(HOSTILE)
        await person.shown("Next (Esc takes it back): [/x]")
        gate.open()
        await person.shown("two")


async def ledger_of_the_context(stage: Stage) -> None:
    chat = save_chat(stage.folder / "data", "T", HOSTILE, HOSTILE)
    async with stage.chat(chat=chat) as person:
        await person.ready()
        person.app.chat.action_system(HOSTILE)
        await person.types("/context")
        await person.shown("What the next prompt takes")
        await person.shown(SHOWN)


async def editor_that_is_none(stage: Stage) -> None:
    before = {name: os.environ.pop(name, None) for name in ("VISUAL", "EDITOR")}
    os.environ["EDITOR"] = ONE_LINE.replace("\x00", "")
    try:
        async with stage.chat() as person:
            await person.ready()
            await person.pilot.press("ctrl+g")
            await until(
                lambda: "Ready" not in person.app.chat.status.text,
                pause=person.pilot.pause,
            )
    finally:
        del os.environ["EDITOR"]
        os.environ.update({k: v for k, v in before.items() if v is not None})


SINKS: list[Sink] = [
    imported_own_file, imported_chatgpt_file, imported_open_webui_file,
    imported_messages, role_of_an_imported_message, key_of_an_imported_file,
    file_to_import_that_is_not_there, note_about_an_export, name_made_of_a_title,
    note_about_a_saved_file, names_of_files_that_are_offered,
    name_of_an_attached_file, file_that_cannot_be_attached,
    names_and_faults_of_personas, names_of_personas_that_are_offered,
    file_of_personas_that_is_none,
    names_and_keys_of_a_keymap, keymap_that_is_none, values_of_the_settings,
    names_of_servers_and_their_models, error_of_a_server, server_that_is_none,
    words_that_are_no_argument, hits_of_a_search, words_of_a_search,
    title_that_a_person_gave, tags_of_a_conversation, prompt_that_waits,
    ledger_of_the_context, editor_that_is_none,
]  # fmt: skip


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.__name__)
async def test_no_payload_reaches_the_terminal(
    sink: Sink, make_app: MakeApp, tmp_path: Path
) -> None:
    stage = Stage(make_app, tmp_path, frame_diff=False)
    await sink(stage)
    assert stage.stream
    assert not acted_on(stage.stream)


def test_every_kind_of_sink_is_tried() -> None:
    assert len({*SINKS, *OTHER_SINKS}) >= KINDS


@pytest.mark.parametrize("environ", [{}, {"TMUX": "x"}, {"STY": "x"}])
def test_a_note_on_the_desktop_holds_one_title_and_no_payload(
    environ: dict[str, str],
) -> None:
    sent = sign_bytes("osc9", HOSTILE, environ)
    frame = sign_bytes("osc9", "", environ).partition("qwen-tui: ")[0]
    assert sent.startswith(frame)
    inside = sent.removeprefix(frame).rstrip("\\").rstrip("\x1b").rstrip("\a")
    assert inside.startswith("qwen-tui: [/x]")
    assert not acted_on(inside)


@pytest.mark.parametrize("text", [HOSTILE, HOSTILE * 1000, HOSTILE * 10_000])
def test_a_note_about_the_clipboard_holds_nothing_of_the_text(text: str) -> None:
    told, _tone = sent_note(text)
    assert SHOWN not in told
    assert not acted_on(told)
