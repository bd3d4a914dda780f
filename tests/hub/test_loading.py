"""Which device a load goes to, what it takes, and how far a context can be raised."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.events import Loaded
from qwen_tui.chat.notes import estimate_note
from qwen_tui.errors import UsageError
from qwen_tui.hub.loading import prepare, raised, raised_length
from qwen_tui.hub.machine import Gpu, Machine
from qwen_tui.paths import demo_model
from qwen_tui.wire_engine import LoadOptions
from tests import models

GIB = 1024**3
LAPTOP = Machine((), 16 * GIB, 8 * GIB)
SHARED = Machine(
    (
        Gpu(0, "H100", 80 * GIB, 5 * GIB, other_processes=3),
        Gpu(1, "H100", 80 * GIB, 70 * GIB, other_processes=0),
    ),
    256 * GIB,
    200 * GIB,
)
NOWHERE = ModelSource("Qwen/Qwen3-8B", "/nowhere", "folder")
LOADED = Loaded("m", "cpu", "bfloat16", 32768, 1, own_context_length=32768)


@pytest.fixture
def qwen3_8b(tmp_path: Path) -> ModelSource:
    """A folder of the size and shape of Qwen3-8B; the file is a hole."""
    # Source: config.json of Qwen/Qwen3-8B
    config = {
        "model_type": "qwen3",
        "hidden_size": 4096,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "max_position_embeddings": 40960,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(16 * GIB)
    return ModelSource("Qwen/Qwen3-8B", str(tmp_path), "folder")


def test_auto_takes_the_gpu_with_the_most_free_memory(qwen3_8b: ModelSource) -> None:
    assert prepare(qwen3_8b, LoadOptions(), SHARED).options.device == "cuda:1"
    chosen = prepare(qwen3_8b, LoadOptions("cuda:0"), SHARED)
    assert chosen.options.device == "cuda:0"
    assert (chosen.estimate.free_bytes, chosen.estimate.fit) == (5 * GIB, "too_big")
    assert prepare(qwen3_8b, LoadOptions(), LAPTOP).options.device == "auto"


def test_the_estimate_counts_weights_and_the_context_asked_for(
    qwen3_8b: ModelSource,
) -> None:
    estimate = prepare(qwen3_8b, LoadOptions(), SHARED).estimate
    assert estimate.weights_bytes == 16 * GIB
    assert estimate.context_length == 40960
    assert estimate.kv_bytes == 40960 * 144 * 1024  # 144 KiB a token
    assert (estimate.device, estimate.fit) == ("cuda:1", "fits")
    short = prepare(qwen3_8b, LoadOptions(context_length=4096), SHARED).estimate
    assert short.kv_bytes == 4096 * 144 * 1024
    stretched = prepare(qwen3_8b, LoadOptions(yarn_factor=4.0), SHARED)
    assert stretched.options.yarn_original == 32768  # the card's, not the config's
    assert stretched.estimate.context_length == 131072
    packed = prepare(qwen3_8b, LoadOptions(quantize="int4"), SHARED).estimate
    assert packed.weights_bytes < 6 * GIB
    halved = prepare(qwen3_8b, LoadOptions(kv_quantize="int8"), SHARED).estimate
    assert halved.kv_bytes == 40960 * 73.125 * 1024
    plain = prepare(qwen3_8b, LoadOptions(dtype="float32"), LAPTOP).estimate
    assert plain.weights_bytes == 32 * GIB
    assert plain.kv_bytes == 2 * estimate.kv_bytes
    assert (plain.free_bytes, plain.fit) == (8 * GIB, "too_big")


def test_a_gguf_is_estimated_unpacked() -> None:
    file = models.smollm2_gguf()
    source = ModelSource(file.name, str(file), "gguf")
    estimate = prepare(source, LoadOptions(), LAPTOP).estimate
    assert estimate.weights_bytes == pytest.approx(2 * 135e6, rel=0.01)
    assert estimate.context_length == 8192
    assert estimate.gguf_bytes == file.stat().st_size
    assert "(llama Q4_1) of 0.09 GiB, to be unpacked: weights 0.25" in estimate_note(
        estimate
    )
    assert (estimate.device, estimate.fit) == ("cpu", "fits")


def test_what_cannot_be_read_is_not_estimated() -> None:
    estimate = prepare(NOWHERE, LoadOptions(), LAPTOP).estimate
    assert (estimate.weights_bytes, estimate.fit) == (0, "unknown")


def test_yarn_is_refused_where_the_card_knows_none_or_not_so_much() -> None:
    small = replace(NOWHERE, name="Qwen/Qwen3-0.6B")
    with pytest.raises(UsageError, match=r"Qwen3-0\.6B knows no YaRN by 4"):
        prepare(small, LoadOptions(yarn_factor=4.0), LAPTOP)
    with pytest.raises(UsageError) as refused:
        prepare(NOWHERE, LoadOptions(yarn_factor=8.0), LAPTOP)
    assert refused.value.code == "no_yarn"
    assert "up to 4 times" in refused.value.hint
    unknown = ModelSource("demo", str(demo_model()), "folder")
    options = prepare(unknown, LoadOptions(yarn_factor=8.0), LAPTOP).options
    assert options.yarn_original == 0  # its config decides


def test_a_context_is_raised_by_lifting_the_limit_then_by_yarn() -> None:
    limited = replace(LOADED, context_length=4096)
    options = LoadOptions(context_length=4096)
    assert raised(NOWHERE, options, limited) == LoadOptions()
    assert raised_length(NOWHERE, options, limited) == 32768
    assert raised(NOWHERE, LoadOptions(), LOADED) == LoadOptions(yarn_factor=4.0)
    assert raised_length(NOWHERE, LoadOptions(), LOADED) == 131072
    stretched = replace(LOADED, context_length=131072, own_context_length=131072)
    assert raised(NOWHERE, LoadOptions(yarn_factor=4.0), stretched) is None
    other = ModelSource("demo", "/demo", "folder")
    assert raised(other, LoadOptions(), LOADED) is None
    assert raised_length(other, LoadOptions(), LOADED) == 0
