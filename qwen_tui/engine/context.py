"""How many tokens a model can attend to, and how YaRN makes them more."""

from collections.abc import Mapping
from typing import Any, cast

from transformers import PreTrainedTokenizerBase

from qwen_tui.errors import UsageError
from qwen_tui.i18n import _

_NO_CONTEXT_IN_CONFIG = 4096  # no config says; small enough for any model
_NO_LIMIT = 2**31  # transformers writes 1e30 where a tokenizer names no limit


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
    return int(longest) if longest < _NO_LIMIT else _NO_CONTEXT_IN_CONFIG


def stretch_by_yarn(config: Any, factor: float, original: int) -> None:  # noqa: ANN401 - as above
    """Let a model attend to `factor` times as many tokens, by YaRN.

    It is static: short texts are computed with it as well, and get a little worse.
    Source: Qwen3 model cards, "Processing Long Texts"; YaRN, arXiv:2309.00071.

    Args:
        config: Changed in place, before the model is made of it.
        factor: Above 1.
        original: Tokens the model was trained for; 0 takes its config's word.

    Raises:
        UsageError: its positions are not such that YaRN could stretch them
            (code "no_yarn").
    """
    text = config.get_text_config()
    rope = cast(Mapping[str, Any] | None, getattr(text, "rope_parameters", None))
    trained = original or getattr(text, "max_position_embeddings", 0)
    if not rope or "rope_theta" not in rope or not trained:
        raise _no_yarn(_("its config knows no rotary positions to stretch"))
    kind = str(rope.get("rope_type", "default"))
    if kind not in ("default", "yarn"):
        raise _no_yarn(
            _("its positions are scaled by {kind} already").format(kind=kind)
        )
    text.rope_parameters = {
        **rope,
        "rope_type": "yarn",
        "factor": factor,
        "original_max_position_embeddings": trained,
    }
    text.max_position_embeddings = int(trained * factor)


def _no_yarn(reason: str) -> UsageError:
    return UsageError(
        _("YaRN cannot stretch the context of this model: {reason}.").format(
            reason=reason
        ),
        hint=_("Leave out --yarn, or set model.yarn to 0."),
        code="no_yarn",
    )
