"""Measures the demo model: `python -m qwen_tui.demo.evaluate [--model DIR]`.

Dialogues are drawn afresh from a seed the training never used. Per skill and way of
decoding the table shows how many answers are exactly right, how many end by
themselves, and how many think when they should and only then.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedTokenizerFast,
)

from qwen_tui.demo import MODEL_FOLDER
from qwen_tui.demo.dialogues import (
    Dialogue,
    any_language,
    ask_name,
    other_turn,
    recall_turns,
    system_prompt,
    tell_name,
)
from qwen_tui.demo.turns import CLOSED_SKILLS, Turn
from qwen_tui.demo.unknown import statement, unknown

EVALUATION_SEED = 1_000_003
"""No training seed, so the draws are fresh."""

LONGEST_ANSWER = 640
"""Tokens an answer may take; counting to 100 takes about 400."""

MULTI_TURN_RECALL = {"name, 1-3 between": (1, 3), "name, 4-6 between": (4, 6)}
"""Skills that recall a name after other turns: how many, at least and at most."""

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Mode:
    """One way of decoding."""

    name: str
    thinking: bool
    sampling: dict[str, float] | None
    """Arguments of a GenerationConfig; None decodes greedily."""


MODES = (
    Mode("think, greedy", thinking=True, sampling=None),
    Mode("no think, greedy", thinking=False, sampling=None),
    Mode(  # Qwen3 model card, as the one below
        "think, preset",
        thinking=True,
        sampling={"temperature": 0.6, "top_p": 0.95, "top_k": 20},
    ),
    Mode(
        "no think, preset",
        thinking=False,
        sampling={"temperature": 0.7, "top_p": 0.8, "top_k": 20},
    ),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model wrote for one dialogue."""

    thought: str
    answer: str
    stopped: bool
    """Whether the model ended its turn itself."""


@dataclass(frozen=True, slots=True)
class Score:
    """Shares of the draws, from 0 to 1."""

    exact: float
    stopped: float
    thinking: float
    """Thought when thinking was on and did not when it was off."""


def _after_small_talk(
    draw: Callable[[Random], Turn],
) -> Callable[[Random], tuple[Turn, ...]]:
    def turns(rng: Random) -> tuple[Turn, ...]:
        before = rng.choice((0, 0, 0, 1, 2, 3))
        history = (other_turn(rng, any_language(rng)) for _ in range(before))
        return (*history, draw(rng))

    return turns


def _recall(least: int, most: int) -> Callable[[Random], tuple[Turn, ...]]:
    return lambda rng: recall_turns(rng, any_language(rng), rng.randint(least, most))


def subjects() -> dict[str, Callable[[Random], tuple[Turn, ...]]]:
    """Every skill by name, with what draws dialogues that end in it."""
    singles: dict[str, Callable[[Random], Turn]] = {
        skill.__name__: lambda rng, skill=skill: skill(rng, any_language(rng))
        for skill in (*(skill for skill, _ in CLOSED_SKILLS), unknown, statement)
    }
    singles["told a name"] = lambda rng: tell_name(rng, any_language(rng))[0]
    singles["name not told"] = lambda rng: ask_name(rng, any_language(rng), None)
    recall = {"name at once": (0, 0)} | MULTI_TURN_RECALL
    return {name: _after_small_talk(draw) for name, draw in singles.items()} | {
        name: _recall(*between) for name, between in recall.items()
    }


def messages_of(dialogue: Dialogue) -> list[dict[str, str]]:
    """The dialogue as chat messages, up to and with the last question."""
    messages: list[dict[str, str]] = []
    if dialogue.system is not None:
        messages.append({"role": "system", "content": dialogue.system})
    for turn in dialogue.turns[:-1]:
        messages.append({"role": "user", "content": turn.user})
        messages.append({"role": "assistant", "content": turn.answer})
    return [*messages, {"role": "user", "content": dialogue.turns[-1].user}]


class Model:
    """A loaded model folder that answers dialogues in batches."""

    def __init__(self, folder: Path, dtype: torch.dtype = torch.bfloat16) -> None:
        """Loads with the Auto classes, as any program would."""
        tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        assert isinstance(tokenizer, PreTrainedTokenizerFast)
        self.tokenizer = tokenizer
        network: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
        network.generation_config = GenerationConfig()  # each mode brings its own
        self.network = network.eval()

    def reply(self, dialogues: Sequence[Dialogue], mode: Mode) -> list[Reply]:
        """Answers the last question of each dialogue in one batch."""
        prompts = [
            str(
                self.tokenizer.apply_chat_template(
                    messages_of(dialogue),
                    tokenize=False,
                    add_generation_prompt=True,
                    enable_thinking=mode.thinking,
                )
            )
            for dialogue in dialogues
        ]
        inputs = self.tokenizer(prompts, return_tensors="pt", padding=True)
        with torch.inference_mode():
            output = self.network.generate(**inputs, generation_config=self._how(mode))
        written: list[list[int]] = output[:, inputs["input_ids"].shape[1] :].tolist()
        return [self._split(ids, mode) for ids in written]

    def _how(self, mode: Mode) -> GenerationConfig:
        return GenerationConfig(
            max_new_tokens=LONGEST_ANSWER,
            eos_token_id=self.tokenizer.eos_token_id,
            pad_token_id=self.tokenizer.pad_token_id,
            do_sample=mode.sampling is not None,
            **(mode.sampling or {}),
        )

    def _split(self, ids: list[int], mode: Mode) -> Reply:
        end = self.tokenizer.eos_token_id
        stopped = end in ids
        text = str(self.tokenizer.decode(ids[: ids.index(end)] if stopped else ids))
        thought, closed, answer = text.rpartition("</think>")
        if not closed:
            return Reply("", answer if not mode.thinking else "", stopped)
        return Reply(
            thought.removeprefix("<think>").strip("\n"), answer.strip("\n"), stopped
        )


def right_answers(dialogue: Dialogue) -> tuple[str, ...]:
    """Every answer to the last question that counts as exact."""
    asked = dialogue.turns[-1]
    return (asked.answer, *asked.also_right)


def fresh_dialogues(name: str, draws: int, *, thinking: bool) -> list[Dialogue]:
    """Draws dialogues that end in the named skill; the same ones every time."""
    rng = Random(f"{EVALUATION_SEED} {name} {thinking}")
    draw = subjects()[name]
    return [Dialogue(system_prompt(rng), draw(rng), thinking) for _ in range(draws)]


def score(
    model: Model, name: str, mode: Mode, draws: int
) -> tuple[Score, list[tuple[Dialogue, Reply]]]:
    """Scores one skill in one mode; also returns the dialogues answered wrongly."""
    dialogues = fresh_dialogues(name, draws, thinking=mode.thinking)
    replies: list[Reply] = []
    for start in range(0, draws, _BATCH):
        replies += model.reply(dialogues[start : start + _BATCH], mode)
    pairs = list(zip(dialogues, replies, strict=True))
    wrong = [(d, r) for d, r in pairs if r.answer not in right_answers(d)]
    thinking = sum(bool(reply.thought) == mode.thinking for reply in replies)
    stopped = sum(reply.stopped for reply in replies)
    exact = draws - len(wrong)
    return Score(exact / draws, stopped / draws, thinking / draws), wrong


def table(model: Model, draws: int, *, show_wrong: bool) -> Iterator[str]:
    """Yields the lines of the table, one skill and mode each, as they are measured."""
    yield f"{'skill':20}{'decoding':20}{'exact':>8}{'stopped':>9}{'thinking':>10}"
    recalled: list[float] = []
    for name in subjects():
        for mode in MODES:
            result, wrong = score(model, name, mode, draws)
            shares = (result.exact, result.stopped, result.thinking)
            cells = "".join(f"{share:>9.1%}" for share in shares)
            yield f"{name:20}{mode.name:20}{cells}"
            if name in MULTI_TURN_RECALL:
                recalled.append(result.exact)
            for dialogue, reply in wrong if show_wrong else ():
                asked = dialogue.turns[-1]
                yield f"    {asked.user!r} -> {reply.answer!r}, not {asked.answer!r}"
    mean = sum(recalled) / len(recalled)
    yield f"{'names over turns':20}{'all of the above':20}{mean:>9.1%}"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description="Measure qwen-tui's demo model.")
    parser.add_argument("--model", type=Path, default=MODEL_FOLDER, help="its folder")
    parser.add_argument("--draws", type=int, default=100, help="per skill and decoding")
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--show-wrong", action="store_true", help="print each mistake")
    options = parser.parse_args()
    torch.manual_seed(EVALUATION_SEED)
    started = time.monotonic()
    model = Model(options.model, getattr(torch, options.dtype))
    for line in table(model, options.draws, show_wrong=options.show_wrong):
        print(line, flush=True)
    print(f"{options.draws} draws a line, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
