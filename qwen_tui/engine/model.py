"""Loading a model: files to something that answers, with every failure named."""

import struct
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GgufConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers import __version__ as TRANSFORMERS

from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.events import Loaded
from qwen_tui.engine.context import context_length, stretch_by_yarn
from qwen_tui.engine.cpu_fast import speed_up
from qwen_tui.engine.cuda_graphs import Graphs, record_graphs
from qwen_tui.engine.devices import choose_device, choose_dtype
from qwen_tui.engine.failures import name_failure
from qwen_tui.engine.files import check_files, read_config
from qwen_tui.engine.gguf_file import count_weights, reading_gguf_once, stop_tokens
from qwen_tui.engine.kv_packed import can_pack
from qwen_tui.engine.placement import DeviceMap, place
from qwen_tui.engine.progress import LoadMeter
from qwen_tui.engine.prompt import PromptBuilder
from qwen_tui.engine.quantize import own_method, packing, weights_bytes
from qwen_tui.engine.thinking import ThinkTags, find_think_tags
from qwen_tui.errors import ModelIncomplete, NotAModel
from qwen_tui.i18n import _
from qwen_tui.wire_engine import LoadOptions

_END_OF_TURN = "<|im_end|>"
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
    """What prompts and answers may take: what the model can, or less if asked so."""
    own_context_length: int
    """What the model can attend to."""
    packing: str
    """How its weights are packed: "int8", "fp8"; empty for not at all."""
    stop_ids: frozenset[int]
    think_tags: ThinkTags | None
    """None: this model's tokenizer has no thinking tags."""
    packs_kv: bool = False
    """Its KV cache is kept in 8 bits."""
    graphs: Graphs | None = None
    """What decodes by CUDA graphs, where that was asked for."""

    def described(self) -> Loaded:
        """Return what the parent is told about it."""
        return Loaded(
            model=self.source.name,
            device=_device_names(self.model),
            dtype=self.packing or str(self.model.dtype).removeprefix("torch."),
            context_length=self.context_length,
            memory_bytes=self.model.get_memory_footprint(),
            thinking=self.prompts.thinking_kind(self.think_tags),
            revision=self.source.revision,
            ref=self.source.identity,
            attention=str(getattr(self.model.config, "_attn_implementation", "")),
            kv_dtype="int8" if self.packs_kv else "",
            own_context_length=self.own_context_length,
            versions={"torch": torch.__version__, "transformers": TRANSFORMERS},
        )


def load_model(
    source: ModelSource, options: LoadOptions, meter: LoadMeter
) -> LoadedModel:
    """Read a model from this machine's disk; nothing is fetched.

    Raises:
        QwenTuiError: each way it can fail has its class or code: see `check_files`,
            and "no_device", "no_dtype", "no_quantization", "quant_library", "no_yarn",
            "no_chat_template", "out_of_memory", "cancelled".
    """
    meter.reach("weights", 0.0)
    device = choose_device(options.device)
    dtype = choose_dtype(options.dtype, device)
    file_bytes = check_files(source, trust_remote_code=options.trust_remote_code)
    is_gguf = source.kind == "gguf"
    own = "" if is_gguf else own_method(read_config(Path(source.path)))
    packed, bits = packing(
        options.quantize, device, dtype, own_method="gguf" if is_gguf else own
    )
    kwargs = _source_kwargs(source, options)
    meter.reach("weights", 0.02)
    try:
        with reading_gguf_once() if is_gguf else nullcontext():
            tokenizer = _load_tokenizer(kwargs)
            prompts = PromptBuilder(tokenizer)
            if options.yarn_factor > 1:
                kwargs["config"] = _stretched_config(kwargs, options)
            meter.reach("weights", 0.05)
            size = weights_bytes(file_bytes, dtype, device, bits=bits, own=own)
            file = Path(source.path)
            if is_gguf:
                size = count_weights(file) * dtype.itemsize
            placement = place(device, size)
            with meter.watching_weights(passes=2 if is_gguf else 1):
                model = _load_weights({**kwargs, **packed}, dtype, placement)
            stop_ids = _stop_ids(model, tokenizer)
            if is_gguf:
                stop_ids |= stop_tokens(file)
    except _LIBRARY_ERRORS as error:
        name_failure(error, source, packed_as=own or options.quantize)
    if options.cpu_fast:
        speed_up(model, meter.reach_packing)
    own_length = context_length(model.config, tokenizer)
    limit = min(own_length, options.context_length or own_length)
    graphs = None
    packs_kv = bool(options.kv_quantize) and can_pack(model)
    if options.cuda_graphs and not packs_kv:
        graphs = record_graphs(model, device, limit, meter.reach_graphs)
    meter.reach("ready", 1.0)
    return LoadedModel(
        source=source,
        model=model,
        tokenizer=tokenizer,
        prompts=prompts,
        device=_input_device(model, device),
        context_length=limit,
        own_context_length=own_length,
        packing=options.quantize,
        stop_ids=stop_ids,
        think_tags=find_think_tags(tokenizer),
        packs_kv=packs_kv,
        graphs=graphs,
    )


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


def _stretched_config(kwargs: dict[str, Any], options: LoadOptions) -> Any:  # noqa: ANN401 - each architecture has its config class
    config = AutoConfig.from_pretrained(**kwargs)
    stretch_by_yarn(config, options.yarn_factor, options.yarn_original)
    return config


def _load_weights(
    kwargs: dict[str, Any], dtype: torch.dtype, placement: DeviceMap
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
