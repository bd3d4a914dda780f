"""A throwaway home for every command."""

import io
from pathlib import Path

import pytest

from qwen_tui.i18n import set_language

_OURS = ("QWEN_TUI_", "HF_", "HUGGINGFACE_")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    import os

    for name in [n for n in os.environ if n.startswith(_OURS)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "C.UTF-8")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    yield tmp_path
    set_language("en")
