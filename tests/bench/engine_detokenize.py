"""Ids to text as they come, against TextStreamer, which decodes the line anew."""

from collections.abc import Iterator

import torch
from transformers import PreTrainedTokenizerBase, TextStreamer

from qwen_tui.engine.detokenize import Detokenizer
from qwen_tui.engine.model import LoadedModel
from tests.bench.engine_ours import seconds
from tests.bench.measure import Row, in_turn

N_TOKENS = 8192
FIRST_WORD = 1000  # behind the bytes, which hold the newline
GOAL = 0.01
ROUNDS = 3


def detokenize_rows(fast: LoadedModel, _plain: LoadedModel) -> Iterator[Row]:
    tokenizer = fast.tokenizer
    ids = [FIRST_WORD + i for i in range(N_TOKENS)]
    pair = in_turn(
        lambda: seconds(lambda: _ours(tokenizer, ids)),
        lambda: seconds(lambda: _theirs(tokenizer, ids)),
        rounds=ROUNDS,
    )
    detail = f"{pair.ours * 1000:.0f} ms against {pair.theirs:.1f} s"
    what = f"detokenising {N_TOKENS} tokens without newlines, against TextStreamer"
    yield Row(what, pair.ratio, "x", GOAL, at_least=False, detail=detail)


def _ours(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> None:
    detokenizer = Detokenizer(tokenizer)
    for token_id in ids:
        detokenizer.push(token_id)


def _theirs(tokenizer: PreTrainedTokenizerBase, ids: list[int]) -> None:
    streamer = _Silent(tokenizer)
    for token_id in ids:
        streamer.put(torch.tensor([token_id]))
    streamer.end()


class _Silent(TextStreamer):
    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        pass
