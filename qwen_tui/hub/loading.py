"""How a model will be loaded on this machine, and what that takes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.events import Loaded, LoadEstimate
from qwen_tui.errors import QwenTuiError, UsageError
from qwen_tui.hub.catalog import entry_of
from qwen_tui.hub.fit import context_length, judge, keeps_all_tokens, memory_need
from qwen_tui.hub.gguf_info import read_gguf_info
from qwen_tui.hub.layout import all_files
from qwen_tui.hub.machine import Machine, read_machine
from qwen_tui.i18n import _
from qwen_tui.wire_engine import LoadOptions

# of 16 bits; the rest of a model, such as its embeddings, stays as it is
_PACKED_SHARE = {"int8": 0.55, "int4": 0.33}
_PACKED_KV_SHARE = 130 / 256  # of a head of 128 in 16 bits: its bytes and a scale
_DTYPE_BYTES = {"float32": 4}
_STORED_BYTES = 2


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a load will be asked with, and what it is going to take."""

    options: LoadOptions
    estimate: LoadEstimate


@dataclass(frozen=True, slots=True)
class _Lying:
    """What a model's files say before they are loaded."""

    config: Mapping[str, Any]
    weights_bytes: int
    """In memory, before they are packed or widened."""
    gguf_kind: str = ""
    gguf_bytes: int = 0


def prepare(source: ModelSource, options: LoadOptions, machine: Machine) -> Prepared:
    """Choose the device, check what was asked for, and estimate the memory.

    On a shared box "auto" takes the GPU with the most free memory. Reads headers.

    Raises:
        UsageError: YaRN was asked for and the model's card knows none
            (code "no_yarn").
    """
    options = replace(
        options,
        device=_device(options.device, machine),
        yarn_original=_yarn_original(source, options.yarn_factor),
    )
    return Prepared(options, _estimate(source, options, machine))


def prepare_here(source: ModelSource, options: LoadOptions) -> Prepared:
    """Do `prepare` for this machine as it is now; may take seconds."""
    return prepare(source, options, read_machine())


def raised(
    source: ModelSource, options: LoadOptions, loaded: Loaded
) -> LoadOptions | None:
    """Return what loads a model with a longer context; None where there is none.

    First the limit that was set goes, then YaRN stretches as far as the card says.
    """
    if loaded.context_length < loaded.own_context_length:
        return replace(options, context_length=0)
    entry = entry_of(source.name)
    if entry is None or not entry.yarn_context or options.yarn_factor > 1:
        return None
    return replace(
        options, context_length=0, yarn_factor=entry.yarn_context / entry.context
    )


def raised_length(source: ModelSource, options: LoadOptions, loaded: Loaded) -> int:
    """Return the context that `raised` would give; 0 for none."""
    longer = raised(source, options, loaded)
    if longer is None:
        return 0
    entry = entry_of(source.name)
    if longer.yarn_factor > 1 and entry is not None:
        return max(entry.yarn_context, loaded.own_context_length)
    return loaded.own_context_length


def _device(wanted: str, machine: Machine) -> str:
    if wanted != "auto" or not machine.gpus:
        return wanted
    freest = max(machine.gpus, key=lambda gpu: gpu.free_bytes)
    return f"cuda:{freest.index}"


def _yarn_original(source: ModelSource, factor: float) -> int:
    """Return the tokens a model was trained for; 0 where only its config knows."""
    if factor <= 1:
        return 0
    entry = entry_of(source.name)
    if entry is None:
        return 0
    most = entry.yarn_context / entry.context
    if most and factor <= most:
        return entry.context
    hint = _("Leave out --yarn, or set model.yarn to 0.")
    if most:
        hint = _("YaRN stretches it up to {factor:g} times.").format(factor=most)
    raise UsageError(
        _("The card of {model} knows no YaRN by {factor:g}.").format(
            model=entry.repo, factor=factor
        ),
        hint=hint,
        code="no_yarn",
    )


def _estimate(
    source: ModelSource, options: LoadOptions, machine: Machine
) -> LoadEstimate:
    lying = _what_lies_there(source)
    config, weights_bytes = lying.config, lying.weights_bytes
    dtype_share = _DTYPE_BYTES.get(options.dtype, _STORED_BYTES) / _STORED_BYTES
    share = _PACKED_SHARE.get(options.quantize, dtype_share)
    own = context_length(config)
    if options.yarn_factor > 1:
        own = int((options.yarn_original or own) * options.yarn_factor)
    context = min(own, options.context_length or own)
    kind = options.device.partition(":")[0]
    if kind == "auto":
        kind = machine.device_kind
    need = memory_need(config, int(weights_bytes * share), context, device_kind=kind)
    kv_share = dtype_share
    if options.kv_quantize and keeps_all_tokens(config):
        kv_share = _PACKED_KV_SHARE
    need = replace(need, kv_bytes=int(need.kv_bytes * kv_share))
    free = _free_bytes(options.device, machine)
    return LoadEstimate(
        device=machine.device_kind if options.device == "auto" else options.device,
        weights_bytes=need.weights_bytes,
        kv_bytes=need.kv_bytes,
        overhead_bytes=need.overhead_bytes,
        context_length=context,
        free_bytes=free,
        fit=judge(need, free),
        gguf_kind=lying.gguf_kind,
        gguf_bytes=lying.gguf_bytes,
    )


def _what_lies_there(source: ModelSource) -> _Lying:
    """Return what is known of a model's files before they are loaded.

    Nothing where they cannot be read: the engine will say why.
    """
    path = Path(source.path)
    try:
        if source.kind == "gguf":
            info = read_gguf_info(path)
            kind = f"{info.architecture} {info.packed_as}".strip()
            return _Lying(info.config, info.unpacked_bytes, kind, info.file_bytes)
        config: object = json.loads((path / "config.json").read_text(encoding="utf-8"))
        weights = [file for file in all_files(path) if file.suffix == ".safetensors"]
        total = sum(file.stat().st_size for file in weights)
    except (OSError, ValueError, QwenTuiError):
        return _Lying({}, 0)
    known = cast(dict[str, Any], config) if isinstance(config, dict) else {}
    return _Lying(known, total)


def _free_bytes(device: str, machine: Machine) -> int | None:
    if device.startswith("cuda"):
        index = int(device.partition(":")[2] or 0)
        found = (gpu.free_bytes for gpu in machine.gpus if gpu.index == index)
        return next(found, None)
    return machine.ram_available or None
