"""What the walls promise: the screen comes up with nothing heavy behind it."""

import json
import re
import subprocess
import sys
from pathlib import Path

from qwen_tui import paths
from tests.e2e.terminal import Terminal, plain_environment

HEAVY = ("torch", "transformers", "huggingface_hub", "numpy", "httpx2", "pydantic")
WITNESS = """
import atexit, json, pathlib, sys
seen = pathlib.Path(sys.argv.pop(1))
atexit.register(lambda: seen.write_text(json.dumps(sorted(sys.modules))))
from qwen_tui.cli.main import main
sys.exit(main())
"""


def heavy_modules(file: Path) -> list[str]:
    return [name for name in json.loads(file.read_text()) if name in HEAVY]


def test_version_loads_nothing_heavy_and_no_textual(tmp_path: Path):
    seen = tmp_path / "modules.json"
    result = subprocess.run(
        [sys.executable, "-c", WITNESS, str(seen), "--version"],
        env=plain_environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.startswith("qwen-tui ")
    assert heavy_modules(seen) == []
    assert "textual" not in json.loads(seen.read_text())


def test_the_screen_and_a_loading_model_load_nothing_heavy(tmp_path: Path):
    seen = tmp_path / "modules.json"
    with Terminal(
        [sys.executable, "-c", WITNESS, str(seen), "--model", "demo"],
        env=plain_environment(tmp_path),
    ) as terminal:
        terminal.wait_for("Write a message")
        terminal.send("\x11")
        terminal.wait_exit()
    assert "textual" in json.loads(seen.read_text())
    assert heavy_modules(seen) == []


def test_the_catalogue_and_the_defaults_are_carried():
    assert {f.name for f in paths.bundled_config().iterdir()} >= {
        "models.toml",
        "settings.toml",
    }


REPO = Path(__file__).parents[1]


def commands(readme: Path) -> list[str]:
    """Return the lines of every shell block, comments and blanks aside."""
    blocks = re.findall(r"```sh\n(.*?)```", readme.read_text(encoding="utf-8"), re.S)
    lines = [re.sub(r"\s+# .*", "", line) for b in blocks for line in b.splitlines()]
    return [line for line in lines if line.strip()]


def test_both_readmes_have_the_same_commands_and_their_pictures():
    english, chinese = REPO / "README.md", REPO / "README.zh-CN.md"
    assert commands(english) == commands(chinese)
    for readme in (english, chinese):
        text = readme.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (REPO / link).exists(), f"{readme.name}: {link}"
