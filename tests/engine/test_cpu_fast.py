"""The fast path for bf16 on a CPU: the same answers, nothing kept twice, a way back."""

import copy
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, PreTrainedModel, Qwen2Config

from qwen_tui.chat.backend import ModelSource, PromptMessage, TurnRequest
from qwen_tui.chat.sampling import Sampling
from qwen_tui.engine.cpu_fast import PackedLinear, speed_up
from qwen_tui.engine.forward import Forward
from qwen_tui.engine.model import LoadedModel, load_model
from qwen_tui.engine.progress import LoadCancelled, LoadMeter
from qwen_tui.wire_engine import LoadOptions
from tests import models
from tests.engine.talk import run, texts
from tests.engine.test_forward import CONFIGS, SIZES

pytestmark = pytest.mark.torch

CPU = torch.device("cpu")
PROMPT = torch.randint(3, 300, (200,), generator=torch.manual_seed(5)).tolist()
# head_dim is no field of Qwen2's config; its projections have a bias
BIASED = Qwen2Config(**{k: v for k, v in SIZES.items() if k != "head_dim"})
KINDS = {**CONFIGS, "bias": BIASED}


def make(kind: str = "dense", dtype: torch.dtype = torch.bfloat16) -> PreTrainedModel:
    torch.manual_seed(0)
    config = copy.deepcopy(KINDS[kind])  # it names the attention that is used
    model = AutoModelForCausalLM.from_config(config, dtype=dtype).eval()
    for linear in plain_in(model):
        if linear.bias is not None:  # pyright: ignore[reportUnnecessaryComparison]
            nn.init.normal_(linear.bias)  # the library begins with zeros
    return model


def quiet(_part: float) -> None:
    """Hear nothing."""


def packed_in(model: PreTrainedModel) -> list[PackedLinear]:
    return [m for m in model.modules() if isinstance(m, PackedLinear)]


def plain_in(model: PreTrainedModel) -> list[nn.Linear]:
    return [m for m in model.modules() if type(m) is nn.Linear]


@torch.inference_mode()
def logits_of(model: PreTrainedModel) -> Tensor:
    """Read a prompt in two chunks, then two tokens; return the logits of each."""
    forward = Forward(model, CPU)
    pieces = (PROMPT[:150], PROMPT[150:], [7], [9])
    return torch.stack([forward.feed(piece) for piece in pieces])


def load(path: Path, **options: Any) -> LoadedModel:
    kind = "gguf" if path.suffix == ".gguf" else "folder"
    meter = LoadMeter(tell=lambda _stage, _part: None, is_cancelled=lambda: False)
    source = ModelSource(path.name, str(path), kind)
    return load_model(source, LoadOptions(**options), meter)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_computes_the_same(kind: str) -> None:
    plain, fast = make(kind), make(kind)
    assert speed_up(fast, quiet)
    assert packed_in(fast)
    assert not plain_in(fast)
    expected, got = logits_of(plain), logits_of(fast)
    assert torch.allclose(got, expected, atol=0.02)  # bf16 rounds at 1/256
    assert torch.equal(got.argmax(-1), expected.argmax(-1))


@pytest.mark.parametrize("name", ["demo", "smollm2", "hybrid"])
def test_real_models_give_the_same_answer(
    request: pytest.FixtureRequest, name: str
) -> None:
    path = models.demo_folder() if name == "demo" else request.getfixturevalue(name)
    question = PromptMessage("user", "What is the capital of France?")
    turn = TurnRequest((question,), Sampling(temperature=0), 16)
    told: list[tuple[str, str]] = []
    for is_fast in (False, True):
        model = load(path, cpu_fast=is_fast)
        assert bool(packed_in(model.model)) is is_fast
        told.append(texts(run(model, turn, None)[0]))
    assert told[0] == told[1]
    assert "".join(told[0])


def test_only_bf16_is_touched() -> None:
    model = make(dtype=torch.float32)
    assert not speed_up(model, quiet)
    assert not packed_in(model)
    assert cast(Any, model).config._attn_implementation == "sdpa"


def test_the_weights_are_not_kept_twice_but_the_tied_one() -> None:
    model = make()
    embedding = cast(Any, model.get_input_embeddings()).weight
    cast(Any, model).lm_head.weight = embedding
    weights = [weakref.ref(linear.weight) for linear in plain_in(model)]
    before = model.get_memory_footprint()
    speed_up(model, quiet)
    alive = [weight() for weight in weights if weight() is not None]
    assert len(alive) == 1
    assert alive[0] is embedding
    assert model.get_memory_footprint() == before + embedding.nbytes


def test_a_packed_layer_still_shows_its_weight_and_takes_other_formats() -> None:
    plain = nn.Linear(48, 80, dtype=torch.bfloat16)
    packed = PackedLinear(plain)
    assert torch.equal(packed.weight, plain.weight)
    states = torch.randn(2, 3, 48)
    with torch.inference_mode():
        wide = states.bfloat16()
        assert torch.allclose(packed(wide), plain(wide), atol=0.02)
        assert torch.equal(packed(wide[:, -1:]), packed(wide)[:, -1:])
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.allclose(packed(states), plain(states), atol=0.02)


@pytest.mark.parametrize("works_for", [0, 3], ids=["no operator", "fails half way"])
def test_a_failure_is_logged_and_leaves_the_model_working(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, works_for: int
) -> None:
    model = make()
    expected = logits_of(model)
    real: Callable[..., Tensor] = torch.ops.mkldnn._reorder_linear_weight
    n_calls = 0

    def breaks(*args: Any) -> Tensor:
        nonlocal n_calls
        n_calls += 1
        if n_calls > works_for:
            raise AttributeError("no such operator")
        return real(*args)

    monkeypatch.setattr(torch.ops.mkldnn, "_reorder_linear_weight", breaks)
    assert not speed_up(model, quiet)
    assert "fast path for the CPU is off" in caplog.text
    assert len(packed_in(model)) == works_for
    assert torch.allclose(logits_of(model), expected, atol=0.02)


def test_a_load_is_cancelled_while_it_packs() -> None:
    def cancelled(part: float) -> None:
        if part > 0.5:
            raise LoadCancelled("Loading was stopped.")

    with pytest.raises(LoadCancelled):
        speed_up(make(), cancelled)


def test_packing_is_a_stage_of_the_load(tiny: Path) -> None:
    told: list[tuple[str, float]] = []
    meter = LoadMeter(lambda s, part: told.append((s, part)), lambda: False)
    load_model(ModelSource("tiny", str(tiny), "folder"), LoadOptions(), meter)
    stages = list(dict.fromkeys(stage for stage, _part in told))
    assert stages == ["weights", "packing", "ready"]
    parts = [part for _stage, part in told]
    assert parts == sorted(parts)
