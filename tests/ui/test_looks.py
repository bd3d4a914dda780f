"""How the screens look: in both languages and themes, at every size."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from qwen_tui.hub.machine import Gpu, Machine
from qwen_tui.i18n import _, language, set_language
from qwen_tui.ui.app import QwenTuiApp
from qwen_tui.wire_hub import ProbeResult
from tests.ui.chat_pilot import Person
from tests.ui.conftest import MakeApp
from tests.ui.look_chats import BRANCHES, CHINESE, MEMORY, NOW, keep_chats
from tests.ui.looks import FOLDER, assert_looks
from tests.ui.model_hosts import MIB, FakeQueries

WIDE, NORMAL, COMPACT = (120, 36), (80, 24), (40, 12)
GIB = 1024 * MIB
DARK, LIGHT = "qwen-dark", "qwen-light"
PROBES = [
    ProbeResult("https://huggingface.co", reachable=False, code="x", message="no way"),
    ProbeResult(
        "https://hf-mirror.com",
        reachable=True,
        latency_s=0.12,
        hosts=("hf-mirror.com", "cdn.example"),
        bytes_per_s=30 * MIB,
    ),
]


@dataclass(frozen=True)
class Look:
    """What is looked at, and how it is shown."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    """Pressed one after another, from the open chat on."""
    shows: str = ""
    """What is there when it can be looked at, or more be pressed."""
    then: tuple[str, ...] = ()
    """Pressed after that."""
    chat: str = MEMORY
    """The title of the conversation that is open; empty: a new one."""
    lang: str = "en"
    theme: str = DARK
    model: str | None = None
    """None: one that answers is open; empty: this machine has none."""


LOOKS = (
    Look("chat-empty", WIDE, chat=""),
    Look("chat-folded", WIDE),
    Look("chat-thinking-open-light", WIDE, ("f3",), theme=LIGHT),
    Look("chat-zh", NORMAL, chat=CHINESE, lang="zh"),
    Look("chat-branches-light", NORMAL, ("tab",), chat=BRANCHES, theme=LIGHT),
    Look("chat-compact", COMPACT),
    Look("chat-compact-zh-light", COMPACT, chat=CHINESE, lang="zh", theme=LIGHT),
    Look("sidebar-over-zh", NORMAL, ("f2",), "改名", chat=CHINESE, lang="zh"),
    Look("search-zh", NORMAL, ("ctrl+f", *"显存"), "显存", chat="", lang="zh"),
    Look("commands", NORMAL, tuple("/s"), "/set"),
    Look("help", NORMAL, ("f1",), "send the message"),
    Look("options-light", NORMAL, ("f6",), "top_p", theme=LIGHT),
    Look("options-compact-zh", COMPACT, ("f6",), "top_p", lang="zh"),
    Look("models", WIDE, ("ctrl+o",), "Qwen3-8B", ("down",) * 7),
    Look("models-compact-zh", COMPACT, ("ctrl+o",), "Qwen3-", lang="zh"),
    Look("first-run-light", NORMAL, (), "small demo", theme=LIGHT, model=""),
    Look("settings-zh", WIDE, ("f10",), "kv_cache_mib", lang="zh"),
)


@pytest.fixture(autouse=True)
def same_day_and_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    """Let it always be the same time, in a home of the same name."""
    monkeypatch.setattr(time, "time", lambda: NOW)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NO_COLOR", raising=False)
    before = language()
    yield
    set_language(before)
    monkeypatch.undo()
    time.tzset()


def same_machine(app: QwenTuiApp) -> None:
    """Let there always be the same memory, and the same room on the disk."""
    desk = app.desk.models
    look_at_disk = desk.look_at_disk

    async def look_at_same_disk() -> None:
        await look_at_disk()
        desk.disk_free = 412 * GIB

    async def look_at_same_machine() -> None:
        card = Gpu(0, "H100", 80 * GIB, 61 * GIB, 0)
        desk.machine = Machine((card,), 128 * GIB, 100 * GIB)

    desk.look_at_disk = look_at_same_disk
    desk.look_at_machine = look_at_same_machine


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
async def test_it_looks_as_it_did(
    make_app: MakeApp, tmp_path: Path, look: Look
) -> None:
    set_language(look.lang)
    ids = keep_chats(tmp_path / "data")
    app = make_app(
        chat=ids.get(look.chat, ""),
        model_name=look.model,
        queries=FakeQueries(probes=PROBES),
        **{"ui.lang": look.lang, "ui.theme": look.theme},
    )
    same_machine(app)
    async with app.run_test(size=look.size) as pilot:
        person = Person(app, pilot)
        if look.model is None:
            await person.sees(_("Ready"))
        await pilot.press(*look.keys)
        await person.shown(look.shows)
        await pilot.press(*look.then)
        await assert_looks(pilot, look.name)


def test_no_look_is_kept_that_nobody_takes() -> None:
    kept = {file.stem for file in FOLDER.glob("*.txt")}
    assert kept == {look.name for look in LOOKS}
