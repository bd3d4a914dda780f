"""The architecture of Qwen3-0.6B with random weights: for speed, never for sense.

It is made here, written to a folder that is removed again, and loaded as any model.
"""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

from qwen_tui.chat.backend import ModelSource
from qwen_tui.engine.model import LoadedModel, load_model
from qwen_tui.engine.progress import LoadMeter
from qwen_tui.wire_engine import LoadOptions
from tests.models import word_tokenizer

# Source: config.json of Qwen/Qwen3-0.6B
VOCABULARY = 151_936
CONFIG = Qwen3Config(
    vocab_size=VOCABULARY,
    hidden_size=1024,
    intermediate_size=3072,
    num_hidden_layers=28,
    num_attention_heads=16,
    num_key_value_heads=8,
    head_dim=128,
    max_position_embeddings=40_960,
    rope_parameters={"rope_type": "default", "rope_theta": 1_000_000.0},
    tie_word_embeddings=True,
)


@contextmanager
def big_model() -> Generator[Path]:
    """Write the model (1.2 GB); it is gone when the body ends."""
    folder = Path(tempfile.mkdtemp(prefix="qwen-tui-bench-"))
    try:
        torch.manual_seed(0)
        tokenizer = word_tokenizer(VOCABULARY)
        CONFIG.eos_token_id = tokenizer.convert_tokens_to_ids("<|im_end|>")
        model = Qwen3ForCausalLM._from_config(CONFIG, dtype=torch.bfloat16)
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        yield folder
    finally:
        shutil.rmtree(folder)


def load(folder: Path, *, cpu_fast: bool) -> LoadedModel:
    """Load it as the engine does, on the CPU."""
    meter = LoadMeter(tell=lambda _stage, _part: None, is_cancelled=lambda: False)
    options = LoadOptions(device="cpu", dtype="bfloat16", cpu_fast=cpu_fast)
    return load_model(ModelSource("big", str(folder), "folder"), options, meter)
