"""Answers: the tokens of generate(), counted, stopped and split as asked."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from qwen_tui.chat.backend import ModelSource, PromptMessage, TurnRequest
from qwen_tui.chat.events import (
    AnswerDelta,
    Finished,
    PrefillProgress,
    StreamEvent,
    ThinkingDelta,
)
from qwen_tui.chat.sampling import Sampling
from qwen_tui.engine.generate import Parent, generate
from qwen_tui.engine.model import LoadedModel, load_model
from qwen_tui.engine.progress import LoadMeter
from qwen_tui.errors import ContextOverflow
from qwen_tui.wire_engine import LoadOptions
from tests import models

pytestmark = pytest.mark.torch

GREEDY = Sampling(temperature=0)
WARM = Sampling(temperature=1.0, top_k=50, seed=4)  # a random model, greedy, repeats
# Source: Qwen3 model card, thinking off
ANSWER_PRESET = Sampling(temperature=0.7, top_p=0.8, top_k=20, seed=20)


def load(path: Path, dtype: str = "float32", **options: Any) -> LoadedModel:
    kind = "gguf" if path.suffix == ".gguf" else "folder"
    meter = LoadMeter(tell=lambda _stage, _part: None, is_cancelled=lambda: False)
    source = ModelSource(path.name, str(path), kind)
    return load_model(source, LoadOptions(dtype=dtype, **options), meter)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def tiny_model(tiny: Path) -> LoadedModel:
    return load(tiny)


@pytest.fixture(scope="module")
def smollm2_model(smollm2: Path) -> LoadedModel:
    return load(smollm2)


@pytest.fixture(scope="module")
def opening(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A model whose template opens thinking itself."""
    folder = models.copy_of(tiny, tmp_path_factory.mktemp("opening") / "model")
    template = folder / "chat_template.jinja"
    text = template.read_text(encoding="utf-8")
    head, _generation = text.split("{%- if add_generation_prompt -%}")
    template.write_text(
        head + "{%- if add_generation_prompt -%}"
        "{{- '<|im_start|>assistant\\n<think>\\n' -}}{%- endif -%}",
        encoding="utf-8",
    )
    return load(folder)


def ask(
    model: LoadedModel,
    prompt: str,
    *,
    limit: int = 32,
    sampling: Sampling = GREEDY,
    cancel_when: Callable[[list[StreamEvent]], bool] = lambda _events: False,
    answer_when: Callable[[list[StreamEvent]], bool] = lambda _events: False,
    **options: Any,
) -> tuple[list[StreamEvent], Finished]:
    events: list[StreamEvent] = []
    messages = options.pop("messages", (PromptMessage("user", prompt),))
    request = TurnRequest(messages, sampling, limit, **options)
    parent = Parent(
        tell=events.append,
        is_cancelled=lambda: cancel_when(events),
        wants_answer=lambda: answer_when(events),
    )
    return events, generate(model, request, parent)


def text_of(events: list[StreamEvent], kind: type = AnswerDelta) -> str:
    return "".join(cast(AnswerDelta, e).text for e in events if isinstance(e, kind))


def reference(model: LoadedModel, prompt: str, limit: int) -> list[int]:
    """Return what transformers' own generate() makes, greedily."""
    messages = [PromptMessage("user", prompt)]
    ids = torch.tensor([model.prompts.build(messages, thinking=True)])
    out = cast(Any, model.model).generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=limit,
        eos_token_id=sorted(model.stop_ids),
    )
    return out[0, ids.shape[1] :].tolist()


def assert_equals_generate(model: LoadedModel, prompt: str, limit: int) -> None:
    expected = reference(model, prompt, limit)
    events, finished = ask(model, prompt, limit=limit)
    usage = finished.usage
    assert usage.thinking_tokens + usage.answer_tokens == len(expected)
    stopped = expected[-1] in model.stop_ids
    assert finished.reason == ("stop" if stopped else "length")
    decoded = cast(str, model.tokenizer.decode(expected, skip_special_tokens=True))
    shown = text_of(events, ThinkingDelta) + text_of(events)
    for tag in ("<think>", "</think>"):
        decoded = decoded.replace(tag, "")
    assert "".join(shown.split()) == "".join(decoded.split()).rstrip("\ufffd")


@pytest.mark.parametrize("repeats", [1, 60], ids=["short", "several chunks"])
def test_greedy_equals_generate_on_a_random_model(
    tiny_model: LoadedModel, repeats: int
) -> None:
    assert_equals_generate(tiny_model, "What is 2 + 2? " * repeats, limit=48)


def test_greedy_equals_generate_on_smollm2(smollm2_model: LoadedModel) -> None:
    numbers = ", ".join(map(str, range(40)))
    assert_equals_generate(smollm2_model, f"Which comes next: {numbers}?", limit=12)


@pytest.mark.parametrize(
    "prompt", ["Hello!", "What is the capital of France?", "法国的首都是哪里？"]
)
def test_greedy_equals_generate_on_the_demo(demo: LoadedModel, prompt: str) -> None:
    assert_equals_generate(demo, prompt, limit=160)


@pytest.fixture(scope="module")
def demo() -> LoadedModel:
    return load(models.demo_folder())


@pytest.mark.parametrize("sampling", [GREEDY, ANSWER_PRESET], ids=["greedy", "preset"])
def test_smollm2_knows_the_capital_of_france(
    smollm2_model: LoadedModel, sampling: Sampling
) -> None:
    prompt = "What is the capital of France?"
    events, finished = ask(smollm2_model, prompt, sampling=sampling)
    assert "Paris" in text_of(events)
    assert finished.reason == "stop"
    if sampling.seed is not None:
        assert finished.seed == sampling.seed


def test_the_demo_thinks_then_answers_and_stops(demo: LoadedModel) -> None:
    events, finished = ask(demo, "What is the capital of France?", limit=200)
    assert text_of(events, ThinkingDelta)
    assert "Paris" in text_of(events)
    assert finished.reason == "stop"
    assert not finished.thinking_cut
    assert finished.usage.thinking_tokens > 0
    events, finished = ask(demo, "What is the capital of France?", thinking=False)
    assert not text_of(events, ThinkingDelta)
    assert "Paris" in text_of(events)
    assert finished.usage.thinking_tokens == 0


def test_prefill_is_told_from_nothing_to_all(tiny_model: LoadedModel) -> None:
    events, finished = ask(tiny_model, "x" * 500, limit=1)
    told = [e for e in events if isinstance(e, PrefillProgress)]
    assert told[0].done == 0
    assert [e.done for e in told] == sorted({e.done for e in told})
    assert told[-1].done == told[-1].total == finished.usage.prompt_tokens
    assert len(told) > 2


def test_cancelling_in_prefill_ends_it_between_two_chunks(
    tiny_model: LoadedModel,
) -> None:
    events, finished = ask(tiny_model, "x" * 3000, cancel_when=lambda e: len(e) > 1)
    assert finished.reason == "cancelled"
    assert finished.usage.answer_tokens == 0
    last = events[-1]
    assert isinstance(last, PrefillProgress)
    assert 0 < last.done < last.total


def test_cancelling_keeps_what_is_there(tiny_model: LoadedModel) -> None:
    def told_something(events: list[StreamEvent]) -> bool:
        return bool(text_of(events))

    whole, _finished = ask(tiny_model, "hi", limit=400, sampling=WARM)
    part, finished = ask(
        tiny_model, "hi", limit=400, sampling=WARM, cancel_when=told_something
    )
    assert finished.reason == "cancelled"
    assert 0 < finished.usage.answer_tokens < 400
    assert text_of(part)
    assert text_of(whole).startswith(text_of(part))


def test_the_answer_is_capped_by_what_is_left_of_the_context(
    tiny: Path, tmp_path: Path
) -> None:
    folder = models.random_qwen3(tmp_path, context=100)
    model = load(folder)
    _events, finished = ask(model, "hi", limit=4000)
    usage = finished.usage
    assert finished.reason == "length"
    assert usage.prompt_tokens + usage.answer_tokens == 100
    with pytest.raises(ContextOverflow) as refused:
        ask(model, "x" * 100)
    assert refused.value.code == "context_overflow"
    assert "100" in refused.value.message


def test_a_template_that_opens_thinking_makes_the_first_token_thinking(
    opening: LoadedModel,
) -> None:
    assert opening.described().thinking == "always"
    events, finished = ask(opening, "hi", limit=12, sampling=WARM)
    assert text_of(events, ThinkingDelta)
    assert not text_of(events)
    assert finished.thinking_cut
    assert finished.reason == "length"
    assert finished.usage.thinking_tokens == 12


def test_a_thinking_budget_ends_thinking_and_the_answer_begins(
    opening: LoadedModel,
) -> None:
    events, finished = ask(opening, "hi", limit=300, sampling=WARM, thinking_budget=10)
    assert text_of(events, ThinkingDelta).endswith("thinking directly now.")
    assert text_of(events)
    assert not finished.thinking_cut
    usage = finished.usage
    sentence = (
        "\n\nConsidering the limited time by the user, I have to give the solution "
        "based on the thinking directly now.\n"
    )
    assert usage.thinking_tokens == 10 + len(sentence) + len(["</think>"])  # bytes
    assert usage.answer_tokens > len("\n\n")


def test_answer_now_ends_thinking(opening: LoadedModel) -> None:
    def thinks(events: list[StreamEvent]) -> bool:
        return bool(text_of(events, ThinkingDelta))

    events, finished = ask(opening, "hi", limit=300, sampling=WARM, answer_when=thinks)
    assert text_of(events, ThinkingDelta).endswith("thinking directly now.")
    assert text_of(events)
    assert not finished.thinking_cut


def test_going_on_in_a_cut_answer_gives_the_rest_of_it(
    smollm2_model: LoadedModel,
) -> None:
    prompt = "Count from 1 to 9, separated by commas."
    whole, _finished = ask(smollm2_model, prompt, limit=40)
    part, finished = ask(smollm2_model, prompt, limit=9)
    assert finished.reason == "length"
    cut = PromptMessage("assistant", text_of(part))
    rest, _finished = ask(
        smollm2_model,
        prompt,
        limit=31,
        messages=(PromptMessage("user", prompt), cut),
        continue_last=True,
    )
    assert text_of(part) + text_of(rest) == text_of(whole)


def test_going_on_keeps_the_line_end_that_comes_next(
    smollm2_model: LoadedModel,
) -> None:
    prompt = "List two fruits, one on each line."
    whole = text_of(ask(smollm2_model, prompt, limit=24)[0])
    line, line_end, _rest = whole.partition("\n")
    assert line_end, "this prompt was chosen for an answer of several lines"
    messages = (PromptMessage("user", prompt), PromptMessage("assistant", line))
    more, _finished = ask(
        smollm2_model, prompt, limit=4, messages=messages, continue_last=True
    )
    assert text_of(more).startswith("\n")


def test_a_seed_repeats_an_answer(tiny_model: LoadedModel) -> None:
    warm = Sampling(temperature=1.0, top_k=50)
    first, finished = ask(tiny_model, "hi", sampling=warm)
    again = Sampling(temperature=1.0, top_k=50, seed=finished.seed)
    assert finished.seed is not None
    assert text_of(ask(tiny_model, "hi", sampling=again)[0]) == text_of(first)


def test_deltas_come_at_most_thirty_times_a_second(tiny_model: LoadedModel) -> None:
    events, finished = ask(tiny_model, "hi", limit=1500, sampling=WARM)
    assert len(text_of(events)) > 200
    n_deltas = sum(isinstance(e, AnswerDelta) for e in events)
    assert n_deltas <= 30 * finished.usage.decode_s + 2


def test_a_stop_text_ends_the_answer_across_tokens_and_is_not_shown(
    smollm2_model: LoadedModel,
) -> None:
    prompt = "What is the capital of France?"
    whole = text_of(ask(smollm2_model, prompt)[0])
    before, _stop, _after = whole.partition("is Paris")
    assert before != whole
    # one that no token ends with, and one that never comes
    sampling = Sampling(temperature=0, stop=("s Pari", "Berlin"))
    events, finished = ask(smollm2_model, prompt, sampling=sampling)
    assert text_of(events) == before + "i"
    assert (finished.reason, finished.detail) == ("stop", "stop_text")


def test_a_stop_text_inside_the_thoughts_ends_nothing(demo: LoadedModel) -> None:
    prompt = "What is the capital of France?"
    events, _finished = ask(demo, prompt, limit=200)
    thought, answer = text_of(events, ThinkingDelta), text_of(events)
    word = next(w for w in thought.split() if w not in answer)
    sampling = Sampling(temperature=0, stop=(word,))
    events, finished = ask(demo, prompt, limit=200, sampling=sampling)
    assert text_of(events, ThinkingDelta) == thought
    assert text_of(events) == answer
    assert finished.detail == ""


def test_an_answer_that_goes_round_is_stopped_unless_that_is_wanted(
    tiny_model: LoadedModel,
) -> None:
    _events, finished = ask(tiny_model, "hi", limit=1500)
    assert (finished.reason, finished.detail) == ("length", "loop")
    assert finished.usage.answer_tokens < 1500
    _events, finished = ask(tiny_model, "hi", limit=1500, loop_guard=False)
    assert (finished.reason, finished.detail) == ("length", "")
    assert finished.usage.answer_tokens == 1500


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=0, presence_penalty=1.9),
        Sampling(temperature=0, frequency_penalty=1.9),
        Sampling(temperature=0, repetition_penalty=1.9),
    ],
    ids=["presence", "frequency", "repetition"],
)
def test_a_penalty_keeps_an_answer_out_of_the_circle(
    tiny_model: LoadedModel, sampling: Sampling
) -> None:
    plain = text_of(ask(tiny_model, "hi", limit=60)[0])
    text = text_of(ask(tiny_model, "hi", limit=60, sampling=sampling)[0])
    assert len(set(text)) > len(set(plain))


def test_the_first_token_is_timed_from_the_request(tiny_model: LoadedModel) -> None:
    _events, finished = ask(tiny_model, "x" * 2000, limit=3)
    usage = finished.usage
    assert usage.prefill_s <= usage.first_token_s
    assert usage.first_token_s <= usage.prefill_s + usage.decode_s
    _events, finished = ask(tiny_model, "x" * 2000, cancel_when=lambda e: len(e) > 1)
    assert finished.usage.first_token_s == 0
