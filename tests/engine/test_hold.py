"""A loaded model is seen to be in use from outside, and only as long as it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from qwen_tui import wire
from qwen_tui.chat.events import Failed, Loaded
from qwen_tui.hub.held import is_in_use
from tests.engine.engine_process import EngineProcess
from tests.hub.models import whole_model, write_files
from tests.models import copy_of

pytestmark = pytest.mark.torch


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineProcess]:
    engine = EngineProcess(tmp_path / "engine.log")
    assert isinstance(engine.next(), wire.Hello)
    yield engine
    engine.kill()


def test_a_model_is_in_use_from_load_to_unload(
    engine: EngineProcess, tiny: Path, tmp_path: Path
) -> None:
    model = copy_of(tiny, tmp_path / "model")
    assert not is_in_use(model)
    assert isinstance(engine.last(engine.load(model)), Loaded)
    assert is_in_use(model)
    engine.last(engine.unload())
    assert not is_in_use(model)


def test_a_model_that_another_replaces_is_free(
    engine: EngineProcess, tiny: Path, tmp_path: Path
) -> None:
    first = copy_of(tiny, tmp_path / "first")
    second = copy_of(tiny, tmp_path / "second")
    engine.last(engine.load(first))
    engine.last(engine.load(second))
    assert not is_in_use(first)
    assert is_in_use(second)
    engine.kill()
    assert not is_in_use(second)


def test_a_model_that_does_not_load_is_free(
    engine: EngineProcess, tmp_path: Path
) -> None:
    folder = write_files(tmp_path / "bad", whole_model())
    assert isinstance(engine.last(engine.load(folder)), Failed)
    assert not is_in_use(folder)
