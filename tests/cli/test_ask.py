"""`ask` with real models in the real engine process, as a shell would run it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qwen_tui.paths import demo_model
from tests.e2e.terminal import descendants, is_alive
from tests.helpers import wait_until
from tests.models import smollm2_gguf

pytestmark = pytest.mark.torch

LONG = "Count to 100"


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "qwen_tui", *arguments]


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(home)}


def ask(
    home: Path, *arguments: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("ask", *arguments),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(home),
        check=False,
    )


def events(result: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def text_of(kind: str, seen: list[dict[str, Any]]) -> str:
    return "".join(event["text"] for event in seen if event["event"] == kind)


def test_json_shows_thinking_then_the_answer_then_a_usage_that_adds_up(home: Path):
    result = ask(home, "--model", "demo", "--json", "What is the capital of France?")
    assert result.returncode == 0, result.stderr
    seen = events(result)
    assert seen[0]["event"] == "load"
    assert text_of("thinking", seen).strip()
    assert "Paris" in text_of("answer", seen)
    kinds = [event["event"] for event in seen]
    assert kinds.index("answer") > len(kinds) - 1 - kinds[::-1].index("thinking")
    done = seen[-1]
    assert done["event"] == "done"
    assert done["finish_reason"] == "stop"
    usage = done["usage"]
    assert usage["prompt_tokens"] > 5
    assert 0 <= usage["cached_tokens"] <= usage["prompt_tokens"]
    assert usage["thinking_tokens"] > 0
    assert usage["answer_tokens"] > 1
    assert usage["prefill_s"] > 0
    assert usage["decode_s"] > 0
    shown = subprocess.run(
        command("chats", "show", done["chat"], "--json"),
        capture_output=True,
        text=True,
        env=environment(home),
        check=True,
    )
    user, assistant = json.loads(shown.stdout)["messages"]
    assert user["content"] == "What is the capital of France?"
    assert assistant["content"] == text_of("answer", seen)
    assert assistant["thinking"] == text_of("thinking", seen)
    assert assistant["state"] == "complete"
    assert assistant["usage"]["answer_tokens"] == usage["answer_tokens"]


def test_no_think_gives_no_thinking_event(home: Path):
    result = ask(
        home,
        "--model",
        "demo",
        "--no-think",
        "--json",
        "What is the capital of France?",
    )
    seen = events(result)
    assert "thinking" not in {event["event"] for event in seen}
    assert "Paris" in text_of("answer", seen)
    assert seen[-1]["usage"]["thinking_tokens"] == 0


def test_no_think_in_the_prompt_is_honoured_and_told(home: Path):
    prompt = "What is the capital of France? /no_think"
    result = ask(home, "--model", "demo", "--json", prompt)
    seen = events(result)
    assert "thinking" not in {event["event"] for event in seen}
    assert seen[-1]["settings"]["soft_switch"] == "/no_think"
    assert "this turn does not think" in result.stderr
    again = ask(home, "--continue", "--json", "And of Spain? /think")
    assert text_of("thinking", events(again))
    assert "this turn thinks" in again.stderr


def test_a_switch_that_a_model_does_not_have_is_told(home: Path):
    arguments = ("--model", str(smollm2_gguf()), "--max-new-tokens", "2", "--json")
    result = ask(home, *arguments, "--think", "Hi")
    assert "This model cannot think" in result.stderr
    assert events(result)[-1]["settings"]["thinking"] is False


def test_thinking_cut_by_the_limit_is_told(home: Path):
    arguments = ("--model", "demo", "--max-new-tokens", "4")
    prompt = "What is the capital of France?"
    result = ask(home, *arguments, "--json", prompt)
    done = events(result)[-1]
    assert (done["finish_reason"], done["thinking_cut"]) == ("length", True)
    assert done["usage"]["answer_tokens"] == 0
    plain = ask(home, *arguments, prompt)
    assert plain.stdout == ""
    assert "The limit was reached while thinking." in plain.stderr


def test_the_end_tells_numbers_and_what_made_the_answer(home: Path):
    done = events(ask(home, "--model", "demo", "--json", "--seed", "3", "Hello!"))[-1]
    usage = done["usage"]
    made = usage["thinking_tokens"] + usage["answer_tokens"]
    assert usage["decode_tokens_per_s"] == pytest.approx(made / usage["decode_s"])
    computed = usage["prompt_tokens"] - usage["cached_tokens"]
    assert usage["prefill_tokens_per_s"] == pytest.approx(computed / usage["prefill_s"])
    assert usage["first_token_s"] >= usage["prefill_s"]
    settings = done["settings"]
    assert settings["seed"] == done["seed"] == 3
    assert settings["temperature"] == 0.6
    by = settings["computed_by"]
    assert (by["device"], by["dtype"]) == ("cpu", "bfloat16")
    assert by["attention"]
    assert set(by["versions"]) == {"torch", "transformers"}


def test_a_prompt_beyond_the_context_is_an_error_that_names_the_ways_out(home: Path):
    words = " ".join(["one"] * 700)  # the demo's context has 2,048 tokens
    arguments = ("--model", "demo", "--no-think", "--max-new-tokens", "20", "--json")
    first = events(ask(home, *arguments, words))[-1]
    assert first["usage"]["prompt_tokens"] > 700
    chat = first["chat"]
    events(ask(home, "--chat", chat, *arguments, words))
    refused = ask(home, "--chat", chat, *arguments, words)
    assert refused.returncode == 1
    error = events(refused)[-1]
    assert (error["event"], error["code"]) == ("error", "context_overflow")
    assert "2,048" in error["message"]
    assert "--overflow drop-oldest" in error["hint"]
    assert "--overflow summarise" in error["hint"]
    dropped = events(
        ask(home, "--chat", chat, *arguments, "--overflow", "drop-oldest", words)
    )
    cut = next(event for event in dropped if event["event"] == "context")
    assert cut["outside"]
    assert cut["full_tokens"] > 2048 - 20 >= cut["prompt_tokens"]
    assert dropped[-1]["usage"]["prompt_tokens"] == cut["prompt_tokens"]
    plain = ask(
        home,
        *("--chat", chat, "--model", "demo", "--no-think"),
        *("--max-new-tokens", "20", "--overflow", "summarise", words),
    )
    assert plain.returncode == 0, plain.stderr
    assert "older messages are left out" in plain.stderr
    assert "Their summary:" in plain.stderr


def test_what_a_load_takes_is_told_before_it_begins(home: Path):
    arguments = ("--model", "demo", "--json", "--context", "1000", "--no-think", "Hi")
    seen = events(ask(home, *arguments))
    estimate = next(e for e in seen if e.get("stage") == "estimate")
    weights = demo_model() / "model.safetensors"
    assert estimate["weights_bytes"] == weights.stat().st_size
    assert estimate["context_length"] == 1000
    assert estimate["kv_bytes"] > 0
    assert estimate["free_bytes"] > 0
    loaded = next(e for e in seen if "memory_bytes" in e)
    assert seen.index(estimate) < seen.index(loaded)
    assert (loaded["context_length"], loaded["own_context_length"]) == (1000, 2048)


def test_yarn_stretches_the_context_on_request(home: Path):
    seen = events(ask(home, "--model", "demo", "--json", "--yarn", "2", "Hi"))
    loaded = next(event for event in seen if "memory_bytes" in event)
    assert loaded["context_length"] == 4096


def test_packing_weights_on_a_cpu_is_refused(home: Path):
    result = ask(home, "--model", "demo", "--device", "cpu", "--quantize", "int8", "Hi")
    assert result.returncode == 1
    assert "CUDA" in result.stderr
    assert result.stdout == ""


def test_the_answer_alone_goes_to_stdout(home: Path):
    result = ask(home, "--model", "demo", stdin="What is the capital of France?\n")
    assert result.returncode == 0, result.stderr
    assert "Paris" in result.stdout
    assert "think>" not in result.stdout
    assert result.stderr.strip()  # the thinking


def test_continue_knows_what_was_said(home: Path):
    ask(home, "--model", "demo", "My name is Ada.")
    result = ask(home, "--continue", "What is my name?")
    assert result.returncode == 0, result.stderr
    assert "Ada" in result.stdout


def test_no_save_leaves_nothing(home: Path):
    result = ask(home, "--model", "demo", "--no-save", "--json", "Hello")
    assert events(result)[-1]["chat"] == ""
    assert list((home / "data").rglob("*.db*")) == []


def test_the_same_seed_gives_the_same_answer(home: Path):
    arguments = ("--model", "demo", "--no-save", "--seed", "7", "--temperature", "5")
    first = ask(home, *arguments, "Tell me something.")
    second = ask(home, *arguments, "Tell me something.")
    assert first.stdout == second.stdout
    assert first.stdout.strip()


def test_a_token_limit_ends_with_length(home: Path):
    arguments = ("--model", "demo", "--no-think", "--json", "--max-new-tokens", "9")
    done = events(ask(home, *arguments, LONG))[-1]
    assert done["finish_reason"] == "length"
    assert done["usage"]["answer_tokens"] == 9


def test_a_stop_text_and_penalties_are_heard(home: Path):
    arguments = ("--model", "demo", "--no-think", "--json", "--temperature", "0")
    prompt = "What is the capital of France?"
    whole = text_of("answer", events(ask(home, *arguments, prompt)))
    seen = events(ask(home, *arguments, "--stop", "Berlin", "--stop", "Pa", prompt))
    assert text_of("answer", seen) == whole.partition("Pa")[0]
    done = seen[-1]
    assert (done["finish_reason"], done["finish_detail"]) == ("stop", "stop_text")
    penalties = ("--frequency-penalty", "1", "--repetition-penalty", "1.2")
    chat = events(ask(home, *arguments, *penalties, prompt))[-1]["chat"]
    shown = subprocess.run(
        command("chats", "show", chat, "--json"),
        capture_output=True,
        text=True,
        env=environment(home),
        check=True,
    )
    sampling = json.loads(shown.stdout)["messages"][-1]["sampling"]
    assert sampling["frequency_penalty"] == 1
    assert sampling["repetition_penalty"] == 1.2


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_keeps_what_is_there(home: Path, number: int, status: int):
    with subprocess.Popen(
        command("ask", "--model", "demo", "--no-think", "--json", LONG),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(home),
    ) as process:
        assert process.stdout is not None
        seen: list[dict[str, Any]] = []
        for line in process.stdout:
            seen.append(json.loads(line))
            if seen[-1]["event"] == "answer" and len(seen) > 3:
                process.send_signal(number)
                break
        seen.extend(json.loads(line) for line in process.stdout)
    assert process.returncode == status
    assert seen[-1]["event"] == "done"
    assert seen[-1]["finish_reason"] == "cancelled"
    shown = subprocess.run(
        command("chats", "show", seen[-1]["chat"], "--json"),
        capture_output=True,
        text=True,
        env=environment(home),
        check=True,
    )
    answer = json.loads(shown.stdout)["messages"][-1]
    assert answer["state"] == "stopped"
    assert answer["content"] == text_of("answer", seen)


def test_no_engine_outlives_ask_killed_hard(home: Path):
    process = subprocess.Popen(
        command("ask", "--model", "demo", "--no-think", "--json", LONG),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(home),
    )
    assert process.stdout is not None
    while '"answer"' not in process.stdout.readline():
        pass
    children = descendants(process.pid)
    assert children
    process.kill()
    process.wait()
    process.stdout.close()
    wait_until(lambda: not any(is_alive(pid) for pid in children), patience_s=10)


def test_a_real_language_model_knows_paris_from_its_gguf(home: Path):
    result = ask(
        home,
        *("--model", str(smollm2_gguf()), "--temperature", "0"),
        *("--max-new-tokens", "20", "What is the capital of France?"),
    )
    assert result.returncode == 0, result.stderr
    assert "Paris" in result.stdout
