"""The committed demo model: its size, its template, its manners and its skills."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    GenerationConfig,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from qwen_tui.demo import MODEL_FOLDER
from qwen_tui.demo.dialogues import Dialogue, draw_dialogue
from qwen_tui.demo.evaluate import (
    MODES,
    Mode,
    Model,
    Reply,
    fresh_dialogues,
    messages_of,
    right_answers,
    subjects,
)
from qwen_tui.demo.examples import encode, render
from qwen_tui.demo.train import generation_defaults
from qwen_tui.demo.turns import Turn

pytestmark = pytest.mark.torch

THINK, NO_THINK = MODES[0], MODES[1]


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Model(MODEL_FOLDER)
    torch.set_num_threads(threads)


def ask(model: Model, *users: str, thinking: bool, system: str | None = None) -> Reply:
    """Holds a dialogue: every answer but the last comes from the model as well."""
    turns: tuple[Turn, ...] = ()
    mode = THINK if thinking else NO_THINK
    reply = Reply("", "", stopped=False)
    for user in users:
        turns = (*turns, Turn("", user, "", ""))
        (reply,) = model.reply([Dialogue(system, turns, thinking)], mode)
        turns = (*turns[:-1], replace(turns[-1], answer=reply.answer))
    return reply


def test_the_folder_is_under_four_megabytes_and_holds_no_code() -> None:
    files = [path for path in MODEL_FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 4_000_000
    assert {path.name for path in files} == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_plain_auto_classes_load_a_qwen3_in_bfloat16_without_remote_code() -> None:
    network = AutoModelForCausalLM.from_pretrained(
        MODEL_FOLDER, trust_remote_code=False
    )
    assert isinstance(network, Qwen3ForCausalLM)
    assert network.dtype == torch.bfloat16
    assert isinstance(network.config, Qwen3Config)
    assert network.config.num_key_value_heads == 2
    assert 800_000 < network.num_parameters() < 1_200_000
    assert network.config.num_attention_heads == 4
    assert network.config.tie_word_embeddings


def test_the_defaults_are_qwen3s_thinking_preset_and_its_stop_tokens(
    model: Model,
) -> None:
    defaults = GenerationConfig.from_pretrained(MODEL_FOLDER)
    assert defaults.to_dict() == generation_defaults(model.tokenizer).to_dict()
    assert (defaults.do_sample, defaults.temperature) == (True, 0.6)
    assert (defaults.top_p, defaults.top_k) == (0.95, 20)
    stops = model.tokenizer.convert_ids_to_tokens(defaults.eos_token_id)
    assert stops == ["<|im_end|>", "<|endoftext|>"]


def test_decoding_without_special_tokens_hides_turns_but_shows_think_tags(
    model: Model,
) -> None:
    text = "<|im_start|><think>hm</think><tool_call></tool_call>done<|im_end|>"
    ids = model.tokenizer.encode(text)
    shown = "<think>hm</think><tool_call></tool_call>done"
    assert model.tokenizer.decode(ids, skip_special_tokens=True) == shown


@pytest.mark.parametrize(
    "text", ["2048", "王小明", "naïve Zoë", "👩‍👩‍👧 ok\n\n```py\n"]
)
def test_any_text_survives_the_tokenizer(model: Model, text: str) -> None:
    ids = model.tokenizer.encode(text)
    assert model.tokenizer.decode(ids) == text
    if text.isdigit():
        assert len(ids) == len(text)


def template_cases() -> list[dict[str, Any]]:
    """Histories of every odd shape, rendered once by Qwen3's own template."""
    path = Path(__file__).with_name("template_cases.json")
    return json.loads(path.read_text("utf-8"))["prompts"]


@pytest.mark.parametrize(
    "case", template_cases(), ids=lambda case: str(case["name"]).replace(" ", "_")
)
def test_the_template_renders_odd_histories_as_qwen3s_own_does(
    model: Model, case: dict[str, Any]
) -> None:
    rendered = model.tokenizer.apply_chat_template(
        case["messages"], tokenize=False, **case["template_kwargs"]
    )
    assert rendered == case["text"]


def test_the_template_renders_the_golden_prompts_as_qwen3s_own_does(
    model: Model,
) -> None:
    golden = Path(__file__).parents[1] / "data" / "golden.json"
    if not golden.exists():
        pytest.skip("tests/data/golden.json is absent")
    for prompt in json.loads(golden.read_text("utf-8"))["prompts"]:
        rendered = model.tokenizer.apply_chat_template(
            prompt["messages"], tokenize=False, **prompt["template_kwargs"]
        )
        assert rendered == prompt["text"], prompt["name"]


@pytest.mark.parametrize("thinking", [True, False])
def test_training_text_is_what_the_chat_template_renders(
    model: Model, thinking: bool
) -> None:
    rng = Random(5)
    for _ in range(40):
        dialogue = replace(draw_dialogue(rng, thinking), ending="plain")
        last = dialogue.turns[-1]
        answer = {"role": "assistant", "content": last.answer}
        answer["reasoning_content"] = last.thought if thinking else ""
        expected = model.tokenizer.apply_chat_template(
            [*messages_of(dialogue), answer], return_dict=False
        )
        ((ids, labels),) = encode(model.tokenizer, [render(dialogue, rng)])
        assert [*ids, *model.tokenizer.encode("\n")] == expected
        assert len(labels) == len(ids)
        assert model.tokenizer.decode(labels[-2]) == "<|im_end|>"


@pytest.mark.parametrize("mode", [THINK, NO_THINK], ids=lambda mode: mode.name)
def test_a_handful_of_fresh_draws_of_each_skill_is_right(
    model: Model, mode: Mode
) -> None:
    asked = {
        name: fresh_dialogues(name, 5, thinking=mode.thinking) for name in subjects()
    }
    replies = iter(model.reply([d for group in asked.values() for d in group], mode))
    for name, dialogues in asked.items():
        answered = [(dialogue, next(replies)) for dialogue in dialogues]
        right = [r for d, r in answered if r.answer in right_answers(d)]
        assert all(reply.stopped for _, reply in answered), name
        assert len(right) >= len(answered) - 1, answered
        assert all(bool(reply.thought) == mode.thinking for reply in right), name


@pytest.mark.parametrize("thinking", [True, False])
@pytest.mark.parametrize("system", [None, "You are terse."])
def test_a_told_name_is_recalled_in_later_turns(
    model: Model, thinking: bool, system: str | None
) -> None:
    told = "My name is Ada."
    asked = "What is my name?"
    for users in ((told, asked), (told, asked, asked), (told, "2 + 3?", asked, asked)):
        reply = ask(model, *users, thinking=thinking, system=system)
        assert reply.answer == "Your name is Ada."


def test_a_told_name_is_recalled_in_chinese(model: Model) -> None:
    reply = ask(
        model, "我叫小明", "法国的首都是哪里？", "我叫什么名字？", thinking=True
    )
    assert "小明" in reply.answer
    assert reply.thought


def test_counting_gives_a_long_answer_that_stops(model: Model) -> None:
    reply = ask(model, "Count to 60", thinking=True)
    assert reply.answer == ", ".join(str(n) for n in range(1, 61))
    assert reply.stopped


def test_the_soft_switch_in_a_message_gives_an_empty_thought(model: Model) -> None:
    reply = ask(model, "What is the capital of France? /no_think", thinking=True)
    assert reply == Reply("", "The capital of France is Paris.", stopped=True)
