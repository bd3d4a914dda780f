"""From dialogues to batches: rendered text, token ids, and which ids are learned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from qwen_tui.demo.dialogues import Dialogue, draw_dialogue

IGNORED = -100
"""Label of a position that is not learned; the value cross_entropy skips."""

LONGEST = 768
"""Longest dialogue trained on, in tokens; longer draws are dropped."""

_POOL = 1024
"""Dialogues drawn at once and sorted by length, which keeps padding rare."""

_EARLY_STOP = (
    "Considering the limited time by the user, I have to give the solution based on the"
    " thinking directly now."
)
"""Qwen3's documented sentence for a thought whose budget ran out."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a rendered dialogue that is tokenised on its own."""

    text: str
    unlearned: int | None = None
    """Tokens at the start that are not learned; None learns nothing of the piece."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Dialogues padded on the right; attention is causal, so padding is never seen."""

    input_ids: Tensor
    """(batch, length) int64."""
    labels: Tensor
    """(batch, length) int64: at each position the id that follows, or IGNORED."""


def render(dialogue: Dialogue, rng: Random) -> tuple[Piece, ...]:
    """Renders a dialogue as the chat template does, cut where learning begins.

    A past answer has lost its thought, yet a new answer must begin with one; so the
    first token of past answers is not learned, the rest of them is.
    """
    pieces: list[Piece] = []
    opened = ""
    if dialogue.system is not None:
        opened = f"<|im_start|>system\n{dialogue.system}<|im_end|>\n"
    for turn in dialogue.turns[:-1]:
        pieces.append(Piece(opened + _question(turn.user)))
        answer = f"{turn.answer}<|im_end|>"
        pieces.append(Piece(answer, None if turn.stopped else 1))
        opened = "\n"
    prompt, completion = _last_answer(dialogue, rng)
    pieces.append(Piece(opened + _question(dialogue.turns[-1].user) + prompt))
    pieces.append(Piece(completion, 0))
    return tuple(pieces)


def _question(user: str) -> str:
    return f"<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n"


def _last_answer(dialogue: Dialogue, rng: Random) -> tuple[str, str]:
    """What is given of the last answer and what the model must write."""
    last = dialogue.turns[-1]
    written = f"{last.answer}<|im_end|>"
    empty = "<think>\n\n</think>\n\n"
    if not dialogue.thinking:
        return empty, written
    if dialogue.ending == "no_think":
        return "", empty + written
    if dialogue.ending == "cut":
        kept = last.thought[: rng.randint(0, len(last.thought))]
        reason = rng.choice(("", f"\n\n{_EARLY_STOP}"))
        return f"<think>\n{kept}{reason}\n</think>\n\n", written
    return "", f"<think>\n{last.thought}\n</think>\n\n{written}"


def encode(
    tokenizer: PreTrainedTokenizerFast, rendered: Sequence[tuple[Piece, ...]]
) -> list[tuple[list[int], list[int]]]:
    """Turns rendered dialogues into token ids and labels of equal length."""
    texts = [piece.text for pieces in rendered for piece in pieces]
    encoded = iter(tokenizer.backend_tokenizer.encode_batch_fast(texts))
    results: list[tuple[list[int], list[int]]] = []
    for pieces in rendered:
        ids: list[int] = []
        learned: list[int] = []
        for piece in pieces:
            new: list[int] = next(encoded).ids
            skipped = len(new) if piece.unlearned is None else piece.unlearned
            ids += new
            learned += [IGNORED] * skipped + new[skipped:]
        results.append((ids, [*learned[1:], IGNORED]))
    return results


def batches(
    tokenizer: PreTrainedTokenizerFast,
    seed: int,
    batch_tokens: int,
    rehearsal: float = 0.0,
) -> Iterator[Batch]:
    """Yields batches of fresh dialogues for ever, half of them thinking.

    Args:
        tokenizer: The tokenizer the model is trained with.
        seed: Decides every dialogue and their order.
        batch_tokens: Positions a batch holds at most, padding included.
        rehearsal: Share of dialogues that rehearse what people are likeliest to try.
    """
    rng = Random(seed)
    while True:
        drawn = [
            draw_dialogue(rng, rng.random() < 0.5, rehearsal) for _ in range(_POOL)
        ]
        encoded = encode(tokenizer, [render(d, rng) for d in drawn])
        encoded = sorted((e for e in encoded if len(e[0]) <= LONGEST), key=_length)
        groups: list[list[tuple[list[int], list[int]]]] = [[]]
        for example in encoded:
            if len(example[0]) * (len(groups[-1]) + 1) > batch_tokens:
                groups.append([])
            groups[-1].append(example)
        rng.shuffle(groups)
        for group in groups:
            yield _padded(group)


def _length(example: tuple[list[int], list[int]]) -> int:
    return len(example[0])


def _padded(group: Sequence[tuple[list[int], list[int]]]) -> Batch:
    length = max(len(ids) for ids, _ in group)
    input_ids = torch.zeros((len(group), length), dtype=torch.long)
    labels = torch.full((len(group), length), IGNORED)
    for row, (ids, learned) in enumerate(group):
        input_ids[row, : len(ids)] = torch.tensor(ids)
        labels[row, : len(ids)] = torch.tensor(learned)
    return Batch(input_ids, labels)
