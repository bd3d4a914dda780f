"""Weights are packed where that works, and what is missing is named."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BitsAndBytesConfig

from qwen_tui.engine.quantize import own_method, packing, weights_bytes
from qwen_tui.errors import QwenTuiError, UsageError
from qwen_tui.wire_engine import LoadOptions
from tests import models
from tests.engine.test_model import _load

pytestmark = pytest.mark.torch

CPU, CUDA = torch.device("cpu"), torch.device("cuda:0")
BF16 = torch.bfloat16
BLOCK = 128


def _here(_library: str) -> bool:
    return True


def _nowhere(_library: str) -> bool:
    return False


def test_nothing_is_packed_unasked() -> None:
    assert packing("", CPU, BF16) == ({}, 0.0)


@pytest.mark.parametrize(("kind", "bits"), [("int8", 8.0), ("int4", 4.5)])
def test_on_cuda_weights_are_packed_as_asked(kind: str, bits: float) -> None:
    kwargs, taken = packing(kind, CUDA, BF16, has_library=_here)
    config = kwargs["quantization_config"]
    assert isinstance(config, BitsAndBytesConfig)
    assert (config.load_in_8bit, config.load_in_4bit) == (
        kind == "int8",
        kind == "int4",
    )
    assert taken == bits
    if kind == "int4":
        assert config.bnb_4bit_compute_dtype is BF16
        assert config.bnb_4bit_quant_type == "nf4"


def test_a_missing_library_is_named_with_how_to_get_it() -> None:
    with pytest.raises(QwenTuiError, match="bitsandbytes") as refused:
        packing("int4", CUDA, BF16, has_library=_nowhere)
    assert refused.value.code == "quant_library"
    assert "qwen-tui[quant]" in refused.value.hint


def test_a_cpu_and_a_packed_checkpoint_are_refused() -> None:
    with pytest.raises(UsageError, match="not on cpu"):
        packing("int8", CPU, BF16, has_library=_here)
    with pytest.raises(UsageError, match="gptq"):
        packing("int8", CUDA, BF16, own_method="gptq", has_library=_here)


def test_memory_counts_what_packing_saves() -> None:
    def size(dtype: torch.dtype = BF16, bits: float = 0, own: str = "") -> int:
        return weights_bytes(1000, dtype, CPU, bits=bits, own=own)

    assert size() == 1000
    assert size(torch.float32) == 2000
    assert size(bits=8.0) == 500
    assert size(own="fp8") == 2000  # unpacked on a CPU
    assert size(own="gptq") == 1000


@pytest.mark.parametrize(
    ("config", "method"),
    [
        ({}, ""),
        ({"quantization_config": None}, ""),
        ({"quantization_config": {"quant_method": "fp8"}}, "fp8"),
    ],
)
def test_how_a_checkpoint_is_packed_stands_in_its_config(
    config: dict[str, object], method: str
) -> None:
    assert own_method(config) == method


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    return models.random_qwen3(tmp_path, hidden=2 * BLOCK)


def _declare_packed(folder: Path, **fields: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = fields
    (folder / "config.json").write_text(json.dumps(config))


def _pack_fp8(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return blocks of 128 x 128 as FP8, and what each was divided by."""
    rows, columns = (-(-n // BLOCK) for n in weight.shape)
    packed = torch.empty(weight.shape, dtype=torch.float8_e4m3fn)
    scales = torch.empty(rows, columns)
    for row in range(rows):
        for column in range(columns):
            place = (
                slice(row * BLOCK, (row + 1) * BLOCK),
                slice(column * BLOCK, (column + 1) * BLOCK),
            )
            block = weight[place].float()
            scales[row, column] = block.abs().max() / 448  # the largest e4m3 number
            packed[place] = (block / scales[row, column]).to(packed.dtype)
    return packed, scales


def test_an_fp8_checkpoint_loads_unpacked_on_a_cpu(wide: Path) -> None:
    weights = wide / "model.safetensors"
    plain = load_file(weights)
    tensors = dict(plain)
    for name, weight in plain.items():
        if name.endswith("proj.weight"):
            scale = name.replace(".weight", ".weight_scale_inv")
            tensors[name], tensors[scale] = _pack_fp8(weight)
    save_file(tensors, weights, metadata={"format": "pt"})
    _declare_packed(
        wide,
        quant_method="fp8",
        activation_scheme="dynamic",
        fmt="e4m3",
        weight_block_size=[BLOCK, BLOCK],
    )
    loaded = _load(wide, options=LoadOptions(cpu_fast=False))
    assert loaded.described().dtype == "bfloat16"
    name = "model.layers.0.self_attn.q_proj.weight"
    got = loaded.model.get_parameter(name).float()
    largest = float(plain[name].abs().max())
    assert torch.allclose(got, plain[name].float(), atol=largest / 16)  # 3 bits


@pytest.mark.parametrize(
    ("method", "library"),
    [
        ("gptq", "optimum"),
        ("awq", "gptqmodel"),
        ("compressed-tensors", "compressed-tensors"),
    ],
)
def test_a_checkpoint_that_needs_a_library_names_it(
    wide: Path, method: str, library: str
) -> None:
    _declare_packed(wide, quant_method=method, bits=4, group_size=128, config_groups={})
    with pytest.raises(QwenTuiError, match=library) as refused:
        _load(wide)
    assert refused.value.code == "quant_library"
    assert f"pip install '{library}'" in refused.value.hint
