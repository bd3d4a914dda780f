"""The tokens that steer a model, and how a text is tokenised without them."""

import json
import re
from collections.abc import Iterable
from functools import cached_property
from typing import cast

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast


class ControlTokens:
    """A tokenizer's added tokens, such as `<|im_start|>` and `<think>`.

    `split_special_tokens=True` of transformers is no help: in Qwen3 `<think>` is an
    added token that is not special.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._backend = cast(Tokenizer, tokenizer.backend_tokenizer)
        # some tokenizers add runs of blanks; those steer nothing
        added = cast(PreTrainedTokenizerFast, tokenizer).get_added_vocab()
        self._ids = {text: i for text, i in added.items() if text.strip()}
        longest_first = sorted(self._ids, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def occur_in(self, text: str) -> bool:
        """Tell whether the tokenizer would find a control token in `text`."""
        if self._pattern.search(text):
            return True
        normalizer = self._backend.normalizer
        if normalizer is None or text.isascii():
            return False
        return bool(self._pattern.search(normalizer.normalize_str(text)))

    def encode(self, parts: Iterable[tuple[str, bool]]) -> list[int]:
        """Return the ids of a prompt whose control tokens are the template's alone.

        Args:
            parts: Its texts in order, each with whether it is an outside one.
        """
        ids: list[int] = []
        run = ""  # between two control tokens the text is tokenised as one
        for text, outside in parts:
            if outside:
                run += text
                continue
            end = 0
            for found in self._pattern.finditer(text):
                ids += self._plain_ids(run + text[end : found.start()])
                ids.append(self._ids[found.group()])
                run, end = "", found.end()
            run += text[end:]
        return ids + self._plain_ids(run)

    @cached_property
    def _plain(self) -> Tokenizer:
        body = json.loads(self._backend.to_str())
        body["added_tokens"] = []
        return Tokenizer.from_str(json.dumps(body))

    def _plain_ids(self, text: str) -> list[int]:
        ids: list[int] = self._plain.encode(text, add_special_tokens=False).ids
        if set(ids).isdisjoint(self._ids.values()):
            return ids
        # a vocabulary that holds its control tokens as ordinary pieces as well
        return [
            i for c in text for i in self._plain.encode(c, add_special_tokens=False).ids
        ]
