"""The models on this machine, and what lies beside their weights; blocks."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from qwen_tui.hub.cache import LocalModel, list_models
from qwen_tui.settings import Settings

_HEAD_BYTES = 1024 * 1024
_LICENSE = re.compile(r"\A---\n(?:.*\n)*?license: *([\w.-]+)")


@dataclass(frozen=True, slots=True)
class DiskModel:
    """A model on this machine and what its config.json says."""

    model: LocalModel
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Empty for a .gguf file, or where it cannot be read."""
    license: str = ""
    """As the card beside it says; empty where it does not."""


def read_disk(settings: Settings) -> list[DiskModel]:
    """Look at every model on this machine; blocks."""
    models = list_models(
        cache_dir=settings.hf_cache, folders=list(settings.model.folders)
    )
    return [
        DiskModel(model, *_beside(Path(model.source.path), model.source.kind))
        for model in models
    ]


def _beside(place: Path, kind: str) -> tuple[Mapping[str, Any], str]:
    """What config.json and README.md beside the weights say."""
    folder = place.parent if kind == "gguf" else place
    config: Mapping[str, Any] = {}
    if kind == "folder":
        config = read_config(folder / "config.json")
    license_line = _LICENSE.search(_head(folder / "README.md"))
    return config, license_line.group(1) if license_line else ""


def read_config(file: Path) -> Mapping[str, Any]:
    """Return what a config.json says; empty where it cannot be read."""
    try:
        config = json.loads(_head(file))
    except ValueError:
        return {}
    return cast(dict[str, Any], config) if isinstance(config, dict) else {}


def _head(file: Path) -> str:
    """The beginning of a text file, as far as it can be read."""
    try:
        with file.open("rb") as stream:
            return stream.read(_HEAD_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
