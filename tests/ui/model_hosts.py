"""What the tests of the model screens share: settings, models on disk, a host."""

import asyncio
import json
import struct
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from qwen_tui.chat.backend import ModelSource
from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.catalog import repo_of
from qwen_tui.hub.jobs import DownloadEvent
from qwen_tui.hub.repo_id import check_repo_id
from qwen_tui.settings import Settings, load_settings
from qwen_tui.ui.hub_queries import Queries
from qwen_tui.ui.model_desk import ModelDesk
from qwen_tui.ui.screens.models import ModelsScreen
from qwen_tui.ui.widgets.model_table import ModelTable
from qwen_tui.wire import (
    Download,
    DownloadPlan,
    DownloadProgress,
    FileState,
)
from qwen_tui.wire_hub import ProbeResult, RemoteFileInfo, RemoteInfo, RemoteModel
from tests.fake_hub import etag
from tests.helpers import until

COMMIT = "a" * 40
MIB = 1024 * 1024


def settings_for(folder: Path, **overrides: object) -> Settings:
    """Return settings whose cache lies in `folder`, whatever the machine has."""
    return _settings(folder, overrides, {})


def offline_settings(folder: Path) -> Settings:
    """Return the same with HF_HUB_OFFLINE set."""
    return _settings(folder, {}, {"HF_HUB_OFFLINE": "1"})


def _settings(
    folder: Path, overrides: Mapping[str, object], environ: Mapping[str, str]
) -> Settings:
    return load_settings(
        file=folder / "no-such-file.toml",
        overrides=overrides,
        environ={"HF_HOME": str(folder / "hf"), "HOME": str(folder), **environ},
    )


def write_model(folder: Path, *, cut: bool = False) -> Path:
    """Write the smallest folder that passes for a model; `cut` lacks bytes."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "qwen3"}')
    tensor = {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}
    header = json.dumps(tensor).encode()
    data = struct.pack("<Q", len(header)) + header + bytes(0 if cut else 16)
    (folder / "model.safetensors").write_bytes(data)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_text("{}")
    return folder


def write_cached_model(
    settings: Settings,
    repo: str,
    *,
    cut: bool = False,
    commit: str = COMMIT,
    ref: str = "main",
) -> Path:
    """Write a model as the HF cache has it, blobs named by hash; return where."""
    repo_folder = settings.hf_cache / f"models--{repo.replace('/', '--')}"
    snapshot = write_model(repo_folder / "snapshots" / commit, cut=cut)
    (repo_folder / "blobs").mkdir(exist_ok=True)
    for file in snapshot.iterdir():
        blob = repo_folder / "blobs" / etag(file.name, file.read_bytes())
        file.replace(blob)
        file.symlink_to(Path("..", "..", "blobs", blob.name))
    if ref:
        (repo_folder / "refs").mkdir(exist_ok=True)
        (repo_folder / "refs" / ref).write_text(commit)
    return snapshot


@dataclass
class FakeDownloads:
    """Downloads that tell what the test scripts, and end when it says so."""

    events: tuple[DownloadEvent, ...] = ()
    requests: list[Download] = field(default_factory=list[Download])
    paused: int = 0
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(
        self, request: Download, **_options: object
    ) -> AsyncGenerator[DownloadEvent]:
        """Tell the events; wait after each progress."""
        self.requests.append(request)
        try:
            for event in self.events:
                yield event
                if isinstance(event, DownloadProgress):
                    await self.go_on.wait()
        except (GeneratorExit, asyncio.CancelledError):
            self.paused += 1
            raise


@dataclass
class FakeQueries:
    """Answers to what is asked of hubs, and what was asked."""

    found: list[RemoteModel] = field(default_factory=list[RemoteModel])
    infos: dict[str, RemoteInfo] = field(default_factory=dict[str, RemoteInfo])
    probes: list[ProbeResult] = field(default_factory=list[ProbeResult])
    error: QwenTuiError | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])

    def queries(self) -> Queries:
        return Queries(self.search, self.info, self.probe)

    async def search(self, words: str, endpoint: str) -> list[RemoteModel]:
        self.asked.append(("search", words, endpoint))
        self._fail()
        return self.found

    async def info(self, repo: str, revision: str, endpoint: str) -> RemoteInfo:
        self.asked.append(("info", repo, endpoint))
        self._fail()
        repo = check_repo_id(repo_of(repo))
        return self.infos.get(repo) or remote_info(repo)

    async def probe(self, endpoints: Sequence[str]) -> AsyncGenerator[ProbeResult]:
        self.asked.append(("probe", *endpoints))
        self._fail()
        for result in self.probes:
            yield result

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


def remote_info(repo: str, **more: Any) -> RemoteInfo:
    """Return what a hub tells of a small model."""
    files = (
        RemoteFileInfo("config.json", 600, wanted=True),
        RemoteFileInfo("model.safetensors", 200 * MIB, wanted=True),
        RemoteFileInfo("pytorch_model.bin", 200 * MIB, wanted=False),
    )
    config = {"model_type": "qwen3", "num_hidden_layers": 28,
              "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128,
              "max_position_embeddings": 32768}  # fmt: skip
    known: dict[str, Any] = {
        "commit": COMMIT,
        "license": "apache-2.0",
        "files": files,
        "total_bytes": 400 * MIB + 600,
        "wanted_bytes": 200 * MIB + 600,
        "weights_bytes": 200 * MIB,
        "config": config,
        "architecture": "Qwen3ForCausalLM",
        "context_length": 32768,
    }
    return RemoteInfo(repo, **{**known, **more})


def half_way(*more: DownloadEvent) -> FakeDownloads:
    """Return a download of two files that stops at its half."""
    small = FileState("config.json", 600, 600)
    events = (
        DownloadPlan(
            1,
            files=2,
            total_bytes=200 * MIB,
            have_bytes=20 * MIB,
            items=(small, FileState("model.safetensors", 200 * MIB, 20 * MIB)),
        ),
        DownloadProgress(
            1,
            done_bytes=100 * MIB,
            total_bytes=200 * MIB,
            bytes_per_s=10 * MIB,
            items=(FileState("model.safetensors", 200 * MIB, 100 * MIB),),
        ),
        *more,
    )
    return FakeDownloads(events)


def desk_for(
    folder: Path,
    *,
    settings: Settings | None = None,
    downloads: FakeDownloads | None = None,
    queries: FakeQueries | None = None,
) -> ModelDesk:
    """Return a desk whose every folder is inside `folder`, on no network."""
    desk = ModelDesk(
        settings or settings_for(folder),
        config_file=folder / "config.toml",
        data_dir=folder / "data",
        log_dir=folder / "log",
        run=(downloads or FakeDownloads()).run,
        queries=(queries or FakeQueries()).queries(),
    )
    desk.environ = {"HF_HOME": str(folder / "hf")}
    desk.queue.environ = desk.environ
    return desk


class HostApp(App[None]):
    """Shows one screen over a desk and keeps what it was dismissed with."""

    def __init__(
        self, desk: ModelDesk, screen: Screen[ModelSource | None] | None = None
    ) -> None:
        super().__init__()
        self.desk = desk
        self.shown = screen or ModelsScreen(desk)
        self.results: list[ModelSource | None] = []

    async def on_mount(self) -> None:
        await self.desk.open()
        self.push_screen(self.shown, self.results.append)

    async def on_unmount(self) -> None:
        await self.desk.close()


async def sees(pilot: Pilot[Any], text: str) -> None:
    """Wait until `text` stands somewhere on the screen."""
    try:
        await until(
            lambda: text in visible_text(pilot.app), pause=lambda: pilot.pause(0.01)
        )
    except AssertionError as error:
        error.add_note(f"never seen: {text!r}; the screen was:")
        error.add_note(visible_text(pilot.app))
        raise


async def gone(pilot: Pilot[Any], text: str) -> None:
    """Wait until `text` stands nowhere on the screen."""
    await until(
        lambda: text not in visible_text(pilot.app), pause=lambda: pilot.pause(0.01)
    )


def table(app: App[Any]) -> ModelTable:
    """Return the table that is shown."""
    return app.screen.query_one(ModelTable)


def table_row(app: App[Any], name: str) -> str:
    """Return the table's line of a model; empty where none is shown."""
    place = table(app).region
    lines = visible_text(app).splitlines()[place.y : place.bottom]
    return next((x for x in lines if x.lstrip(" *!").startswith(name)), "")


def visible_text(app: App[Any]) -> str:
    """Return the screen as it is drawn, line by line."""
    width, height = app.size
    lines = (
        app.screen._compositor.render_strips()
    )  # the only way to read a drawn screen
    assert len(lines) == height
    return "\n".join(strip.crop(0, width).text.rstrip() for strip in lines)
