"""Not one byte of hostile text reaches the terminal, whatever shows it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual import events
from textual.content import Content
from textual.widgets import Static

from qwen_tui.chat.conversation import ChatMessage
from qwen_tui.chat.events import (
    AnswerDelta,
    Failed,
    Finished,
    LoadProgress,
    StreamEvent,
    ThinkingDelta,
    Usage,
)
from qwen_tui.errors import HubError
from qwen_tui.ui.prompt_history import PROMPTS_FILE, PromptHistory
from qwen_tui.wire_hub import RemoteFileInfo, RemoteModel
from tests.helpers import until
from tests.scripted import LOADED, Hang, ScriptedBackend
from tests.ui.conftest import MakeApp
from tests.ui.hostile import (
    FILE_NAME,
    FILE_SHOWN,
    HOSTILE,
    ONE_LINE,
    SHOWN,
    acted_on,
)
from tests.ui.hostile_stage import Stage
from tests.ui.model_hosts import (
    FakeQueries,
    remote_info,
    sees,
    settings_for,
    write_model,
)
from tests.ui.test_frame_diff import BusyApp
from tests.ui.test_sidebar import save_chat

Sink = Callable[[Stage], Awaitable[None]]


async def saved_question(stage: Stage) -> None:
    chat = save_chat(stage.folder / "data", "T", HOSTILE, "fine")
    async with stage.chat(chat=chat) as person:
        await person.shown(SHOWN)


async def saved_answer(stage: Stage) -> None:
    chat = save_chat(stage.folder / "data", "T", "fine", HOSTILE)
    async with stage.chat(chat=chat) as person:
        await person.shown(SHOWN)


async def markdown_parts(stage: Stage) -> None:
    line = ONE_LINE.replace("\u2028", "").replace("\x0b", "")
    text = (
        f"# {line}\n\n> {line}\n\n- {line}\n  1. {line}\n\n|{line}|b|\n|-|-|\n"
        f"|c|{line}|\n\n**{line}** ~~{line}~~ `{line}` ![{line}](x)\n\n"
        f"<div>{line}</div>\n\n    {line}\n"
    )
    chat = save_chat(stage.folder / "data", "T", "fine", text)
    async with stage.chat(chat=chat) as person:
        await until(
            lambda: person.screen_text().count(SHOWN) > 8, pause=person.pilot.pause
        )


async def code_and_its_language(stage: Stage) -> None:
    text = f"```{ONE_LINE}\n{HOSTILE}\n```\n\n```python\n'{HOSTILE}'\n```\n"
    chat = save_chat(stage.folder / "data", "T", "fine", text)
    async with stage.chat(chat=chat) as person:
        await person.shown(SHOWN)
        await person.idle()


async def formulas(stage: Stage) -> None:
    text = f"$x^2 {ONE_LINE}$ and \\({HOSTILE}\\)\n\n$$\n\\frac{{{HOSTILE}}}{{2}}\n$$\n"
    chat = save_chat(stage.folder / "data", "T", "fine", text)
    async with stage.chat(chat=chat) as person:
        await person.shown(SHOWN)


async def source_of_a_message(stage: Stage) -> None:
    chat = save_chat(stage.folder / "data", "T", "fine", f"**bold** {HOSTILE}")
    async with stage.chat(chat=chat) as person:
        await person.ready()
        await person.pilot.press("f4")
        await person.shown("**bold**")


async def streamed_answer(stage: Stage) -> None:
    pieces = [AnswerDelta(letter) for letter in HOSTILE]
    async with stage.chat([*pieces, Finished("stop", Usage())]) as person:
        await person.ready()
        await person.asks("go")
        await person.shown(SHOWN)


async def streamed_thinking(stage: Stage) -> None:
    pieces: list[StreamEvent] = [ThinkingDelta(letter) for letter in HOSTILE]
    script = [*pieces, AnswerDelta("fine"), Finished("stop", Usage())]
    async with stage.chat(script, **{"ui.thinking_open": True}) as person:
        await person.ready()
        await person.asks("go")
        await person.shown(SHOWN)


async def saved_thinking(stage: Stage) -> None:
    answer = ChatMessage("assistant", "fine", thinking=HOSTILE)
    chat = stage.save(ChatMessage("user", "go"), answer)
    async with stage.chat(chat=chat) as person:
        await person.ready()
        await person.pilot.press("f3")
        await person.shown(SHOWN)


async def model_of_an_answer(stage: Stage) -> None:
    answer = ChatMessage("assistant", "fine", model=HOSTILE)
    chat = stage.save(ChatMessage("user", "go"), answer)
    async with stage.chat(chat=chat) as person:
        await person.shown(SHOWN)


async def failure_of_an_answer(stage: Stage) -> None:
    usage = {"error": HOSTILE, "error_hint": HOSTILE}
    answer = ChatMessage("assistant", "fine", state="failed", usage=usage)
    chat = stage.save(ChatMessage("user", "go"), answer)
    async with stage.chat(chat=chat) as person:
        await person.shown(SHOWN)


async def what_made_an_answer(stage: Stage) -> None:
    by = dict.fromkeys(("device", "dtype", "attention"), HOSTILE)
    sampling = {"computed_by": {**by, "versions": {HOSTILE: HOSTILE}}, HOSTILE: HOSTILE}
    answer = ChatMessage(
        "assistant", "fine", model=HOSTILE, revision=HOSTILE, sampling=sampling
    )
    chat = stage.save(ChatMessage("user", "go"), answer)
    async with stage.chat(chat=chat) as person:
        await person.ready()
        await person.types("/info")
        await person.shown("About this answer")


async def title_in_the_list(stage: Stage) -> None:
    save_chat(stage.folder / "data", HOSTILE, "fine")
    async with stage.chat() as person:
        await person.ready()
        await person.shown(SHOWN)


async def note_about_a_title(stage: Stage) -> None:
    save_chat(stage.folder / "data", HOSTILE, "fine")
    async with stage.chat() as person:
        await person.ready()
        await person.pilot.press("shift+tab", "delete")
        await person.shown("is deleted.")


async def failure_in_the_status_line(stage: Stage) -> None:
    async with stage.chat([Failed("boom", HOSTILE, HOSTILE)]) as person:
        await person.ready()
        await person.types("go")
        await person.sees(SHOWN)


async def failure_of_a_load(stage: Stage) -> None:
    backend = ScriptedBackend(loaded=None, load_script=[Failed("x", HOSTILE, HOSTILE)])
    async with stage.chat(backend=backend) as person:
        await person.sees(SHOWN)


async def stage_of_a_load(stage: Stage) -> None:
    script = [LoadProgress(HOSTILE, 0.5), Hang()]
    backend = ScriptedBackend(loaded=None, load_script=script)
    async with stage.chat(backend=backend) as person:
        await person.sees("50")


async def what_the_engine_tells_of_itself(stage: Stage) -> None:
    told = replace(
        LOADED, model=HOSTILE, device=HOSTILE, dtype=HOSTILE, attention=HOSTILE
    )
    backend = ScriptedBackend(loaded=None, load_script=[told])
    async with stage.chat(backend=backend) as person:
        await person.shown(SHOWN)


async def name_of_a_folder(stage: Stage) -> None:
    model = write_model(stage.folder / FILE_NAME)
    backend = ScriptedBackend(loaded=None, load_script=[Hang()])
    async with stage.chat(backend=backend, model_name=str(model)) as person:
        await person.shown(FILE_SHOWN)


async def pasted_text(stage: Stage) -> None:
    async with stage.chat() as person:
        await person.ready()
        person.app.chat.composer.post_message(events.Paste(HOSTILE))
        await person.shown(SHOWN)


async def prompt_from_the_history(stage: Stage) -> None:
    (stage.folder / "data").mkdir()
    PromptHistory(stage.folder / "data" / PROMPTS_FILE).add(HOSTILE)
    async with stage.chat() as person:
        await person.ready()
        await person.pilot.press("up")
        await until(
            lambda: SHOWN in person.app.chat.composer.text, pause=person.pilot.pause
        )


async def prompt_that_came_back(stage: Stage) -> None:
    backend = ScriptedBackend([Hang()])
    async with stage.chat(backend=backend) as person:
        await person.ready()
        person.app.chat.composer.post_message(events.Paste(HOSTILE))
        await person.pilot.press("enter", "escape")
        await person.sees("the message is back")


async def command_that_is_none(stage: Stage) -> None:
    async with stage.chat() as person:
        await person.ready()
        text = "/nothing" + ONE_LINE.replace("/", "").replace(" ", "")
        person.app.chat.composer.post_message(events.Paste(text))
        await person.pilot.press("enter")
        await until(lambda: "/nothing" in person.app.chat.status.text)


async def setting_that_is_none(stage: Stage) -> None:
    async with stage.chat() as person:
        await person.ready()
        person.app.chat.composer.post_message(events.Paste(f"/set {ONE_LINE} 1"))
        await person.pilot.press("enter")
        await until(lambda: "Ready" not in person.app.chat.status.text)


async def words_for_the_palette(stage: Stage) -> None:
    # Textual's own input shows them raw; what is sent is cleaned in the end
    async with stage.chat(**{"ui.frame_diff": True}) as person:
        await person.ready()
        await person.pilot.press("ctrl+p")
        await until(lambda: len(person.app.screen_stack) > 2)
        assert person.app.focused is not None
        person.app.focused.post_message(events.Paste(ONE_LINE))
        await person.shown("[@click=app.quit]")


async def selection_to_the_clipboard(stage: Stage) -> None:
    chat = save_chat(stage.folder / "data", "T", HOSTILE, HOSTILE)
    async with stage.chat(chat=chat) as person:
        await person.ready()
        await person.shown(SHOWN)
        person.app.screen.text_select_all()
        await person.pilot.press("ctrl+c")
        await person.sees("clipboard")
        assert SHOWN in person.app.clipboard
        assert not acted_on(person.app.clipboard)


async def model_on_the_disk(stage: Stage) -> None:
    folder = settings_for(stage.folder).hf_cache / f"models--Own--{ONE_LINE[:60]}"
    write_model(folder / "snapshots" / ("a" * 40))
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("a" * 40)
    async with stage.models(FakeQueries()) as pilot:
        await pilot.press("i")
        await pilot.pause()


async def model_that_was_found(stage: Stage) -> None:
    found = RemoteModel(f"Own/{ONE_LINE}", updated_at=HOSTILE, tags=(HOSTILE,))
    async with stage.models(FakeQueries(found=[found])) as pilot:
        await pilot.press("g", "x", "enter")
        await sees(pilot, "Own/[")


async def what_a_hub_tells_of_a_model(stage: Stage) -> None:
    files = (RemoteFileInfo(HOSTILE, 600, wanted=True),)
    told = remote_info("Own/New", license=HOSTILE, architecture=HOSTILE, files=files)
    queries = FakeQueries(infos={"Own/New": told})
    async with stage.models(queries) as pilot:
        await pilot.press("d", *"Own/New", "enter")
        await sees(pilot, SHOWN)


async def error_of_a_hub(stage: Stage) -> None:
    queries = FakeQueries(error=HubError(HOSTILE, hint=HOSTILE))
    async with stage.models(queries) as pilot:
        await pilot.press("g", "x", "enter")
        await sees(pilot, SHOWN)


SINKS: list[Sink] = [
    saved_question, saved_answer, markdown_parts, code_and_its_language, formulas,
    source_of_a_message, streamed_answer, streamed_thinking, saved_thinking,
    model_of_an_answer, failure_of_an_answer, what_made_an_answer, title_in_the_list,
    note_about_a_title, failure_in_the_status_line, failure_of_a_load,
    stage_of_a_load, what_the_engine_tells_of_itself, name_of_a_folder, pasted_text,
    prompt_from_the_history, prompt_that_came_back, command_that_is_none,
    setting_that_is_none, words_for_the_palette, selection_to_the_clipboard,
    model_on_the_disk, model_that_was_found, what_a_hub_tells_of_a_model,
    error_of_a_hub,
]  # fmt: skip


async def test_a_sink_that_stands_open_is_closed_by_the_frame_diff() -> None:
    app = BusyApp()
    async with app.run_test(headless=False, size=(240, 60)) as pilot:
        app.query_one("#status", Static).update(Content(ONE_LINE + "the end"))
        await until(lambda: "the end" in "".join(app.pipe.sent), pause=pilot.pause)
        assert not acted_on("".join(app.pipe.sent))


@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.__name__)
async def test_no_payload_reaches_the_terminal(
    sink: Sink, make_app: MakeApp, tmp_path: Path
) -> None:
    stage = Stage(make_app, tmp_path, frame_diff=False)
    await sink(stage)
    assert stage.stream
    assert not acted_on(stage.stream)
