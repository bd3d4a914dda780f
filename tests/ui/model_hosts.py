"""What the tests of the model screens share: settings, models on disk, a host."""

import json
import struct
from pathlib import Path
from typing import Any

from textual.app import App
from textual.screen import Screen

from qwen_tui.chat.backend import ModelSource
from qwen_tui.settings import Settings, load_settings

COMMIT = "a" * 40


def settings_for(folder: Path, **overrides: object) -> Settings:
    """Return settings whose cache lies in `folder`, whatever the machine has."""
    return load_settings(
        file=folder / "no-such-file.toml",
        overrides=overrides,
        environ={"HF_HOME": str(folder / "hf"), "HOME": str(folder)},
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


def write_cached_model(settings: Settings, repo: str, *, cut: bool = False) -> Path:
    """Write a model where the HF cache would have it; return its snapshot."""
    repo_folder = settings.hf_cache / f"models--{repo.replace('/', '--')}"
    snapshot = write_model(repo_folder / "snapshots" / COMMIT, cut=cut)
    (repo_folder / "refs").mkdir()
    (repo_folder / "refs" / "main").write_text(COMMIT)
    return snapshot


class HostApp(App[None]):
    """Shows one screen and keeps what it was dismissed with."""

    def __init__(self, screen: Screen[ModelSource | None]) -> None:
        super().__init__()
        self.shown = screen
        self.results: list[ModelSource | None] = []

    def on_mount(self) -> None:
        self.push_screen(self.shown, self.results.append)


def visible_text(app: App[Any]) -> str:
    """Return the screen as it is drawn, line by line."""
    width, height = app.size
    lines = (
        app.screen._compositor.render_strips()
    )  # the only way to read a drawn screen
    assert len(lines) == height
    return "\n".join(strip.crop(0, width).text.rstrip() for strip in lines)
