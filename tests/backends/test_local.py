"""The backend that owns an engine process, with a scripted engine."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from qwen_tui import i18n
from qwen_tui.backends.local import LocalBackend
from qwen_tui.backends.prepared import Prepare
from qwen_tui.chat.backend import Backend, ModelSource, PromptMessage, TurnRequest
from qwen_tui.chat.events import (
    AnswerDelta,
    Failed,
    Finished,
    Loaded,
    LoadEstimate,
    LoadProgress,
    PrefillProgress,
    StreamEvent,
    ThinkingDelta,
    Usage,
)
from qwen_tui.chat.ledger import MessageTokens, PromptTokens
from qwen_tui.chat.sampling import Sampling
from qwen_tui.errors import UsageError
from qwen_tui.wire_engine import LoadOptions
from tests.helpers import until

LOADED = Loaded("scripted", "cpu", "float32", 100, 1)
STOPPED = Finished("cancelled", Usage())
USAGE = Usage(prompt_tokens=3, answer_tokens=1)


def turn(prompt: str) -> TurnRequest:
    return TurnRequest(
        (PromptMessage("user", prompt),), Sampling(temperature=0.0), max_new_tokens=10
    )


def backend_for(
    folder: Path,
    path: str = "/model",
    *,
    prepare: Prepare | None = None,
    **environ: str,
) -> LocalBackend:
    return LocalBackend(
        ModelSource("scripted", path, "folder"),
        LoadOptions(),
        log_dir=folder / "log",
        environ={**os.environ, **environ},
        module="tests.backends.scripted_engine",
        prepare=prepare,
    )


@pytest.fixture
async def backend(tmp_path: Path) -> AsyncIterator[LocalBackend]:
    backend = backend_for(tmp_path)
    yield backend
    await backend.close()


async def every(events: AsyncIterator[StreamEvent]) -> list[StreamEvent]:
    return [event async for event in events]


async def ask(backend: Backend, prompt: str) -> list[StreamEvent]:
    return await every(backend.stream(turn(prompt)))


async def answer(backend: Backend, prompt: str) -> str:
    events = await ask(backend, prompt)
    return "".join(e.text for e in events if isinstance(e, AnswerDelta))


class Collected:
    """A stream that is read by a task, so that a test can act meanwhile."""

    def __init__(self, events: AsyncIterator[StreamEvent]) -> None:
        self.events: list[StreamEvent] = []
        self._source = events
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self._source:
            self.events.append(event)

    async def until_told(self, event: StreamEvent) -> None:
        await until(lambda: event in self.events or self.task.done())
        assert event in self.events

    async def end(self) -> StreamEvent:
        await self.task
        return self.events[-1]


async def test_load_tells_its_stages_and_what_is_loaded(backend: LocalBackend):
    assert backend.loaded is None
    assert await every(backend.load()) == [
        LoadProgress("import", 0.0),
        LoadProgress("weights", 0.5),
        LOADED,
    ]
    assert backend.loaded == LOADED


async def test_a_turn_loads_first_and_the_next_one_does_not(backend: LocalBackend):
    first = await ask(backend, "say hello")
    assert first[:3] == [
        LoadProgress("import", 0.0),
        LoadProgress("weights", 0.5),
        LOADED,
    ]
    told = [PrefillProgress(3, 3, 0), AnswerDelta("hello"), Finished("stop", USAGE)]
    assert first[3:] == told
    assert await ask(backend, "say hello") == told


async def test_reading_ahead_is_asked_of_an_idle_engine_and_ends_no_turn(
    backend: LocalBackend,
):
    await backend.warm(turn("too early"))  # nothing is loaded
    assert await answer(backend, "warmed") == "0"
    await backend.warm(turn("history"))
    assert await answer(backend, "warmed") == "1"
    running = Collected(backend.stream(turn("hangs")))
    await running.until_told(AnswerDelta("partial"))
    await backend.warm(turn("in between"))
    await backend.cancel()
    assert await running.end() == Finished("cancelled", USAGE)
    assert await answer(backend, "warmed") == "1"


async def test_loading_again_loads_again_in_the_same_engine(backend: LocalBackend):
    pid = await answer(backend, "pid")
    (*_, loaded) = await every(backend.load())
    assert isinstance(loaded, Loaded)
    assert loaded.memory_bytes == 2  # counts the loads
    assert await answer(backend, "pid") == pid


async def test_a_load_that_fails_ends_load_and_turn(tmp_path: Path):
    backend = backend_for(tmp_path, "/missing")
    failed = Failed("model_not_found", "No model.", "Look again.")
    assert (await every(backend.load()))[-1] == failed
    assert (await ask(backend, "say hello"))[-1] == failed
    assert backend.loaded is None
    await backend.close()


async def test_a_turn_that_fails_keeps_the_engine(backend: LocalBackend):
    failed = Failed("out_of_memory", "No memory.", "Go smaller.")
    assert (await ask(backend, "fails"))[-1] == failed
    assert backend.loaded == LOADED
    assert await answer(backend, "say hello") == "hello"


async def test_cancel_ends_a_turn_and_the_engine_lives_on(backend: LocalBackend):
    pid = await answer(backend, "pid")
    told = Collected(backend.stream(turn("hangs")))
    await told.until_told(AnswerDelta("partial"))
    await backend.cancel()
    assert await told.end() == Finished("cancelled", USAGE)
    assert backend.notice == ""
    assert await answer(backend, "pid") == pid


async def test_what_comes_late_from_a_stopped_turn_is_dropped(backend: LocalBackend):
    told = Collected(backend.stream(turn("late")))
    await told.until_told(AnswerDelta("partial"))
    await backend.cancel()
    await told.end()
    assert await ask(backend, "say hello") == [
        PrefillProgress(3, 3, 0),
        AnswerDelta("hello"),
        Finished("stop", USAGE),
    ]


async def test_a_deaf_engine_is_killed_told_and_replaced(
    backend: LocalBackend, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("qwen_tui.backends.local.CANCEL_GRACE_S", 0.2)
    pid = await answer(backend, "pid")
    told = Collected(backend.stream(turn("deaf")))
    await told.until_told(AnswerDelta("partial"))
    await backend.cancel()
    assert await told.end() == STOPPED
    assert "did not stop" in backend.notice
    assert backend.loaded is None
    assert LOADED in await ask(backend, "say hello")
    assert backend.notice == ""
    assert await answer(backend, "pid") != pid


async def test_cancel_ends_a_load(tmp_path: Path):
    backend = backend_for(tmp_path, "/hangs")
    told = Collected(backend.load())
    await told.until_told(LoadProgress("weights", 0.5))
    await backend.cancel()
    assert await told.end() == Failed("cancelled", "stopped")
    await backend.close()


@pytest.mark.parametrize("path", ["/hangs", "/deaf"])
async def test_cancel_ends_a_turn_that_still_loads(tmp_path: Path, path: str):
    backend = backend_for(tmp_path, path)
    told = Collected(backend.stream(turn("say hello")))
    await told.until_told(LoadProgress("weights", 0.5))
    await backend.cancel()
    assert await told.end() == STOPPED
    assert backend.loaded is None
    await backend.close()


@pytest.mark.parametrize("path", ["/hangs", "/deaf"])
async def test_cancel_before_hello_ends_the_load_at_once(tmp_path: Path, path: str):
    backend = backend_for(tmp_path, path, SCRIPTED_HELLO="never")
    told = Collected(backend.load())
    await until(lambda: len(backend.pids) == 1)
    await backend.cancel()
    end = await told.end()
    assert isinstance(end, Failed)
    assert end.code == "cancelled"
    await until(lambda: not backend.pids)


async def test_cancel_in_the_first_moment_ends_the_turn(backend: LocalBackend):
    told = Collected(backend.stream(turn("say hello")))
    await told.until_told(LoadProgress("import", 0.0))
    await backend.cancel()
    assert await told.end() == STOPPED
    assert await answer(backend, "say hello") == "hello"


async def test_cancel_while_the_process_starts_does_not_wait_for_its_hello(
    tmp_path: Path,
):
    backend = backend_for(tmp_path, SCRIPTED_HELLO="never")
    stream = backend.load()
    await anext(stream)
    last = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)  # the process is being started
    assert not backend.pids
    await backend.cancel()
    assert isinstance(await last, Failed)
    await every(stream)
    await until(lambda: not backend.pids)


async def test_cancel_while_nothing_runs_is_nothing(backend: LocalBackend):
    await backend.cancel()
    assert await answer(backend, "say hello") == "hello"
    await backend.cancel()
    assert await answer(backend, "say again") == "again"


async def test_cancelling_twice_is_as_good_as_once(backend: LocalBackend):
    told = Collected(backend.stream(turn("hangs")))
    await told.until_told(AnswerDelta("partial"))
    await asyncio.gather(backend.cancel(), backend.cancel())
    assert await told.end() == Finished("cancelled", USAGE)


async def test_a_kill_of_the_engine_is_told_and_the_next_turn_has_a_new_one(
    backend: LocalBackend,
):
    events = await ask(backend, f"dies {int(signal.SIGKILL)}")
    assert AnswerDelta("partial") in events
    assert events[-1] == Failed(
        "engine_died",
        "The engine ended: killed (signal 9), probably out of memory.",
        "A smaller model or a shorter context needs less memory. What came so far "
        "is kept; the next message loads the model again.",
    )
    assert backend.loaded is None
    assert LOADED in await ask(backend, "say hello")


async def test_a_crash_of_the_engine_names_the_log(
    backend: LocalBackend, tmp_path: Path
):
    (*_, last) = await ask(backend, f"dies {int(signal.SIGSEGV)}")
    assert isinstance(last, Failed)
    assert f"SIGSEGV, signal 11); see the log {tmp_path}" in last.message


async def test_an_engine_that_closes_its_output_counts_as_dead(
    backend: LocalBackend, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("qwen_tui.backends.engine_seat.EXIT_GRACE_S", 0.2)
    (*_, last) = await ask(backend, "closes")
    assert isinstance(last, Failed)
    assert last.code == "engine_died"
    await until(lambda: not backend.pids)


async def test_a_death_while_loading_and_while_idle_is_no_end(tmp_path: Path):
    backend = backend_for(tmp_path, "/dies")
    (*_, last) = await every(backend.load())
    assert isinstance(last, Failed)
    assert last.code == "engine_died"
    backend = backend_for(tmp_path)
    told: list[Failed] = []
    backend.on_idle_death = told.append
    os.kill(int(await answer(backend, "pid")), signal.SIGKILL)
    await until(lambda: backend.loaded is None)
    assert [failure.code for failure in told] == ["engine_died"]
    assert await answer(backend, "say hello") == "hello"
    await backend.close()
    assert len(told) == 1  # an end that was asked for is no death


async def test_a_program_without_an_engine_says_where_to_look(tmp_path: Path):
    backend = LocalBackend(
        ModelSource("m", "/m", "folder"),
        LoadOptions(),
        log_dir=tmp_path,
        module="tests.no_such_engine",
    )
    (*_, last) = await every(backend.load())
    assert isinstance(last, Failed)
    assert f"exit status 1; see the log {tmp_path / 'engine.log'}" in last.message


async def test_an_engine_of_another_version_is_refused(tmp_path: Path):
    backend = backend_for(tmp_path, SCRIPTED_HELLO="0")
    (*_, last) = await every(backend.load())
    assert isinstance(last, Failed)
    assert last.code == "engine_protocol"
    await until(lambda: not backend.pids)


async def test_a_log_folder_that_cannot_be_made_is_told(tmp_path: Path):
    (tmp_path / "log").touch()
    (*_, last) = await every(backend_for(tmp_path).load())
    assert isinstance(last, Failed)
    assert last.code == "engine_start"


async def test_answer_now_ends_the_thinking(backend: LocalBackend):
    await backend.answer_now()  # nothing runs: nothing happens
    told = Collected(backend.stream(turn("thinks")))
    await told.until_told(ThinkingDelta("hm"))
    await backend.answer_now()
    assert await told.end() == Finished("stop", USAGE)
    assert AnswerDelta("now") in told.events


async def test_closing_a_stream_early_cancels_the_turn(backend: LocalBackend):
    stream = backend.stream(turn("hangs"))
    assert isinstance(stream, AsyncGenerator)
    async for event in stream:
        if event == AnswerDelta("partial"):
            break
    await stream.aclose()
    assert await answer(backend, "say hello") == "hello"


async def test_a_cancelled_reader_cancels_the_turn(backend: LocalBackend):
    told = Collected(backend.stream(turn("hangs")))
    await told.until_told(AnswerDelta("partial"))
    told.task.cancel()
    await asyncio.wait([told.task])
    assert await answer(backend, "say hello") == "hello"


async def test_two_turns_at_once_are_a_mistake(backend: LocalBackend):
    told = Collected(backend.stream(turn("hangs")))
    await told.until_told(AnswerDelta("partial"))
    with pytest.raises(RuntimeError, match="at a time"):
        await ask(backend, "say hello")
    await backend.cancel()
    await told.end()


@pytest.mark.parametrize("how", ["close", "kill"])
async def test_close_and_kill_end_engine_and_turn(tmp_path: Path, how: str):
    backend = backend_for(tmp_path)
    told = Collected(backend.stream(turn("hangs")))
    await told.until_told(AnswerDelta("partial"))
    if how == "close":
        await backend.close()
    else:
        backend.kill()
    assert await told.end() == STOPPED
    assert backend.loaded is None
    await until(lambda: not backend.pids)


async def test_a_closed_backend_may_be_loaded_again(backend: LocalBackend):
    await every(backend.load())
    await backend.close()
    assert await answer(backend, "say hello") == "hello"


async def test_noise_of_libraries_lands_in_the_log(
    backend: LocalBackend, tmp_path: Path
):
    assert await answer(backend, "noise") == "quiet"
    log = await asyncio.to_thread((tmp_path / "log" / "engine.log").read_text)
    assert "a stray line" in log
    assert "Loading 50%" in log


async def test_the_engine_gets_no_token_no_network_and_our_language(tmp_path: Path):
    backend = backend_for(
        tmp_path, HF_TOKEN="hf_secret", HF_HUB_OFFLINE="0", HF_HOME="/models"
    )
    i18n.set_language("zh")
    try:
        seen = {
            name: await answer(backend, f"env {name}")
            for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_HOME", "QWEN_TUI_LANG")
        }
    finally:
        i18n.set_language("en")
        await backend.close()
    assert seen == {
        "HF_TOKEN": "unset",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": "/models",
        "QWEN_TUI_LANG": "zh",
    }


COUNTED = PromptTokens((MessageTokens(9),), 2, 3)


async def test_a_prompt_is_counted_once_a_model_is_loaded(backend: LocalBackend):
    assert await backend.measure(turn("say hello")) is None
    await every(backend.load())
    assert await backend.measure(turn("say hello")) == COUNTED
    assert await answer(backend, "say hello") == "hello"
    assert await backend.measure(turn("refused")) is None


async def test_a_count_that_is_asked_for_in_a_turn_comes_after_it(
    backend: LocalBackend,
):
    await every(backend.load())
    running = Collected(backend.stream(turn("hangs")))
    await running.until_told(AnswerDelta("partial"))
    count = asyncio.create_task(backend.measure(turn("say hello")))
    await asyncio.sleep(0)
    assert not count.done()
    await backend.cancel()
    assert await running.end() == Finished("cancelled", USAGE)
    assert await count == COUNTED


async def test_a_stop_ends_the_waiting_for_a_count(backend: LocalBackend):
    await every(backend.load())
    count = asyncio.create_task(backend.measure(turn("silent")))
    await asyncio.sleep(0)
    await backend.cancel()
    assert await count is None
    assert await answer(backend, "say hello") == "hello"


async def test_an_engine_that_dies_while_it_counts_is_loaded_again(
    backend: LocalBackend,
):
    await every(backend.load())
    assert await backend.measure(turn("dies 9")) is None
    assert backend.loaded is None
    assert await answer(backend, "say hello") == "hello"


@dataclass(frozen=True)
class Prepared:
    options: LoadOptions
    estimate: LoadEstimate


ESTIMATE = LoadEstimate("cpu", 1, 2, 3, 100, 10, "fits")


async def test_a_load_is_fitted_to_the_machine_first_and_tells_what_it_takes(
    tmp_path: Path,
):
    asked: list[LoadOptions] = []

    def prepare(_source: ModelSource, options: LoadOptions) -> Prepared:
        asked.append(options)
        return Prepared(replace(options, device="cuda:1"), ESTIMATE)

    backend = backend_for(tmp_path, prepare=prepare)
    try:
        events = await every(backend.load())
        assert events[1] == ESTIMATE
        assert events[-1] == LOADED
        assert await answer(backend, "loaded device") == "cuda:1"
        backend.options = LoadOptions(device="cpu")
        await every(backend.load())
        assert [options.device for options in asked] == ["auto", "cpu"]
    finally:
        await backend.close()


async def test_what_cannot_be_is_told_before_the_engine_is_asked(tmp_path: Path):
    def prepare(_source: ModelSource, _options: LoadOptions) -> Prepared:
        raise UsageError("No YaRN.", hint="Leave it.", code="no_yarn")

    backend = backend_for(tmp_path, prepare=prepare)
    try:
        last = (await every(backend.load()))[-1]
        assert last == Failed("no_yarn", "No YaRN.", "Leave it.")
        assert backend.loaded is None
    finally:
        await backend.close()


async def test_an_engine_that_leaves_after_a_failure_is_no_death_to_be_told(
    backend: LocalBackend,
):
    deaths: list[Failed] = []
    backend.on_idle_death = deaths.append
    events = await ask(backend, "spent")
    assert events[-2:] == [AnswerDelta("partial"), Failed("out_of_memory", "No.")]
    assert backend.loaded is None
    # at once, while the old process may still be there
    again = await ask(backend, "say hello")
    assert LOADED in again
    assert again[-1] == Finished("stop", USAGE)
    await until(lambda: len(backend.pids) == 1)
    assert deaths == []
