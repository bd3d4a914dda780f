"""Trains the demo model from a seed: `python -m qwen_tui.demo.train --out DIR`.

A real Qwen3ForCausalLM of about a million parameters learns a few skills from
synthetic English and Chinese dialogues (see `turns.py` and `dialogues.py`). It knows
nothing else and says so. It exists so that a first run needs no network and so that
every test of the program can take the real path.

The committed folder `model/` came from this script with RECIPE as it stands. The same
seed gives the same data and the same start everywhere, and an equally able model; the
bits of the weights are not promised to be equal across machines and thread counts.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import torch
from torch import Tensor, nn
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from qwen_tui.demo.dialogues import draw_dialogue
from qwen_tui.demo.examples import IGNORED, Batch, batches, render
from qwen_tui.demo.tokenizer import (
    CONTEXT_LENGTH,
    END_OF_TEXT,
    END_OF_TURN,
    train_tokenizer,
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stretch of training with its own data and its own optimizer."""

    steps: int
    learning_rate: float
    """The peak: reached by a linear warm-up, held, then led linearly to zero."""
    decay_steps: int
    """Steps at the end over which the learning rate falls."""
    warmup_steps: int = 100
    rehearsal: float = 0.0
    """Share of the dialogues that rehearse what people are likeliest to try."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights."""

    seed: int = 7
    """Decides the first weights and the data: stage n draws from seed + n."""
    stages: tuple[Stage, ...] = (
        Stage(steps=5000, learning_rate=2e-3, decay_steps=1500),
        Stage(steps=2500, learning_rate=1e-3, decay_steps=2500),
        Stage(steps=1800, learning_rate=1e-3, decay_steps=1800, rehearsal=0.5),
        Stage(steps=3000, learning_rate=1e-3, decay_steps=3000, rehearsal=0.12),
    )
    """Each starts from the bfloat16 weights the one before it saved."""
    batch_tokens: int = 2048
    """Positions in one step's batch, padding included."""
    weight_decay: float = 0.1
    vocabulary: int = 1024
    tokenizer_dialogues: int = 20_000
    """Dialogues the tokenizer's merges are learned from."""


RECIPE = Recipe()
"""The seed and the steps that produced the committed weights."""


def shortened(recipe: Recipe, steps: int) -> Recipe:
    """Scales every stage so that all of them together take about `steps` steps."""
    share = steps / sum(stage.steps for stage in recipe.stages)
    stages = tuple(
        replace(
            stage,
            steps=max(1, round(stage.steps * share)),
            decay_steps=max(1, round(stage.decay_steps * share)),
            warmup_steps=max(1, round(stage.warmup_steps * min(1.0, share))),
        )
        for stage in recipe.stages
    )
    return replace(recipe, stages=stages)


def build_tokenizer(recipe: Recipe) -> PreTrainedTokenizerFast:
    """Trains the tokenizer on dialogues drawn from the recipe's seed."""
    rng = Random(recipe.seed)
    texts = (
        "".join(piece.text for piece in render(draw_dialogue(rng, True), rng))
        for _ in range(recipe.tokenizer_dialogues)
    )
    return train_tokenizer(texts, recipe.vocabulary)


def build_model(tokenizer: PreTrainedTokenizerFast) -> Qwen3ForCausalLM:
    """Makes the untrained model in float32; torch's global seed decides its weights."""
    end_of_turn, padding = _stops(tokenizer)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=CONTEXT_LENGTH,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=True,
        initializer_range=0.05,
        eos_token_id=end_of_turn,
        pad_token_id=padding,
    )
    return Qwen3ForCausalLM(config)


def generation_defaults(tokenizer: PreTrainedTokenizerFast) -> GenerationConfig:
    """Qwen3's preset for thinking, and where to stop."""
    stops = _stops(tokenizer)
    return GenerationConfig(
        do_sample=True,
        temperature=0.6,  # Qwen3 model card, thinking mode, as the two below
        top_p=0.95,
        top_k=20,
        eos_token_id=stops,
        pad_token_id=stops[1],
    )


def _stops(tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """The ids that end a turn and, also used for padding, a text."""
    return [tokenizer.get_vocab()[token] for token in (END_OF_TURN, END_OF_TEXT)]


def batch_loss(model: Qwen3ForCausalLM, batch: Batch) -> Tensor:
    """Mean cross entropy over the learned positions; only those reach the head."""
    hidden = model.model(input_ids=batch.input_ids, use_cache=False).last_hidden_state
    learned = batch.labels != IGNORED
    logits = model.lm_head(hidden[learned])
    return nn.functional.cross_entropy(logits, batch.labels[learned])


def make_optimizer(
    model: nn.Module, learning_rate: float, weight_decay: float
) -> torch.optim.AdamW:
    """AdamW whose decay spares the norms."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim == 1]
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.95))


def learning_rate_factor(step: int, stage: Stage) -> float:
    """Share of the peak learning rate at `step`, counted from 0."""
    rising = (step + 1) / stage.warmup_steps
    falling = (stage.steps - step) / stage.decay_steps
    return max(0.0, min(1.0, rising, falling))


def train(
    model: Qwen3ForCausalLM, stream: Iterator[Batch], stage: Stage, weight_decay: float
) -> Iterator[tuple[int, float]]:
    """Trains in place, yielding each finished step's number and loss."""
    optimizer = make_optimizer(model, stage.learning_rate, weight_decay)

    def factor(step: int) -> float:
        return learning_rate_factor(step, stage)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    model.train()
    for step in range(1, stage.steps + 1):
        loss = batch_loss(model, next(stream))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        yield step, loss.item()


def report(progress: Iterator[tuple[int, float]], every: int = 100) -> None:
    """Runs the training to its end and prints the mean loss now and then."""
    started = time.monotonic()
    total = 0.0
    for step, loss in progress:
        total += loss
        if step % every == 0:
            seconds = time.monotonic() - started
            print(f"step {step}: loss {total / every:.4f}, {seconds:.0f} s", flush=True)
            total = 0.0


def save(
    model: Qwen3ForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path
) -> None:
    """Writes the folder any program for Qwen3 can load, weights as bfloat16."""
    half = Qwen3ForCausalLM(model.config)
    half.load_state_dict(model.state_dict())
    half.bfloat16()
    half.generation_config = generation_defaults(tokenizer)
    half.save_pretrained(folder)
    tokenizer.save_pretrained(folder, save_jinja_files=False)


def main() -> None:
    """Trains stage by stage, saving after each, and prints the loss now and then."""
    options = _arguments()
    recipe = shortened(replace(RECIPE, seed=options.seed), options.steps)
    torch.set_num_threads(options.threads)
    torch.manual_seed(recipe.seed)
    tokenizer = build_tokenizer(recipe)
    model = build_model(tokenizer)
    print(f"{model.num_parameters():,} parameters, {len(tokenizer)} tokens")
    for number, stage in enumerate(recipe.stages):
        if number > 0:
            model = Qwen3ForCausalLM.from_pretrained(options.out, dtype=torch.float32)
        seed = recipe.seed + number
        stream = batches(tokenizer, seed, recipe.batch_tokens, stage.rehearsal)
        report(train(model, stream, stage, recipe.weight_decay))
        save(model, tokenizer, options.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train qwen-tui's demo model.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    all_steps = sum(stage.steps for stage in RECIPE.stages)
    parser.add_argument("--steps", type=int, default=all_steps, help="of all stages")
    parser.add_argument("--seed", type=int, default=RECIPE.seed)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
