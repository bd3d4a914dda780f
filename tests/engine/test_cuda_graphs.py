"""What surrounds CUDA graphs, with a plain step in their place."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from torch import Tensor
from torch.fx import GraphModule
from transformers import PreTrainedModel

from qwen_tui.chat.backend import PromptMessage, TurnRequest
from qwen_tui.chat.events import Finished, StreamEvent
from qwen_tui.engine.cuda_graphs import Graphs, Step, compiled_step, plain_step
from qwen_tui.engine.generate import Parent, generate
from qwen_tui.engine.model import LoadedModel
from qwen_tui.engine.prefill import PromptReader
from tests import models
from tests.engine.test_generate import GREEDY, ask, load, text_of

pytestmark = pytest.mark.torch

PROMPT = "What is the capital of France?"


@pytest.fixture(scope="module")
def demo() -> LoadedModel:
    return load(models.demo_folder())


class Counted:
    """Makes plain steps that are counted, and may fail."""

    def __init__(self, fails_at: int = -1) -> None:
        self.taken = 0
        self.fails_at = fails_at

    def make(self, model: PreTrainedModel) -> Step:
        step = plain_step(model)

        def counted(token: Tensor, cache: Any) -> Tensor:
            self.taken += 1
            if self.taken == self.fails_at:
                raise RuntimeError("a graph broke")
            return step(token, cache)

        return counted


def with_graphs(
    model: LoadedModel, counted: Counted, sizes: Sequence[int] = (256, 1024)
) -> LoadedModel:
    graphs = Graphs(model.model, model.device, counted.make, sizes)
    graphs.record()
    assert counted.taken == 4 * len(sizes)  # else nothing below is shown
    counted.taken = 0
    return replace(model, graphs=graphs)


def answer(model: LoadedModel, **options: Any) -> tuple[str, Finished]:
    events, finished = ask(model, PROMPT, limit=200, **options)
    return text_of(events), finished


def test_an_answer_by_graphs_is_the_same(demo: LoadedModel) -> None:
    counted = Counted()
    model = with_graphs(demo, counted)
    expected, _plain = answer(demo)
    got, finished = answer(model)
    assert got == expected
    # the stop token is not fed
    assert counted.taken == finished.usage.new_tokens - 1


def test_an_answer_that_outgrows_a_graph_goes_on_by_the_next_and_without(
    demo: LoadedModel,
) -> None:
    counted = Counted()
    prompt_tokens = answer(demo)[1].usage.prompt_tokens
    sizes = (prompt_tokens + 5, prompt_tokens + 9)
    got, _finished = answer(with_graphs(demo, counted, sizes))
    assert got == answer(demo)[0]
    assert counted.taken == 9


@pytest.mark.parametrize("fails_at", [1, 7])
def test_a_graph_that_breaks_in_mid_answer_is_not_noticed(
    demo: LoadedModel, fails_at: int
) -> None:
    counted = Counted()
    model = with_graphs(demo, counted)
    counted.fails_at = fails_at
    assert answer(model)[0] == answer(demo)[0]
    assert counted.taken == fails_at
    assert answer(model)[0] == answer(demo)[0]
    assert counted.taken == fails_at  # not tried again


def test_a_graph_that_cannot_be_recorded_is_done_without(demo: LoadedModel) -> None:
    graphs = Graphs(demo.model, demo.device, Counted(fails_at=2).make, (256,))
    graphs.record()
    assert answer(replace(demo, graphs=graphs))[0] == answer(demo)[0]


def test_a_graph_that_computes_something_else_is_not_used(demo: LoadedModel) -> None:
    counted = Counted()

    def make(model: PreTrainedModel) -> Step:
        step = counted.make(model)
        return lambda token, cache: step(token, cache).flip(0)

    graphs = Graphs(demo.model, demo.device, make, (256,))
    graphs.record()
    counted.taken = 0
    assert answer(replace(demo, graphs=graphs))[0] == answer(demo)[0]
    assert counted.taken == 0


def test_a_step_is_compiled_once_for_each_size_and_in_one_piece(
    demo: LoadedModel,
) -> None:
    pieces: list[object] = []

    def compile_plainly(piece: GraphModule, _inputs: list[Tensor]) -> Any:
        pieces.append(piece)
        return piece.forward

    make = partial(compiled_step, backend=compile_plainly)
    prompt_tokens = answer(demo)[1].usage.prompt_tokens
    sizes = (prompt_tokens + 5, 256)
    graphs = Graphs(demo.model, demo.device, make, sizes)
    graphs.record()
    assert answer(replace(demo, graphs=graphs))[0] == answer(demo)[0]
    assert len(pieces) == len(sizes)


def test_a_load_that_is_taken_back_records_no_further(demo: LoadedModel) -> None:
    heard: list[int] = []

    def heed() -> None:
        heard.append(1)
        if len(heard) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Graphs(demo.model, demo.device, Counted().make, (64, 128, 256)).record(heed)
    assert len(heard) == 2


def test_forced_tokens_go_by_the_plain_way(demo: LoadedModel) -> None:
    counted = Counted()
    model = with_graphs(demo, counted)
    assert answer(model, thinking_budget=3)[0] == answer(demo, thinking_budget=3)[0]
    assert counted.taken > 0


def test_what_graphs_computed_is_reused_by_the_next_turn(demo: LoadedModel) -> None:
    counted = Counted()
    expected = _talk(demo)
    assert _talk(with_graphs(demo, counted)) == expected
    assert expected[2][1] > 0
    assert counted.taken > 0


def _talk(model: LoadedModel) -> list[tuple[str, int]]:
    """Return each answer of three turns, and the tokens that were cached for it."""
    reader = PromptReader(model)
    messages: tuple[PromptMessage, ...] = ()
    said: list[tuple[str, int]] = []
    for text in ("My name is Ada.", "What is my name?", PROMPT):
        messages = (*messages, PromptMessage("user", text))
        events: list[StreamEvent] = []
        request = TurnRequest(
            messages, GREEDY, 200, thinking=False, conversation_id="c"
        )
        parent = Parent(events.append, lambda: False, lambda: False)
        finished = generate(model, request, parent, reader)
        messages = (*messages, PromptMessage("assistant", text_of(events)))
        said.append((text_of(events), finished.usage.cached_tokens))
    return said
