"""What makes a bf16 model decode faster on a CPU: its weights packed, its heads too.

A token takes about as long as the weights take to come from memory. torch's own
product of one bf16 row does not reach that, and its attention gathers keys and values
again for each head that shares them.
"""

import logging
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from qwen_tui.engine.devices import free_bytes
from qwen_tui.errors import QwenTuiError

_ATTENTION = "qwen_tui_packed_heads"
_NOT_PLAIN = ("position_bias", "softcap", "cache")
_SPARE_BYTES = 1024**3  # what stays free when a tied output layer is doubled
_log = logging.getLogger(__name__)


def speed_up(model: PreTrainedModel, tell: Callable[[float], None]) -> bool:
    """Make a model's decoding faster in place, where it is bf16 on the CPU.

    What cannot be done is left as it was and logged. Packing takes about 3 s for
    each GB of weights, one matrix at a time.

    Args:
        model: Any; others than bf16 on the CPU are not touched.
        tell: Hears which part is done, 0 to 1.

    Returns:
        Whether all of it was done.

    Raises:
        QwenTuiError: `tell` did; it ends the load.
    """
    if model.dtype != torch.bfloat16 or not _is_on_cpu(model):
        return False
    try:
        _use_packed_heads(model)
        n_packed = _pack_all(model, tell)
    except QwenTuiError:  # the parent took the load back
        raise
    except Exception as error:  # noqa: BLE001 - it only goes slower without
        _log.warning("the fast path for the CPU is off from here on", exc_info=error)
        return False
    _log.info("packed %d matrices for the CPU", n_packed)
    return True


def packed_heads_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **kwargs: Any,  # noqa: ANN401 - each architecture passes its own
) -> tuple[Tensor, None]:
    """Attend from one token, the query heads that share a key head in one matrix.

    Where nothing is masked transformers 5.23 leaves the sharing to torch, whose
    enable_gqa is several times slower on a CPU. Everything else is its own function.

    Args:
        module: The attention layer; `num_key_value_groups` query heads share keys.
        query: (batch, heads, tokens, head_dim).
        key: (batch, kv_heads, context, head_dim).
        value: The same.
        attention_mask: (batch, 1, tokens, context) or None.
        kwargs: What the library's function takes besides.

    Returns:
        (batch, tokens, heads, head_dim), and no weights.
    """
    groups = getattr(module, "num_key_value_groups", 1)
    batch, heads, tokens, head_dim = query.shape
    is_plain = not any(kwargs.get(name) is not None for name in _NOT_PLAIN)
    if tokens > 1 or groups == 1 or attention_mask is not None or not is_plain:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, **kwargs
        )
    rows = query.reshape(batch, heads // groups, groups, head_dim)
    out = functional.scaled_dot_product_attention(
        rows, key, value, scale=kwargs.get("scaling")
    )
    return out.reshape(batch, 1, heads, value.shape[-1]), None


class PackedLinear(nn.Module):
    """A bf16 linear layer whose weight lies as oneDNN reads it fastest."""

    packed: Tensor

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach()
        packed = torch.ops.mkldnn._reorder_linear_weight(weight, None)
        self.register_buffer("packed", packed, persistent=False)
        self.bias = linear.bias

    @property
    def weight(self) -> Tensor:
        """The weight as it was, (out, in): for code that looks at it; slow."""
        return self.packed.to_dense()

    def forward(self, states: Tensor) -> Tensor:
        """Return (..., out) for (..., in)."""
        if states.dtype != torch.bfloat16:
            return functional.linear(states, self.weight, self.bias)
        return torch.ops.mkldnn._linear_pointwise(
            states, self.packed, self.bias, "none", [], ""
        )


def _use_packed_heads(model: PreTrainedModel) -> None:
    config = cast(Any, model).config
    if config._attn_implementation != "sdpa":
        return
    AttentionInterface.register(_ATTENTION, packed_heads_attention)
    AttentionMaskInterface.register(_ATTENTION, sdpa_mask)
    model.set_attn_implementation(_ATTENTION)


def _pack_all(model: PreTrainedModel, tell: Callable[[float], None]) -> int:
    """Replace a model's plain linear layers; return how many."""
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        _log.info("this CPU has no fast bf16 product: no weight is packed")
        return 0
    places = [
        (parent, name)  # not the layers themselves: each is freed once it is packed
        for parent in model.modules()
        for name, child in parent.named_children()
        if _is_packable(child)
    ]
    embedding = cast(Any, model.get_input_embeddings()).weight
    packed: dict[int, PackedLinear] = {}
    for i, (parent, name) in enumerate(places):
        tell(i / len(places))
        linear = cast(nn.Linear, getattr(parent, name))
        if linear.weight is embedding and not _may_double(linear.weight):
            _log.info("too little memory is free to pack the output layer, too")
            continue
        if id(linear) not in packed:
            packed[id(linear)] = PackedLinear(linear)
        setattr(parent, name, packed[id(linear)])
    return len(packed)


def _is_packable(module: nn.Module) -> bool:
    # exactly these types: quantised layers and weights are subclasses
    return (
        type(module) is nn.Linear
        and type(module.weight) is nn.Parameter
        and module.weight.dtype == torch.bfloat16
    )


def _may_double(weight: Tensor) -> bool:
    free = free_bytes(torch.device("cpu"))
    return free is None or free > weight.nbytes + _SPARE_BYTES


def _is_on_cpu(model: PreTrainedModel) -> bool:
    return all(parameter.device.type == "cpu" for parameter in model.parameters())
