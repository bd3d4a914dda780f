"""The training script: repeatable from its seed, and it writes a folder that loads."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from qwen_tui.demo import MODEL_FOLDER
from qwen_tui.demo.examples import IGNORED, LONGEST, batches
from qwen_tui.demo.train import (
    RECIPE,
    Stage,
    build_model,
    build_tokenizer,
    learning_rate_factor,
    save,
    shortened,
    train,
)

pytestmark = pytest.mark.torch

SMALL = replace(RECIPE, tokenizer_dialogues=300, batch_tokens=256)
STAGE = Stage(steps=3, learning_rate=1e-3, decay_steps=1, warmup_steps=1)


def losses_of_a_short_training(folder: Path) -> list[float]:
    torch.manual_seed(SMALL.seed)
    tokenizer = build_tokenizer(SMALL)
    model = build_model(tokenizer)
    stream = batches(tokenizer, SMALL.seed, SMALL.batch_tokens)
    losses = [loss for _, loss in train(model, stream, STAGE, SMALL.weight_decay)]
    save(model, tokenizer, folder)
    return losses


def test_one_seed_trains_the_same_model_twice_into_a_folder_that_loads(
    tmp_path: Path,
) -> None:
    losses = losses_of_a_short_training(tmp_path / "first")
    assert losses == pytest.approx(losses_of_a_short_training(tmp_path / "second"))
    assert losses[-1] < losses[0]
    network = AutoModelForCausalLM.from_pretrained(tmp_path / "first")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "first")
    committed = {path.name for path in MODEL_FOLDER.iterdir()}
    assert {path.name for path in (tmp_path / "first").iterdir()} == committed
    assert network.dtype == torch.bfloat16
    assert tokenizer.decode(network.config.eos_token_id) == "<|im_end|>"


def test_only_what_the_assistant_writes_is_learned() -> None:
    tokenizer = build_tokenizer(SMALL)
    end = tokenizer.get_vocab()["<|im_end|>"]
    begin = tokenizer.get_vocab()["<|im_start|>"]
    for batch in islice(batches(tokenizer, seed=1, batch_tokens=1024), 20):
        assert batch.input_ids.shape == batch.labels.shape
        assert batch.input_ids.shape[1] <= LONGEST
        learned = batch.labels[:, :-1] != IGNORED
        following = batch.input_ids[:, 1:]
        assert torch.equal(batch.labels[:, :-1][learned], following[learned])
        assert begin not in batch.labels
        assert torch.all((batch.labels == end).sum(dim=1) >= 1)


def test_the_learning_rate_rises_holds_and_falls_to_nothing() -> None:
    stage = Stage(steps=100, learning_rate=1.0, decay_steps=50, warmup_steps=10)
    factors = [learning_rate_factor(step, stage) for step in range(101)]
    assert factors[0] == pytest.approx(0.1)
    assert factors[9:51] == [1.0] * 42
    assert factors[75] == pytest.approx(0.5)
    assert factors[100] == 0.0


def test_a_shortened_recipe_keeps_the_stages_in_proportion() -> None:
    steps = sum(stage.steps for stage in RECIPE.stages)
    assert shortened(RECIPE, steps) == RECIPE
    half = shortened(RECIPE, steps // 2)
    for before, after in zip(RECIPE.stages, half.stages, strict=True):
        assert after.steps == before.steps // 2
        assert after.rehearsal == before.rehearsal
