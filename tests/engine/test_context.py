"""The context is the model's, less by choice, or more by YaRN."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig

from qwen_tui.engine.context import stretch_by_yarn
from qwen_tui.engine.model import LoadedModel
from qwen_tui.errors import UsageError
from qwen_tui.wire_engine import LoadOptions
from tests import models
from tests.engine.test_model import _load

pytestmark = pytest.mark.torch

# Source: Qwen3 model card, "Processing Long Texts"
ROPE = {
    "rope_type": "yarn",
    "rope_theta": 10000.0,
    "factor": 4.0,
    "original_max_position_embeddings": 4096,
}


def _logits(model: LoadedModel) -> torch.Tensor:
    ids = torch.arange(200)[None] % 256
    with torch.inference_mode():
        return model.model(input_ids=ids).logits


def test_yarn_is_what_its_parameters_in_the_config_make(
    tiny: Path, tmp_path: Path
) -> None:
    written = models.copy_of(tiny, tmp_path / "written")
    config = json.loads((written / "config.json").read_text())
    config["rope_parameters"] = ROPE
    (written / "config.json").write_text(json.dumps(config))
    options = LoadOptions(yarn_factor=4.0, yarn_original=4096, dtype="float32")
    stretched = _load(tiny, options=options)
    by_config = _load(written, options=LoadOptions(dtype="float32"))
    assert stretched.context_length == by_config.context_length == 16384
    assert stretched.described().own_context_length == 16384
    plain = _load(tiny, options=LoadOptions(dtype="float32"))
    assert plain.context_length == 8192
    assert torch.equal(_logits(stretched), _logits(by_config))
    assert not torch.allclose(_logits(stretched), _logits(plain))


def test_without_the_cards_word_the_configs_length_is_stretched(tiny: Path) -> None:
    loaded = _load(tiny, options=LoadOptions(yarn_factor=2.0))
    assert loaded.context_length == 16384


def test_a_model_read_from_a_gguf_is_stretched_too() -> None:
    options = LoadOptions(yarn_factor=2.0, cpu_fast=False)
    loaded = _load(models.smollm2_gguf(), options=options)
    assert loaded.context_length == 16384


@pytest.mark.parametrize(
    ("rope", "reason"),
    [
        ({"rope_type": "llama3", "rope_theta": 1e4, "factor": 8.0}, "llama3"),
        ({"full_attention": {"rope_theta": 1e4}}, "no rotary positions"),
    ],
)
def test_yarn_is_refused_with_the_reason(rope: dict[str, object], reason: str) -> None:
    config = AutoConfig.for_model("qwen3", max_position_embeddings=4096)
    config.rope_parameters = rope
    with pytest.raises(UsageError, match=reason) as refused:
        stretch_by_yarn(config, 4.0, 0)
    assert refused.value.code == "no_yarn"


def test_a_model_without_rotary_positions_is_refused() -> None:
    with pytest.raises(UsageError):
        stretch_by_yarn(AutoConfig.for_model("gpt2"), 4.0, 0)


def test_a_shorter_context_by_choice_is_what_prompts_may_take(tiny: Path) -> None:
    shorter = _load(tiny, options=LoadOptions(context_length=1000)).described()
    assert (shorter.context_length, shorter.own_context_length) == (1000, 8192)
    longer = _load(tiny, options=LoadOptions(context_length=100_000)).described()
    assert longer.context_length == 8192
