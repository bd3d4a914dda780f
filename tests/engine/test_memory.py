"""Real shortage of memory: a process with a limit, while it loads and in a turn."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qwen_tui import wire
from qwen_tui.chat.events import AnswerDelta, Failed, Finished, Loaded
from qwen_tui.chat.sampling import Sampling
from qwen_tui.engine.failures import is_lasting, out_of_memory
from tests.engine.engine_process import GIVES_BACK, EngineProcess

pytestmark = [
    pytest.mark.torch,
    pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's"),
]

MIB = 1024**2
WARM = Sampling(temperature=1.0, top_k=50, seed=4)


@pytest.fixture
def engine(tmp_path: Path, tiny: Path) -> Iterator[EngineProcess]:
    """An engine that has imported all it needs."""
    engine = EngineProcess(tmp_path / "engine.log", GIVES_BACK)
    assert isinstance(engine.next(), wire.Hello)
    assert isinstance(engine.last(engine.load(tiny)), Loaded)
    yield engine
    engine.kill()


# what the weights take: 50 MB to read them, 100 MB in float32
@pytest.mark.parametrize("mib", [5, 60], ids=["reading", "converting"])
def test_a_load_without_memory_fails_as_such_and_works_later(
    engine: EngineProcess, slow: Path, mib: int
) -> None:
    engine.limit_memory(mib * MIB)
    failed = engine.last(engine.load(slow, dtype="float32"))
    assert isinstance(failed, Failed)
    assert failed.code == "out_of_memory"
    for way_out in (
        "shorter",
        "8 bits",
        "packed weights",
        "another device",
        "smaller model",
    ):
        assert way_out in failed.hint
    engine.lift_limit()
    assert isinstance(engine.last(engine.load(slow, dtype="float32")), Loaded)
    assert isinstance(engine.last(engine.ask("hi", limit=3)), Finished)


def test_a_turn_without_memory_keeps_what_came_and_the_next_one_works(
    engine: EngineProcess, slow: Path
) -> None:
    assert isinstance(engine.last(engine.load(slow, dtype="float32")), Loaded)
    request = engine.ask("hi", limit=20_000, sampling=WARM)
    events = engine.events(request)
    first = next(e for e in events if isinstance(e, AnswerDelta))
    assert first.text
    engine.limit_memory(2 * MIB)  # the KV cache takes 4 for each 256 tokens
    failed = list(events)[-1]
    assert isinstance(failed, Failed)
    assert failed.code == "out_of_memory"
    engine.lift_limit()
    assert isinstance(engine.last(engine.ask("hi", limit=3)), Finished)


@pytest.mark.parametrize(
    "message",
    [
        "unable to mmap 5 bytes from file </x>: Cannot allocate memory (12)",
        "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate",
        "std::bad_alloc",
        "could not create a primitive",
    ],
)
def test_what_libraries_say_when_memory_ends_is_understood(message: str) -> None:
    assert out_of_memory(RuntimeError(message)) is not None
    assert is_lasting(RuntimeError(message)) == message.endswith("primitive")
