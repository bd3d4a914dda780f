"""Session, backend and the true engine together, with the demo model."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from qwen_tui.backends.local import LocalBackend
from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.conversation import Conversation
from qwen_tui.chat.events import (
    AnswerDelta,
    Failed,
    Finished,
    Loaded,
    StreamEvent,
    ThinkingDelta,
    Usage,
)
from qwen_tui.chat.sampling import Presets, Sampling
from qwen_tui.chat.turn import TurnOptions
from qwen_tui.paths import demo_model
from qwen_tui.session import Session
from qwen_tui.store.conversations import Store
from qwen_tui.wire_engine import LoadOptions
from tests import models
from tests.engine.engine_process import GIVES_BACK, memory_of
from tests.helpers import until, wait_until

pytestmark = pytest.mark.torch

GREEDY = Sampling(temperature=0.0)
# random words go on for hundreds of tokens until one of them is the stop token
RANDOM = Sampling(temperature=100.0, seed=1)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def backend(tmp_path: Path) -> AsyncIterator[LocalBackend]:
    source = ModelSource("demo", str(demo_model()), "folder")
    backend = LocalBackend(
        source, LoadOptions(device="cpu", threads=1), log_dir=tmp_path / "log"
    )
    yield backend
    await backend.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "conversations.db")
    yield store
    store.close()


def session_for(store: Store, backend: LocalBackend, sampling: Sampling) -> Session:
    options = TurnOptions(Presets(sampling, sampling), max_new_tokens=32768)
    return Session(store, backend, Conversation(), options)


async def say(session: Session, text: str) -> list[StreamEvent]:
    return [event async for event in session.send(text)]


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"


def last_text(store: Store) -> str:
    chat = store.latest()
    return chat.branch()[-1].thinking + chat.branch()[-1].content if chat else ""


async def partial_text(events: AsyncIterator[StreamEvent], size: int) -> str:
    """Read a stream until `size` characters came, and leave it open."""
    text = ""
    async for event in events:
        if isinstance(event, ThinkingDelta | AnswerDelta):
            text += event.text
        if len(text) >= size:
            return text
    raise AssertionError(f"ended after {text!r}")


async def test_a_conversation_remembers_survives_a_stop_and_a_killed_engine(
    backend: LocalBackend, store: Store
):
    session = session_for(store, backend, GREEDY)
    first = await say(session, "My name is Ada.")
    assert any(isinstance(e, Loaded) for e in first)
    assert isinstance(first[-1], Finished)
    assert first[-1].reason == "stop"
    await say(session, "What is my name?")
    answer = session.conversation.branch()[-1]
    assert "Ada" in answer.content
    assert answer.thinking
    assert answer.model == "demo"
    assert store.load(session.conversation.id) == session.conversation

    session.options.presets = Presets(RANDOM, RANDOM)
    stream = session.send("Tell me a story.")
    text = await partial_text(stream, 20)
    started = time.monotonic()
    await session.stop()
    rest = [event async for event in stream]
    assert time.monotonic() - started < 3
    assert isinstance(rest[-1], Finished)
    assert rest[-1].reason == "cancelled"
    assert backend.loaded is not None
    stopped = store.load(session.conversation.id).branch()[-1]
    assert stopped.state == "stopped"
    assert (stopped.thinking + stopped.content).startswith(text)

    stream = session.send("And another one.")
    text = await partial_text(stream, 20)
    os.kill(backend.pids[0], signal.SIGKILL)
    rest = [event async for event in stream]
    assert isinstance(rest[-1], Failed)
    assert rest[-1].code == "engine_died"
    assert "signal 9" in rest[-1].message
    failed = store.load(session.conversation.id).branch()[-1]
    assert failed.state == "failed"
    assert (failed.thinking + failed.content).startswith(text)
    assert backend.loaded is None

    session.options.presets = Presets(GREEDY, GREEDY)
    again = [event async for event in backend.load()]
    assert isinstance(again[-1], Loaded)
    assert isinstance((await say(session, "What is 2 + 3?"))[-1], Finished)


async def test_a_stop_while_the_engine_starts_gives_the_prompt_back(
    backend: LocalBackend, store: Store
):
    session = session_for(store, backend, GREEDY)
    stream = session.send("Hello")
    await anext(stream)
    turn = asyncio.ensure_future(anext(stream))
    await until(lambda: len(backend.pids) == 1)
    await session.stop()
    assert await turn == Finished("cancelled", Usage())
    assert session.withdrawn == "Hello"
    assert store.summaries() == []
    await until(lambda: not backend.pids)
    assert isinstance((await say(session, "Hello"))[-1], Finished)


async def test_the_event_loop_stays_free_while_the_engine_loads_and_answers(
    backend: LocalBackend, store: Store
):
    session = session_for(store, backend, GREEDY)
    session.options.thinking = False
    turn = asyncio.create_task(say(session, "What is the capital of France?"))
    loop = asyncio.get_running_loop()
    lags: list[float] = []
    while not turn.done():
        before = loop.time()
        await asyncio.sleep(0.005)
        lags.append(loop.time() - before - 0.005)
    events = turn.result()
    assert not any(isinstance(e, ThinkingDelta) for e in events)
    assert "Paris" in "".join(e.text for e in events if isinstance(e, AnswerDelta))
    lags.sort()
    # p99 and not the worst: this measures our loop, not the machine's other work
    assert lags[int(len(lags) * 0.99)] < 0.05


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
async def test_a_turn_that_runs_out_of_memory_keeps_the_conversation(
    tmp_path: Path, store: Store
):
    folder = models.random_qwen3(tmp_path / "model", hidden=512, layers=8)
    backend = LocalBackend(
        ModelSource("big", str(folder), "folder"),
        LoadOptions("cpu", "float32", threads=1),
        log_dir=tmp_path / "log",
        environ={**os.environ, **GIVES_BACK},
    )
    session = session_for(store, backend, RANDOM)
    session.options.max_new_tokens = 3
    try:
        assert isinstance((await say(session, "one"))[-1], Finished)
        pid = backend.pids[0]
        # enough to read the text in, not for its KV cache of 49 MB
        limits = (memory_of(pid) + 8 * 1024**2, resource.RLIM_INFINITY)
        resource.prlimit(pid, resource.RLIMIT_DATA, limits)
        failed = (await say(session, "x" * 3000))[-1]
        assert isinstance(failed, Failed)
        assert failed.code == "out_of_memory"
        branch = store.load(session.conversation.id).branch()
        assert [m.content[:3] for m in branch if m.role == "user"] == ["one", "xxx"]
        assert branch[-1].state == "failed"
        assert branch[-1].usage["error_code"] == "out_of_memory"
        if backend.pids == [pid]:  # else it had to leave: see `failures.is_lasting`
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(pid, resource.RLIMIT_DATA, unlimited)
        again = [event async for event in session.retry()]
        assert isinstance(again[-1], Finished)
    finally:
        await backend.close()


def test_a_killed_program_takes_its_engine_along_and_keeps_the_partial_answer(
    tmp_path: Path, store: Store
):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        shown = parent.stdout.readline().rstrip("\n").encode().decode("unicode_escape")
        shown_at = time.monotonic()
        wait_until(lambda: last_text(store).startswith(shown))
        assert time.monotonic() - shown_at < 2.0
        assert is_alive(pid)
        parent.kill()
        killed_at = time.monotonic()
        wait_until(lambda: not is_alive(pid))
        gone_s = time.monotonic() - killed_at
    assert gone_s < 2.0
    store.close()
    store = Store(store.file)  # the next start
    chat = store.latest()
    store.close()
    assert chat is not None
    user, answer = chat.branch()
    assert user.content == "Tell me a story."
    assert answer.state == "interrupted"
    assert (answer.thinking + answer.content).startswith(shown)


PARENT = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from qwen_tui.backends.local import LocalBackend
    from qwen_tui.chat.backend import ModelSource
    from qwen_tui.chat.conversation import Conversation
    from qwen_tui.chat.events import AnswerDelta, ThinkingDelta
    from qwen_tui.chat.sampling import Presets, Sampling
    from qwen_tui.paths import demo_model
    from qwen_tui.chat.turn import TurnOptions
    from qwen_tui.session import Session
    from qwen_tui.store.conversations import Store
    from qwen_tui.wire_engine import LoadOptions

    async def main():
        folder = Path(sys.argv[1])
        backend = LocalBackend(
            ModelSource("demo", str(demo_model()), "folder"),
            LoadOptions(device="cpu", threads=1),
            log_dir=folder / "log",
        )
        sampling = Sampling(temperature=100.0, seed=1)
        options = TurnOptions(Presets(sampling, sampling), max_new_tokens=32768)
        store = Store(folder / "conversations.db")
        session = Session(store, backend, Conversation(), options)
        text = ""
        async for event in session.send("Tell me a story."):
            if isinstance(event, ThinkingDelta | AnswerDelta):
                text += event.text
            if len(text) >= 20:
                print(backend.pids[0])
                print(text.encode("unicode_escape").decode(), flush=True)
                await asyncio.sleep(600)  # the reader is slow; the turn goes on

    asyncio.run(main())
    """
)
