"""Loading: what a folder must hold, and what is read from it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoTokenizer

from qwen_tui.chat.backend import ModelSource
from qwen_tui.engine.context import context_length
from qwen_tui.engine.failures import out_of_memory
from qwen_tui.engine.gguf_file import count_weights, stop_tokens
from qwen_tui.engine.model import LoadedModel, load_model
from qwen_tui.engine.progress import LoadCancelled, LoadMeter
from qwen_tui.errors import (
    ModelCorrupt,
    ModelIncomplete,
    NotAModel,
    QwenTuiError,
    RemoteCodeNeeded,
)
from qwen_tui.wire_engine import LoadOptions
from tests import models

pytestmark = pytest.mark.torch


def _never() -> bool:
    return False


def _load(
    path: Path,
    *,
    told: list[float] | None = None,
    is_cancelled: Callable[[], bool] = _never,
    options: LoadOptions | None = None,
) -> LoadedModel:
    fractions = [] if told is None else told
    meter = LoadMeter(lambda _stage, part: fractions.append(part), is_cancelled)
    kind = "gguf" if path.suffix == ".gguf" else "folder"
    source = ModelSource(path.name, str(path), kind)
    return load_model(source, options or LoadOptions(), meter)


@pytest.fixture
def folder(tiny: Path, tmp_path: Path) -> Path:
    """A model that a test may damage."""
    return models.copy_of(tiny, tmp_path / "model")


def test_a_missing_tensor_is_no_silent_random_weight(folder: Path) -> None:
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    name = next(name for name in tensors if name.endswith("q_proj.weight"))
    del tensors[name]
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(ModelIncomplete, match=name):
        _load(folder)


def test_a_tensor_of_the_wrong_shape_is_refused(folder: Path) -> None:
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    name = next(name for name in tensors if name.endswith("q_proj.weight"))
    tensors[name] = tensors[name][:-8].clone()
    save_file(tensors, weights, metadata={"format": "pt"})
    with pytest.raises(QwenTuiError):
        _load(folder)


def test_a_folder_without_a_tokenizer_is_incomplete(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelIncomplete):
        _load(folder)


@pytest.mark.parametrize("text", ["{", "[]", "\x00"])
def test_a_damaged_config_is_corrupt(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelCorrupt, match=r"config\.json"):
        _load(folder)


def test_a_base_model_is_refused_for_having_no_chat_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(NotAModel) as refused:
        _load(folder)
    assert refused.value.code == "no_chat_template"


def test_a_model_that_cannot_chat_is_an_unsupported_architecture(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "vit"}))
    with pytest.raises(NotAModel) as refused:
        _load(folder)
    assert refused.value.code == "unsupported_architecture"


def test_the_models_own_code_never_runs_unasked(folder: Path) -> None:
    ran = folder / "ran"
    (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")
    own = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}
    (folder / "config.json").write_text(json.dumps(own))
    with pytest.raises(RemoteCodeNeeded, match="your rights"):
        _load(folder)
    assert not ran.exists()


def test_code_beside_a_known_architecture_is_left_alone(folder: Path) -> None:
    ran = folder / "ran"
    (folder / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"}
    (folder / "config.json").write_text(json.dumps(config))
    assert _load(folder).described().dtype == "bfloat16"
    assert not ran.exists()


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(b"not at all")
    with pytest.raises(NotAModel, match=r"x\.gguf"):
        _load(file)


def test_a_gguf_that_breaks_off_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(b"GGUF\x03\x00\x00\x00")
    with pytest.raises(ModelCorrupt):
        _load(file)


def test_progress_moves_tensor_by_tensor_and_cancel_is_heard_there(
    tiny: Path,
) -> None:
    told: list[float] = []
    _load(tiny, told=told)
    assert told[-1] == 1.0
    checks = 0

    def is_cancelled() -> bool:
        nonlocal checks
        checks += 1
        return checks > 8  # past the stages before the weights

    with pytest.raises(LoadCancelled):
        _load(tiny, is_cancelled=is_cancelled)
    assert checks == 9


def test_float32_on_request(tiny: Path) -> None:
    loaded = _load(tiny, options=LoadOptions(dtype="float32")).described()
    assert loaded.dtype == "float32"


def test_context_length_counts_nested_configs_and_scaled_rope(tiny: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    plain = AutoConfig.for_model("qwen3", max_position_embeddings=40960)
    assert context_length(plain, tokenizer) == 40960
    # Source: Qwen3 model card, "Processing Long Texts"
    rope = {
        "rope_type": "yarn",
        "rope_theta": 1e6,
        "factor": 4.0,
        "original_max_position_embeddings": 32768,
    }
    scaled = AutoConfig.for_model(
        "qwen3", max_position_embeddings=40960, rope_parameters=rope
    )
    assert context_length(scaled, tokenizer) == 131072
    nested = AutoConfig.for_model(
        "qwen3_vl", text_config={"max_position_embeddings": 262144}
    )
    assert context_length(nested, tokenizer) == 262144


def test_running_out_of_memory_is_told_as_such() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(2**60, dtype=torch.uint8)
    failure = out_of_memory(refused.value)
    assert failure is not None
    assert failure.code == "out_of_memory"
    assert out_of_memory(MemoryError()) is not None
    assert out_of_memory(RuntimeError("shapes differ")) is None


OWN_CODE = """
from pathlib import Path
from transformers import Qwen3Config, Qwen3ForCausalLM

Path(__file__).with_name("ran").touch()

class OwnConfig(Qwen3Config):
    model_type = "its_own"

class OwnModel(Qwen3ForCausalLM):
    config_class = OwnConfig
"""


@pytest.fixture
def coded(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that brings a Python file of its own."""
    module = "transformers.dynamic_module_utils.HF_MODULES_CACHE"
    monkeypatch.setattr(module, str(tmp_path / "modules"))
    config = json.loads((folder / "config.json").read_text())
    config["model_type"] = "its_own"
    config["auto_map"] = {
        "AutoConfig": "own.OwnConfig",
        "AutoModelForCausalLM": "own.OwnModel",
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(OWN_CODE)
    return folder


def test_a_models_own_code_does_not_run_by_itself(coded: Path, tmp_path: Path) -> None:
    with pytest.raises(RemoteCodeNeeded, match="your rights"):
        _load(coded)
    assert list(tmp_path.rglob("ran")) == []


def test_a_models_own_code_runs_once_it_is_trusted(coded: Path, tmp_path: Path) -> None:
    loaded = _load(coded, options=LoadOptions(trust_remote_code=True))
    assert type(loaded.model).__name__ == "OwnModel"
    assert list(tmp_path.rglob("ran"))


def test_a_gguf_tells_its_stop_tokens_and_how_many_weights_are_unpacked() -> None:
    file = models.smollm2_gguf()
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    assert stop_tokens(file) == {tokenizer.convert_tokens_to_ids("<|im_end|>")}
    assert count_weights(file) == pytest.approx(135e6, rel=0.01)  # SmolLM2-135M
