"""A real `transformers serve` with the demo model and SmolLM2: in a pipe, on screen."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qwen_tui.paths import demo_model
from tests.backends.transformers_serve import transformers_serve
from tests.e2e.programs import DONE, last_message, leave, program, take_turn
from tests.e2e.terminal import plain_environment

pytestmark = [pytest.mark.e2e, pytest.mark.torch]

DEMO = str(demo_model())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with transformers_serve(tmp_path_factory.mktemp("serve")) as url:
        yield url


def ask(home: Path, server: str, *arguments: str) -> list[dict[str, Any]]:
    """Ask greedily and return the events."""
    result = subprocess.run(
        [sys.executable, "-m", "qwen_tui", "ask", "--json", "--temperature", "0",
         "--server", server, *arguments],
        env=plain_environment(home), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def text_of(kind: str, seen: list[dict[str, Any]]) -> str:
    return "".join(event["text"] for event in seen if event["event"] == kind)


def test_several_turns_with_thinking_and_usage_in_a_pipe(tmp_path: Path, server: str):
    first = ask(tmp_path, server, "--model", DEMO, "My name is Ada.")
    second = ask(tmp_path, server, "--model", DEMO, "--continue", "What is my name?")
    assert text_of("thinking", first).strip()
    assert "Ada" in text_of("answer", second)
    one, two = first[-1], second[-1]
    assert one["chat"] == two["chat"]
    assert two["finish_reason"] == "stop"
    assert two["usage"]["prompt_tokens"] > one["usage"]["prompt_tokens"] > 5
    assert two["usage"]["thinking_tokens"] > 3
    assert two["usage"]["answer_tokens"] > 3
    assert not two["usage"]["is_estimate"]


def test_without_thinking_and_with_a_limit(tmp_path: Path, server: str):
    seen = ask(
        tmp_path, server, "--model", DEMO, "--no-think", "--max-new-tokens", "4",
        "What is the capital of France?",
    )  # fmt: skip
    assert text_of("thinking", seen) == ""
    assert text_of("answer", seen).startswith("The capital")
    assert seen[-1]["finish_reason"] == "length"


def test_smollm2_answers_over_the_server(tmp_path: Path, server: str, smollm2: Path):
    seen = ask(
        tmp_path, server, "--model", str(smollm2), "--max-new-tokens", "24",
        "What is the capital of France?",
    )  # fmt: skip
    assert "Paris" in text_of("answer", seen)
    again = ask(
        tmp_path, server, "--model", str(smollm2), "--max-new-tokens", "24",
        "--continue", "And what is the capital of Germany?",
    )  # fmt: skip
    assert "Berlin" in text_of("answer", again)
    assert again[-1]["usage"]["prompt_tokens"] > seen[-1]["usage"]["prompt_tokens"]


def test_turns_and_a_stop_on_the_screen(tmp_path: Path, server: str):
    with program(tmp_path, "--server", server, "--model", DEMO) as terminal:
        terminal.wait_for("transformers serve")
        assert "Ada" in take_turn(terminal, "My name is Ada.")
        assert "Ada" in take_turn(terminal, "What is my name?")
        terminal.send("Count to 100.\r")
        terminal.wait_for("6, 7")
        terminal.send("\x1b")
        terminal.wait_for("Stopped.")
        assert "Rome" in take_turn(terminal, "What is the capital of Italy?")
        leave(terminal)
    answer = last_message(tmp_path)
    assert answer.thinking
    assert answer.model.endswith(server.removeprefix("http:/").replace("/", "@ "))


def test_from_the_demo_model_to_the_server_and_back(tmp_path: Path, server: str):
    with program(tmp_path, "--model", "demo", rows=50) as terminal:
        assert "Ada" in take_turn(terminal, "My name is Ada.")
        terminal.send(f"/server {server} {DEMO}\r")
        terminal.wait_for("transformers serve")
        assert "Ada" in take_turn(terminal, "What is my name?")
        terminal.send("/server off\r")
        terminal.wait_gone("transformers serve")
        assert "Ada" in take_turn(terminal, "Do you know my name?")
        shown = terminal.text()
        leave(terminal)
    assert shown.count(DONE) >= 3
    assert f"@ {server.removeprefix('http://')}" in shown
