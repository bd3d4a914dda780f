"""What the libraries raise, as failures a person can act on."""

from typing import NoReturn

import torch
from safetensors import SafetensorError

from qwen_tui.chat.backend import ModelSource
from qwen_tui.engine.files import remote_code_needed, unsupported_architecture
from qwen_tui.engine.quantize import name_missing
from qwen_tui.errors import ModelCorrupt, NotAModel, OutOfMemory
from qwen_tui.i18n import _

# What libraries raise as plain RuntimeError, OSError or SafetensorError: the CPU
# allocator, mmap of a weight file, C++, cuBLAS, oneDNN.
_NO_MEMORY = (
    "DefaultCPUAllocator",
    "Cannot allocate memory",
    "std::bad_alloc",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
_NO_PRIMITIVE = "could not create a primitive"


def out_of_memory(error: BaseException) -> OutOfMemory | None:
    """Return the failure to tell where `error` means that memory ran out."""
    is_memory = isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError | OSError | SafetensorError)
        and any(mark in str(error) for mark in (*_NO_MEMORY, _NO_PRIMITIVE))
    )
    if not is_memory:
        return None
    return OutOfMemory(
        _("There is not enough memory left for this."),
        hint=_(
            "What came so far is kept. A shorter conversation or context (setting "
            "model.context), a KV cache in 8 bits (--kv-quantize int8), packed weights "
            "(--quantize, on CUDA), another device or a smaller model takes less."
        ),
    )


def is_lasting(error: BaseException) -> bool:
    """Tell whether this process cannot compute any more after `error`.

    oneDNN (of torch 2.13) remembers a primitive that it could not make for want of
    memory, and never makes it again, however much memory there is later.
    """
    return isinstance(error, RuntimeError) and _NO_PRIMITIVE in str(error)


def name_failure(
    error: Exception, source: ModelSource, *, packed_as: str = ""
) -> NoReturn:
    """Raise the failure a person can act on for what a load raised.

    Args:
        error: What a library raised.
        source: The model that was loaded.
        packed_as: How its weights are packed; empty for not at all.
    """
    if out_of_memory(error) is not None:
        raise error
    if isinstance(error, ImportError):
        missing = name_missing(error, packed_as)
        if missing is not None:
            raise missing from error
    text = str(error)
    if "trust_remote_code" in text:
        raise remote_code_needed() from error
    if "Unrecognized configuration class" in text or "not supported" in text:
        raise unsupported_architecture(text.split("\n", 1)[0][:120]) from error
    if isinstance(error, SafetensorError) or source.kind == "gguf":
        # its magic and architecture are right, so what fails is its body
        raise ModelCorrupt(
            _("A weight file is damaged: {error}").format(error=error),
            hint=_("Verify the model or download it again."),
        ) from error
    raise NotAModel(
        _("This model cannot be loaded: {error}").format(error=error),
        hint=_("Details are in the engine's log."),
    ) from error
