"""SmolLM2-135M, a real language model, by its GGUF and downloaded as safetensors."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.programs import leave, program, take_turn
from tests.e2e.terminal import plain_environment
from tests.fake_hub import FakeHub
from tests.models import smollm2_gguf

pytestmark = [pytest.mark.e2e, pytest.mark.torch]

REPO = "HuggingFaceTB/SmolLM2-135M-Instruct"
QUESTION = "What is the capital of France?"
SHORT = "24"
"""Tokens enough to name a town."""


def run(home: Path, *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "qwen_tui", *arguments],
        env=plain_environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_gguf_file_answers_on_the_screen(tmp_path: Path):
    model = smollm2_gguf()
    with program(
        tmp_path, "--model", str(model), QWEN_TUI_GENERATION_MAX_NEW_TOKENS=SHORT
    ) as terminal:
        terminal.wait_for(model.name)
        assert "Paris" in take_turn(terminal, QUESTION)
        terminal.wait_until(  # it has no thinking
            lambda: "think:off" in terminal.text().splitlines()[0], "think:off on top"
        )
        leave(terminal)


def test_a_downloaded_model_answers_on_the_screen_and_in_a_pipe(
    tmp_path: Path, smollm2: Path
):
    with FakeHub() as hub:
        hub.add_repo(REPO, smollm2)
        run(tmp_path, "models", "download", REPO, "--endpoint", hub.url)
    answer = run(
        tmp_path,
        *("ask", "--model", REPO, "--temperature", "0"),
        *("--max-new-tokens", SHORT, QUESTION),
    )
    assert "Paris" in answer
    with program(
        tmp_path, "--model", REPO, QWEN_TUI_GENERATION_MAX_NEW_TOKENS=SHORT
    ) as terminal:
        terminal.wait_for(REPO)
        assert "Paris" in take_turn(terminal, QUESTION)
        leave(terminal)
