"""Token ids become text as they come, never half a character."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from qwen_tui.engine.detokenize import Detokenizer
from tests import models

pytestmark = pytest.mark.torch

_GOLDEN = json.loads(
    (models.REPOSITORY / "tests" / "data" / "golden.json").read_text(encoding="utf-8")
)


@cache
def _load(folder: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


@pytest.mark.parametrize("case", _GOLDEN["decoding"], ids=lambda case: case["text"][:8])
def test_golden_ids_come_out_as_whole_characters(case: dict[str, Any]) -> None:
    detokenizer = Detokenizer(_load(models.genuine_qwen3_tokenizer()))
    pieces = [detokenizer.push(i) for i in case["ids"]]
    assert "".join(pieces) == case["text"]
    assert "\ufffd" not in "".join(pieces)


def test_bytes_that_make_no_character_do_not_hold_back_the_rest(tiny: Path) -> None:
    tokenizer = _load(tiny)
    detokenizer = Detokenizer(tokenizer)
    lead_byte = tokenizer.encode("你")[0]
    broken = "".join(detokenizer.push(lead_byte) for _ in range(50))
    assert set(broken) == {"\ufffd"}
    rest = "".join(detokenizer.push(i) for i in tokenizer.encode("and on"))
    assert rest.endswith("and on")


def test_special_tokens_are_not_shown(tiny: Path) -> None:
    tokenizer = _load(tiny)
    detokenizer = Detokenizer(tokenizer)
    ids = tokenizer.encode("a<|endoftext|>b<think>")
    assert "".join(map(detokenizer.push, ids)) == "ab<think>"
