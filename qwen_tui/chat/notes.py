"""Events in words, the same on a screen and in a pipe."""

from qwen_tui.chat.events import ContextCut, LoadEstimate, NotPassed, Summarising
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_GIB = 1024**3


def estimate_note(estimate: LoadEstimate) -> str:
    """Return what a load will take and what is free; empty where nobody knows."""
    if not estimate.weights_bytes:
        return ""
    parts = [_("weights {gib} GiB").format(gib=_gib(estimate.weights_bytes))]
    if estimate.kv_bytes:
        kv = _("KV cache {gib} GiB at {n} tokens")
        n = f"{estimate.context_length:,}"
        parts.append(kv.format(gib=_gib(estimate.kv_bytes), n=n))
    if estimate.free_bytes is not None:
        free = _("{gib} GiB free on {device}")
        gib = _gib(estimate.free_bytes)
        parts.append(free.format(gib=gib, device=estimate.device))
    numbers = ", ".join(parts)
    if not estimate.gguf_bytes:
        return numbers
    return _("GGUF file ({kind}) of {gib} GiB, to be unpacked: {numbers}").format(
        kind=sanitize_line(estimate.gguf_kind),
        gib=_gib(estimate.gguf_bytes),
        numbers=numbers,
    )


def fit_warning(estimate: LoadEstimate) -> str:
    """Return what is told where a full context will not fit; empty where it will."""
    if estimate.fit != "too_big":
        return ""
    return _(
        "With a full context this does not fit: {numbers}. A shorter context (setting "
        "model.context), a KV cache in 8 bits (--kv-quantize int8), packed weights "
        "(--quantize, on CUDA), another device or a smaller model takes less."
    ).format(numbers=estimate_note(estimate))


def cut_note(cut: ContextCut) -> str:
    """Return what is told about messages that do not go into prompts any more."""
    if not cut.outside:
        return _("The whole conversation goes into the context again.")
    return _(
        "{n} older messages are left out: the prompt takes {tokens} tokens instead of "
        "{full}, of {limit}."
    ).format(
        n=len(cut.outside),
        tokens=f"{cut.prompt_tokens:,}",
        full=f"{cut.full_tokens:,}",
        limit=f"{cut.context_length:,}",
    )


def summarising_note(event: Summarising) -> str:
    """Return how far a summary is."""
    return _("Summing up {n} older messages: {tokens} tokens").format(
        n=event.messages, tokens=f"{event.tokens:,}"
    )


def not_passed_note(event: NotPassed) -> str:
    """Return what is told about options that a server does not know."""
    if event.names == ("answer_now",):
        return _("{server} cannot be told to end its thinking.").format(
            server=event.server
        )
    return _("{server} does not know, so it has no effect: {names}.").format(
        server=event.server, names=", ".join(event.names)
    )


def _gib(size_bytes: int) -> str:
    gib = size_bytes / _GIB
    return f"{gib:.1f}" if gib >= 1 else f"{gib:.2f}"
