"""Loading a model: files to something that answers, with every failure named."""

import struct
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast

import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GgufConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers import __version__ as TRANSFORMERS

from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.events import Loaded
from qwen_tui.engine.cpu_fast import speed_up
from qwen_tui.engine.devices import choose_device, choose_dtype, free_bytes
from qwen_tui.engine.files import (
    check_files,
    remote_code_needed,
    unsupported_architecture,
)
from qwen_tui.engine.gguf_once import reading_gguf_once
from qwen_tui.engine.progress import LoadMeter
from qwen_tui.engine.prompt import PromptBuilder
from qwen_tui.engine.thinking import ThinkTags, find_think_tags
from qwen_tui.errors import ModelCorrupt, ModelIncomplete, NotAModel, OutOfMemory
from qwen_tui.i18n import _
from qwen_tui.wire import LoadOptions

_END_OF_TURN = "<|im_end|>"
_NO_CONTEXT_IN_CONFIG = 4096  # no config says; small enough for any model
_GIB = 1024**3
# what transformers, safetensors and gguf raise over files they cannot use
_LIBRARY_ERRORS = (
    SafetensorError,
    OSError,
    ValueError,
    KeyError,
    IndexError,
    struct.error,
    ImportError,
    RuntimeError,
)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is ready to answer."""

    source: ModelSource
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    prompts: PromptBuilder
    device: torch.device
    """Where input ids go: the device of the embedding."""
    context_length: int
    stop_ids: frozenset[int]
    think_tags: ThinkTags | None
    """None: this model's tokenizer has no thinking tags."""

    def described(self) -> Loaded:
        """Return what the parent is told about it."""
        return Loaded(
            model=self.source.name,
            device=_device_names(self.model),
            dtype=str(self.model.dtype).removeprefix("torch."),
            context_length=self.context_length,
            memory_bytes=self.model.get_memory_footprint(),
            thinking=self.prompts.thinking_kind(self.think_tags),
            revision=self.source.revision,
            ref=self.source.identity,
            attention=str(getattr(self.model.config, "_attn_implementation", "")),
            versions={"torch": torch.__version__, "transformers": TRANSFORMERS},
        )


def load_model(
    source: ModelSource, options: LoadOptions, meter: LoadMeter
) -> LoadedModel:
    """Read a model from this machine's disk; nothing is fetched.

    Raises:
        QwenTuiError: each way it can fail has its class or code: see `check_files`,
            and "no_device", "no_dtype", "no_chat_template", "out_of_memory",
            "cancelled".
    """
    meter.reach("weights", 0.0)
    device = choose_device(options.device)
    dtype = choose_dtype(options.dtype, device)
    file_bytes = check_files(source, trust_remote_code=options.trust_remote_code)
    kwargs = _source_kwargs(source, options)
    meter.reach("weights", 0.02)
    is_gguf = source.kind == "gguf"
    try:
        tokenizer = _load_tokenizer(kwargs)
        prompts = PromptBuilder(tokenizer)
        meter.reach("weights", 0.05)
        placement = _placement(device, dtype, file_bytes, gguf=is_gguf)
        once = reading_gguf_once() if is_gguf else nullcontext()
        with once, meter.watching_weights(passes=2 if is_gguf else 1):
            model = _load_weights(kwargs, dtype, placement)
    except _LIBRARY_ERRORS as error:
        _name_failure(error, source)
    if options.cpu_fast:
        speed_up(model, meter.reach_packing)
    meter.reach("ready", 1.0)
    return LoadedModel(
        source=source,
        model=model,
        tokenizer=tokenizer,
        prompts=prompts,
        device=_input_device(model, device),
        context_length=context_length(model.config, tokenizer),
        stop_ids=_stop_ids(model, tokenizer),
        think_tags=find_think_tags(tokenizer),
    )


def out_of_memory(error: BaseException) -> OutOfMemory | None:
    """Return the failure to tell where `error` means that memory ran out."""
    # The CPU allocator raises a plain RuntimeError; its name is in the text.
    is_memory = isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    )
    if not is_memory:
        return None
    return OutOfMemory(
        _("There is not enough memory left for this."),
        hint=_(
            "Close what else uses the memory, start a shorter conversation, "
            "or choose a smaller model."
        ),
    )


def context_length(config: Any, tokenizer: PreTrainedTokenizerBase) -> int:  # noqa: ANN401 - each architecture has its config class
    """Return the tokens a model can attend to, scaled RoPE included."""
    text = config.get_text_config()
    length = getattr(text, "max_position_embeddings", None)
    rope = getattr(text, "rope_parameters", None) or {}
    original = rope.get("original_max_position_embeddings")
    if original and rope.get("factor"):
        length = max(length or 0, int(original * rope["factor"]))
    if length:
        return int(length)
    longest = tokenizer.model_max_length
    # transformers writes 1e30 where a tokenizer names no limit
    return int(longest) if longest < 2**31 else _NO_CONTEXT_IN_CONFIG


def _source_kwargs(source: ModelSource, options: LoadOptions) -> dict[str, Any]:
    common: dict[str, Any] = {
        "local_files_only": True,
        "trust_remote_code": options.trust_remote_code,
    }
    path = Path(source.path)
    if source.kind == "gguf":
        folder, file = str(path.parent), path.name
        return {**common, "pretrained_model_name_or_path": folder, "gguf_file": file}
    return {**common, "pretrained_model_name_or_path": str(path)}


def _load_tokenizer(kwargs: dict[str, Any]) -> PreTrainedTokenizerBase:
    tokenizer = AutoTokenizer.from_pretrained(**kwargs)
    if not tokenizer.is_fast:
        raise NotAModel(
            _("The tokenizer of this model has no tokenizer.json."),
            hint=_("Choose a version of the model that has one."),
            code="unsupported_tokenizer",
        )
    return tokenizer


def _placement(
    device: torch.device, dtype: torch.dtype, file_bytes: int, *, gguf: bool
) -> str | dict[str, torch.device] | None:
    """Return transformers' device_map: one device while the model fits it.

    Raises:
        OutOfMemory: the machine has not enough memory for the weights.
    """
    # Weights lie on disk in 16 bits; in a GGUF in about 4.5, which are unpacked here.
    size = file_bytes * dtype.itemsize * (8 / 4.5 if gguf else 1 / 2)
    free = free_bytes(device)
    if free is None or size <= free:
        return None if device.type == "cpu" else {"": device}
    places = [device]
    if device.type == "cuda":
        gpus = range(torch.cuda.device_count())
        places = [torch.device("cuda", i) for i in gpus] + [torch.device("cpu")]
    total = sum(max(0, free_bytes(place) or 0) for place in places)
    if size > total and not gguf:  # a GGUF's size is a guess
        raise OutOfMemory(
            _("The weights need {need:.1f} GiB; {free:.1f} GiB are free.").format(
                need=size / _GIB, free=total / _GIB
            ),
            hint=_("Close what else uses the memory, or choose a smaller model."),
        )
    return "auto" if device.type == "cuda" else None


def _load_weights(
    kwargs: dict[str, Any],
    dtype: torch.dtype,
    placement: str | dict[str, torch.device] | None,
) -> PreTrainedModel:
    special: dict[str, Any] = {"use_safetensors": True}
    if "gguf_file" in kwargs:
        # Packed weights would fetch kernels from the hub, and compute in float32.
        special = {"quantization_config": GgufConfig(dequantize=True)}
    model, report = cast(Any, AutoModelForCausalLM).from_pretrained(
        **kwargs,
        **special,
        dtype=dtype,
        device_map=placement,
        output_loading_info=True,
    )
    missing = sorted(report["missing_keys"])
    if missing:  # transformers fills these with random numbers and only warns
        raise ModelIncomplete(
            _("The files lack {n} of the model's tensors, such as {name}.").format(
                n=len(missing), name=missing[0]
            ),
            hint=_("Finish the download of this model, then load it again."),
        )
    return model


def _name_failure(error: Exception, source: ModelSource) -> NoReturn:
    """Raise the failure a person can act on for what the libraries raised."""
    if out_of_memory(error) is not None:
        raise error
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


def _stop_ids(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> frozenset[int]:
    configured = getattr(model.generation_config, "eos_token_id", None)
    ids = set(configured if isinstance(configured, list) else [configured])
    ids.add(tokenizer.eos_token_id)
    if _END_OF_TURN in str(tokenizer.chat_template):
        ids.add(tokenizer.get_vocab().get(_END_OF_TURN))
    return frozenset(i for i in ids if i is not None)


def _input_device(model: PreTrainedModel, chosen: torch.device) -> torch.device:
    embedding = cast(Tensor, model.get_input_embeddings().weight).device
    return chosen if embedding.type == "meta" else embedding


def _device_names(model: PreTrainedModel) -> str:
    """Return where the weights lie, such as "cuda:0" or "cpu+cuda:0"."""
    names = {str(parameter.device) for parameter in model.parameters()}
    # weights that accelerate keeps on the CPU stand there as "meta"
    return "+".join(sorted({"cpu" if name == "meta" else name for name in names}))
