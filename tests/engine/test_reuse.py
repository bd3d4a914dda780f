"""Turns that go on from an earlier turn's KV cache: fewer tokens, the same answer."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
import torch

from qwen_tui.chat.backend import PromptMessage
from qwen_tui.chat.events import AnswerDelta, StreamEvent, ThinkingDelta
from qwen_tui.chat.sampling import Sampling
from qwen_tui.engine.model import LoadedModel
from qwen_tui.engine.prefill import PromptReader
from tests import models
from tests.engine.talk import Talk, run, told_prefill
from tests.engine.test_generate import load

pytestmark = pytest.mark.torch

GREEDY = Sampling(temperature=0)
WARM = Sampling(temperature=1.0, top_k=50, seed=4)  # a random model, greedy, repeats
QUESTIONS = (
    "Hello!",
    "My name is Ann.",
    "What is the capital of France?",
    "What is 2 + 3?",
    "法国的首都是哪里？",
    "Write a list of three colours.",
    "What is my name?",
    "Thank you!",
)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def demo() -> LoadedModel:
    return load(models.demo_folder())


@pytest.fixture(scope="module")
def hybrid_model(hybrid: Path) -> LoadedModel:
    return load(hybrid)


def talk_with(model: LoadedModel, sampling: Sampling, **options: int) -> Talk:
    system_prompt = "You are a friendly assistant. Keep your answers short."
    return Talk(
        model, PromptReader(model), sampling, system_prompt=system_prompt, **options
    )


def has_begun(events: list[StreamEvent]) -> bool:
    return any(isinstance(e, ThinkingDelta | AnswerDelta) for e in events)


def has_read(events: list[StreamEvent]) -> bool:
    """Stop in the middle of a prompt: its first chunk was told."""
    return len(events) > 1


def twenty_turns(talk: Talk) -> None:
    """Talk as people do: with and without thinking, back and forth, cut and go on."""
    talk.ask(QUESTIONS[0])
    talk.ask(QUESTIONS[1])
    talk.ask(QUESTIONS[2], thinking=False)
    first_branch = talk.ask(QUESTIONS[3])
    talk.retry()
    talk.edit(talk.questions()[1], "My name is Bob.")
    talk.ask(QUESTIONS[6])
    talk.ask(QUESTIONS[5], max_new_tokens=9)  # cut by the limit
    talk.go_on()
    talk.ask(QUESTIONS[4], stop_when=has_begun)
    talk.go_on(max_new_tokens=5)
    talk.go_on()
    second_branch = talk.ask(QUESTIONS[7])
    talk.show(first_branch)
    talk.ask(QUESTIONS[6])
    talk.ask(QUESTIONS[5], thinking_budget=3, max_new_tokens=200)
    talk.show(second_branch)
    talk.ask(QUESTIONS[2], thinking=False)
    talk.retry()  # with thinking again
    talk.edit(talk.questions()[-1], QUESTIONS[4])
    talk.edit(talk.questions()[0], "Hi!\n\nI am Carl.")
    talk.ask(QUESTIONS[6] * 30)  # several chunks
    talk.ask(QUESTIONS[0], stop_when=has_read)
    talk.retry()


def test_twenty_turns_are_the_same_with_reuse_on_the_demo(demo: LoadedModel) -> None:
    talk = talk_with(demo, GREEDY)
    twenty_turns(talk)
    assert len(talk.finished) >= 20
    usages = [finished.usage for finished in talk.finished[1:]]
    cached = sum(usage.cached_tokens for usage in usages)
    assert cached > 0.7 * sum(usage.prompt_tokens for usage in usages)


def test_twenty_turns_are_the_same_with_reuse_on_linear_attention(
    hybrid_model: LoadedModel,
) -> None:
    talk = talk_with(hybrid_model, WARM, limit=16)
    twenty_turns(talk)
    usages = [finished.usage for finished in talk.finished[1:]]
    cached = sum(usage.cached_tokens for usage in usages)
    assert cached > 0.5 * sum(usage.prompt_tokens for usage in usages)


def test_turns_are_the_same_with_reuse_on_smollm2(smollm2: Path) -> None:
    talk = Talk(model := load(smollm2), PromptReader(model), GREEDY, limit=8)
    talk.ask("What is the capital of France?")
    talk.ask("And of Italy?")
    talk.retry()
    talk.go_on(max_new_tokens=3)
    talk.edit(talk.questions()[1], "And of Spain? Answer with its name.")
    cached = [finished.usage.cached_tokens for finished in talk.finished]
    prompts = [finished.usage.prompt_tokens for finished in talk.finished]
    assert cached[0] == 0
    assert cached[1] > prompts[0]  # this model does not think: its answer stays
    assert cached[2] == prompts[2] - 1
    assert cached[3] >= prompts[2]
    assert cached[4] > prompts[0]


def test_the_prompt_counts_what_was_cached(demo: LoadedModel) -> None:
    talk = talk_with(demo, GREEDY)
    talk.ask(QUESTIONS[0])
    before = talk.finished[-1].usage.prompt_tokens
    answer = talk.ask(QUESTIONS[1] * 20)
    usage = talk.finished[-1].usage
    assert before <= usage.cached_tokens < usage.prompt_tokens
    events, finished = run(demo, talk.request(answer), talk.reader)
    first, *_more, last = told_prefill(events)
    held = finished.usage.cached_tokens
    assert held == usage.prompt_tokens - 1  # the very same prompt
    assert (first.done, first.total, first.cached) == (held, held + 1, held)
    assert (last.done, last.cached) == (last.total, held)


def test_a_prompt_that_was_stopped_half_way_goes_on_from_there(
    demo: LoadedModel,
) -> None:
    talk = talk_with(demo, GREEDY)
    long = QUESTIONS[1] * 60
    talk.ask(long, stop_when=has_read)
    assert talk.finished[-1].usage.answer_tokens == 0
    talk.retry()
    usage = talk.finished[-1].usage
    assert 0 < usage.cached_tokens < usage.prompt_tokens - 1


@pytest.mark.parametrize("layer", [0, 2], ids=["first layer", "in the middle"])
def test_a_forward_pass_that_failed_leaves_nothing_wrong_behind(
    demo: LoadedModel, layer: int
) -> None:
    talk = talk_with(demo, GREEDY)
    talk.ask(QUESTIONS[1])
    answer = talk.ask(QUESTIONS[2])

    def fail(*_args: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    broken = demo.model.get_submodule(f"model.layers.{layer}.mlp")
    hook = broken.register_forward_pre_hook(fail)
    with pytest.raises(RuntimeError):
        run(demo, talk.request(answer), talk.reader)
    hook.remove()
    talk.retry()
    talk.ask(QUESTIONS[6])


def test_two_conversations_share_what_they_begin_with(demo: LoadedModel) -> None:
    reader = PromptReader(demo)
    rules = "Answer briefly. " * 10
    one, other = (Talk(demo, reader, GREEDY, system_prompt=rules) for _ in range(2))
    one.ask(QUESTIONS[1])
    other.ask(QUESTIONS[0])
    assert other.finished[0].usage.cached_tokens > 16
    one.ask(QUESTIONS[6])
    assert one.finished[1].usage.cached_tokens >= one.finished[0].usage.prompt_tokens


def test_the_branch_that_was_left_is_still_there(demo: LoadedModel) -> None:
    talk = talk_with(demo, GREEDY)
    talk.ask(QUESTIONS[1])
    left = talk.ask("What is the capital of France? " * 40)
    talk.edit(talk.questions()[1], QUESTIONS[0])
    talk.show(left)
    talk.ask(QUESTIONS[6])
    of_left, usage = talk.finished[1].usage, talk.finished[-1].usage
    assert usage.cached_tokens >= of_left.prompt_tokens


def test_a_retry_and_an_edit_on_linear_attention_read_one_question_at_most(
    hybrid_model: LoadedModel,
) -> None:
    talk = talk_with(hybrid_model, WARM, limit=5)
    talk.ask(QUESTIONS[1] * 5)
    talk.ask(QUESTIONS[2] * 5)
    talk.retry()
    usage = talk.finished[-1].usage
    assert usage.prompt_tokens - usage.cached_tokens <= len("assistant\n") + 1
    question = "And Italy?"
    talk.edit(talk.questions()[1], question)
    usage = talk.finished[-1].usage
    new = len("user\n") + len(question) + len("..\n..assistant\n")  # bytes, 1 a token
    assert usage.prompt_tokens - usage.cached_tokens <= new


@pytest.mark.parametrize("kind", ["demo", "hybrid_model"])
def test_what_was_read_ahead_is_all_of_the_next_prompt_but_the_question(
    request: pytest.FixtureRequest, kind: str
) -> None:
    model: LoadedModel = request.getfixturevalue(kind)
    sampling = WARM if kind == "hybrid_model" else GREEDY
    talk = talk_with(model, sampling)
    talk.ask("Write a list of three colours.")
    finished = talk.warm()
    assert finished.reason == "stop"
    question = "What is my name?"
    talk.ask(question)
    usage = talk.finished[-1].usage
    read = usage.prompt_tokens - usage.cached_tokens
    asked = model.prompts.build([PromptMessage("user", question)], thinking=True)
    assert usage.cached_tokens >= finished.usage.prompt_tokens - len("user\n")
    assert read <= len(asked)
    talk.warm()
    talk.retry()  # as it was before


def test_reading_ahead_ends_at_once_and_what_it_read_counts(
    demo: LoadedModel,
) -> None:
    talk = talk_with(demo, GREEDY)
    talk.ask(QUESTIONS[1] * 60)
    talk.reader = PromptReader(demo)  # it has read nothing yet
    calls = count()  # one before each chunk, one before each of its four layers
    finished = talk.warm(is_unwanted=lambda: next(calls) > 7)
    assert finished.reason == "cancelled"
    talk.ask(QUESTIONS[6])
    usage = talk.finished[-1].usage
    assert 0 < usage.cached_tokens < finished.usage.prompt_tokens


def test_reading_ahead_is_left_where_hardly_anything_is_to_be_read(
    demo: LoadedModel,
) -> None:
    talk = talk_with(demo, GREEDY)
    talk.ask(QUESTIONS[2])
    talk.warm()

    def not_asked() -> bool:
        raise AssertionError("a chunk was about to be read")

    assert talk.warm(not_asked).reason == "stop"
