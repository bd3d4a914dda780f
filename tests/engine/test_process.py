"""The engine as its parent knows it: a process with two pipes."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from qwen_tui import wire
from qwen_tui.chat.backend import PromptMessage
from qwen_tui.chat.events import (
    AnswerDelta,
    Failed,
    Finished,
    Loaded,
    LoadProgress,
    PrefillProgress,
    ThinkingDelta,
)
from qwen_tui.chat.sampling import Sampling
from tests import models
from tests.engine.engine_process import EngineProcess

pytestmark = pytest.mark.torch

ENDLESS = 100_000
WARM = Sampling(temperature=1.0, top_k=50, seed=4)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """One engine for all tests that leave it alive."""
    engine = EngineProcess(tmp_path_factory.mktemp("log") / "engine.log")
    hello = engine.next()
    assert isinstance(hello, wire.Hello)
    assert hello.protocol == wire.PROTOCOL
    assert hello.devices[-1] == "cpu"
    assert set(hello.versions) == {"torch", "transformers"}
    yield engine
    engine.kill()


def test_a_model_loads_with_progress_and_answers(
    engine: EngineProcess, tiny: Path
) -> None:
    *progress, loaded = engine.events(engine.load(tiny))
    assert isinstance(loaded, Loaded)
    assert loaded.context_length == 8192
    assert loaded.memory_bytes > 0
    assert (loaded.device, loaded.dtype) == ("cpu", "bfloat16")
    assert loaded.thinking == "switch"
    told = [p for p in progress if isinstance(p, LoadProgress)]
    fractions = [p.fraction for p in told]
    assert fractions == sorted(fractions)
    assert {"weights", "ready"} <= {p.stage for p in told}
    *_deltas, finished = engine.events(engine.ask("hi", limit=5))
    assert isinstance(finished, Finished)
    usage = finished.usage
    assert usage.thinking_tokens + usage.answer_tokens == 5
    assert isinstance(engine.last(engine.unload()), Finished)
    refused = engine.last(engine.ask("hi"))
    assert isinstance(refused, Failed)
    assert refused.code == "no_model"


def test_the_demo_answers_through_the_process(engine: EngineProcess) -> None:
    loaded = engine.last(engine.load(models.demo_folder()))
    assert isinstance(loaded, Loaded)
    events = list(
        engine.events(engine.ask("What is the capital of France?", limit=200))
    )
    assert any(isinstance(e, ThinkingDelta) for e in events)
    answer = "".join(e.text for e in events if isinstance(e, AnswerDelta))
    assert "Paris" in answer
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.reason == "stop"


def test_a_gguf_file_loads_and_knows_paris(engine: EngineProcess) -> None:
    *progress, loaded = engine.events(engine.load(models.smollm2_gguf()))
    assert isinstance(loaded, Loaded)
    assert (loaded.context_length, loaded.thinking) == (8192, "never")
    fractions = {p.fraction for p in progress if isinstance(p, LoadProgress)}
    assert len([f for f in fractions if 0.05 < f < 0.5]) > 1
    events = list(engine.events(engine.ask("What is the capital of France?")))
    assert "Paris" in "".join(e.text for e in events if isinstance(e, AnswerDelta))


def test_cancelling_in_prefill_and_in_decode_ends_the_answer(
    engine: EngineProcess, slow: Path
) -> None:
    assert isinstance(engine.last(engine.load(slow)), Loaded)
    request = engine.ask("x" * 12_000)
    events = engine.events(request)
    read = next(e for e in events if isinstance(e, PrefillProgress) and e.done)
    asked_at = time.monotonic()
    engine.send(wire.Cancel(request))
    *rest, finished = events
    print(f"cancel in prefill took {time.monotonic() - asked_at:.3f} s")
    assert isinstance(finished, Finished)
    assert finished.reason == "cancelled"
    last = rest[-1] if rest else read
    assert isinstance(last, PrefillProgress)
    assert last.done < last.total
    request = engine.ask("hi", limit=ENDLESS, sampling=WARM)
    events = engine.events(request)
    next(e for e in events if isinstance(e, AnswerDelta | ThinkingDelta))
    engine.send(wire.Cancel(request))
    *_rest, finished = events
    assert isinstance(finished, Finished)
    assert finished.reason == "cancelled"
    assert 0 < finished.usage.answer_tokens < 10_000
    again = engine.last(engine.ask("hi", limit=3, sampling=WARM))
    assert isinstance(again, Finished)
    assert again.reason != "cancelled"


def test_reading_ahead_gives_way_to_whatever_is_asked(
    engine: EngineProcess, slow: Path, tiny: Path
) -> None:
    history = (PromptMessage("user", "x" * 4000), PromptMessage("assistant", "y"))
    assert isinstance(engine.last(engine.load(slow)), Loaded)
    engine.warm(*history)
    question = PromptMessage("user", "go on")
    engine.warm(*history)  # the one before has read a chunk, if any
    request = engine.ask("", limit=2, messages=(*history, question))
    ends = list(_ends_until(engine, request))
    assert [end.reason for end in ends] == ["cancelled", "cancelled", "length"]
    usage = ends[-1].usage
    assert usage.cached_tokens < 4000  # it did not wait for all to be read
    finished = engine.last(engine.warm(*history, question, PromptMessage("user", "?")))
    assert isinstance(finished, Finished)
    assert finished.reason == "stop"
    assert finished.usage.cached_tokens > 4000
    engine.warm(PromptMessage("user", "z" * 4000))
    assert isinstance(engine.last(engine.load(tiny)), Loaded)
    assert isinstance(engine.last(engine.ask("hi", limit=3)), Finished)


def _ends_until(engine: EngineProcess, request: int) -> Iterator[Finished]:
    """Yield how each request up to this one ended."""
    while True:
        message = engine.next()
        assert isinstance(message, wire.Event)
        if isinstance(message.event, Finished):
            yield message.event
            if message.id == request:
                return


def test_a_load_can_be_cancelled_and_done_again(
    engine: EngineProcess, tiny: Path
) -> None:
    request = engine.load(tiny)
    engine.send(wire.Cancel(request))
    failed = engine.last(request)
    assert isinstance(failed, Failed)
    assert failed.code == "cancelled"
    assert isinstance(engine.last(engine.load(tiny)), Loaded)


def test_the_process_ends_when_stdin_closes_in_the_middle_of_an_answer(
    tmp_path: Path, slow: Path
) -> None:
    engine = EngineProcess(tmp_path / "engine.log")
    try:
        assert isinstance(engine.next(), wire.Hello)
        first, *_progress, loaded = engine.events(engine.load(slow))
        assert first == LoadProgress("import", 0.0)
        assert isinstance(loaded, Loaded)
        events = engine.events(engine.ask("hi", limit=ENDLESS, sampling=WARM))
        next(e for e in events if isinstance(e, AnswerDelta | ThinkingDelta))
        assert engine.end() < 2  # while the answer would take minutes
    finally:
        engine.kill()


def test_the_process_ends_when_stdin_closes_before_the_hello(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / "engine.log")
    try:
        engine.end()
    finally:
        engine.kill()


def test_stray_prints_on_fd_1_land_in_the_log(tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys, threading, time\n"
        "def shout():\n"
        "    while 'torch' not in sys.modules: time.sleep(0.001)\n"
        "    while True:\n"
        "        os.write(1, b'stray from C\\n'); print('stray from Python')\n"
        "        time.sleep(0.001)\n"
        "threading.Thread(target=shout, daemon=True).start()\n"
    )
    log = tmp_path / "engine.log"
    engine = EngineProcess(log, {"PYTHONPATH": str(tmp_path), "PYTHONUNBUFFERED": "1"})
    try:
        assert isinstance(engine.next(), wire.Hello)
        assert isinstance(engine.last(engine.load(tiny)), Loaded)
        assert isinstance(engine.last(engine.ask("hi", limit=20)), Finished)
    finally:
        engine.kill()
    text = log.read_text(errors="replace")
    assert "stray from C" in text
    assert "stray from Python" in text


def test_every_bad_model_is_a_failed_event_and_the_engine_lives_on(
    engine: EngineProcess, tiny: Path, tmp_path: Path
) -> None:
    bad = _bad_models(tiny, tmp_path)
    for code, path in bad.items():
        failed = engine.last(engine.load(path))
        assert isinstance(failed, Failed), code
        assert failed.code == code
        assert failed.message
        assert failed.hint
    refused = engine.last(engine.load(tiny, device="cuda:99"))
    assert isinstance(refused, Failed)
    assert refused.code == "no_device"
    assert isinstance(engine.last(engine.load(tiny)), Loaded)


def _bad_models(tiny: Path, folder: Path) -> dict[str, Path]:
    corrupt = models.copy_of(tiny, folder / "corrupt")
    weights = corrupt / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    shardless = models.copy_of(tiny, folder / "shardless")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (shardless / "model.safetensors").rename(shardless / "model-1.safetensors")
    (shardless / "model.safetensors.index.json").write_text(json.dumps(index))
    coded = models.copy_of(tiny, folder / "coded")
    own = {"model_type": "its_own", "auto_map": {"AutoConfig": "its_own.Config"}}
    (coded / "config.json").write_text(json.dumps(own))
    future = models.copy_of(tiny, folder / "future")
    (future / "config.json").write_text(json.dumps({"model_type": "qwen99"}))
    empty = folder / "empty"
    empty.mkdir()
    return {
        "model_not_found": folder / "nothing",
        "not_a_model": empty,
        "model_corrupt": corrupt,
        "model_incomplete": shardless,
        "remote_code_needed": coded,
        "unsupported_architecture": future,
    }


def test_an_unexpected_exception_fails_the_job_and_not_the_engine(
    engine: EngineProcess, tiny: Path
) -> None:
    assert isinstance(engine.last(engine.load(tiny)), Loaded)
    no_number = cast(float, "warm")
    failed = engine.last(engine.ask("hi", sampling=Sampling(temperature=no_number)))
    assert isinstance(failed, Failed)
    assert failed.code == "engine_error"
    assert isinstance(engine.last(engine.ask("hi", limit=3)), Finished)


def test_a_line_that_is_no_message_is_skipped(
    engine: EngineProcess, tiny: Path
) -> None:
    assert engine.process.stdin is not None
    engine.process.stdin.write(b"nonsense\n{}\n\xff\xfe\n")
    assert isinstance(engine.last(engine.load(tiny)), Loaded)


def test_failures_are_told_in_the_language_of_the_parent(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path / "engine.log", {"QWEN_TUI_LANG": "zh"})
    try:
        assert isinstance(engine.next(), wire.Hello)
        failed = engine.last(engine.ask("hi"))
        assert isinstance(failed, Failed)
        assert failed.message == "还没有加载模型。"
    finally:
        engine.kill()
