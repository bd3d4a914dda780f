"""Weights packed to 8 or 4 bits, and checkpoints that come packed."""

import importlib.util
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import torch
from transformers import BitsAndBytesConfig

from qwen_tui.errors import QwenTuiError, UsageError
from qwen_tui.i18n import _

_BITS = {"int8": 8.0, "int4": 4.5}  # per weight; nf4 keeps a scale for each 64
_LIBRARY = "bitsandbytes"
_INSTALL = re.compile(r"pip install (?:-U )?'?([\w-]+)")
_FP8_FROM = (8, 9)  # compute capability; below, transformers 5.23 unpacks FP8 to bf16


def is_installed(library: str) -> bool:
    """Tell whether a library can be imported."""
    return importlib.util.find_spec(library) is not None


def packing(
    wanted: str,
    device: torch.device,
    dtype: torch.dtype,
    *,
    own_method: str = "",
    has_library: Callable[[str], bool] = is_installed,
) -> tuple[dict[str, Any], float]:
    """Return what `from_pretrained` needs to pack weights, and bits for each weight.

    Args:
        wanted: "int8", "int4", or "" for the weights as they are.
        device: Where they will be computed.
        dtype: What they are computed in.
        own_method: How the checkpoint is packed already; empty for not at all.
        has_library: Tells what is installed.

    Raises:
        UsageError: this device, or this checkpoint, cannot be packed
            (code "no_quantization").
        QwenTuiError: a library is missing (code "quant_library").
    """
    if not wanted:
        return {}, 0.0
    if device.type != "cuda":
        raise UsageError(
            _(
                "Weights are packed to {kind} on CUDA GPUs only, not on {device}."
            ).format(kind=wanted, device=device),
            hint=_("Leave out --quantize, or choose a smaller model."),
            code="no_quantization",
        )
    if own_method:
        raise UsageError(
            _("This checkpoint is packed already ({method}).").format(
                method=own_method
            ),
            hint=_("Leave out --quantize."),
            code="no_quantization",
        )
    if not has_library(_LIBRARY):
        raise missing_library(wanted, _LIBRARY, extra="qwen-tui[quant]")
    if wanted == "int8":
        config = BitsAndBytesConfig(load_in_8bit=True)
    else:
        config = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=dtype,
        )
    return {"quantization_config": config}, _BITS[wanted]


def own_method(config: Mapping[str, Any]) -> str:
    """Return how a checkpoint is packed, by its config.json: "fp8", "gptq", or ""."""
    packed = config.get("quantization_config")
    if not isinstance(packed, Mapping):
        return ""
    return str(cast(Mapping[str, Any], packed).get("quant_method", ""))


def weights_bytes(
    file_bytes: int, dtype: torch.dtype, device: torch.device, *, bits: float, own: str
) -> int:
    """Return the bytes that weights from safetensors will take in memory.

    Args:
        file_bytes: Of the files.
        dtype: What they are computed in.
        device: Where they will lie.
        bits: What `packing` said.
        own: What `own_method` said; all others than FP8 stay packed as they are.
    """
    if own == "fp8":
        return file_bytes if _computes_fp8(device) else file_bytes * 2
    if own:
        return file_bytes
    return int(file_bytes / 2 * (bits / 8 or dtype.itemsize))  # 16 bits on disk


def _computes_fp8(device: torch.device) -> bool:
    if device.type != "cuda":
        return False
    return torch.cuda.get_device_capability(device) >= _FP8_FROM


def missing_library(method: str, library: str, *, extra: str = "") -> QwenTuiError:
    """Return the failure of weights that nobody here can unpack."""
    return QwenTuiError(
        _("Weights packed as {method} need {library}, which is not installed.").format(
            method=method, library=library
        ),
        hint=_("Install it for this Python: pip install '{name}'").format(
            name=extra or library
        ),
        code="quant_library",
    )


def name_missing(error: ImportError, method: str) -> QwenTuiError | None:
    """Return the failure to tell where a library that unpacks weights is missing."""
    found = _INSTALL.search(str(error))
    if not method or found is None:
        return None
    return missing_library(method, found[1])
