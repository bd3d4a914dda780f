"""`qwen-tui models info FILE.gguf`: what a file says of itself before it is loaded."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.events import LoadEstimate
from qwen_tui.cli.cells import output_width
from qwen_tui.cli.context import Context
from qwen_tui.cli.labelled import labelled
from qwen_tui.cli.models_fit import FITS
from qwen_tui.cli.output import say, say_json, size_text
from qwen_tui.hub.gguf_info import GgufInfo, read_gguf_info
from qwen_tui.hub.loading import prepare_here
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_SUFFIX = ".gguf"
_UNKNOWN = "?"


def is_gguf_here(name: str) -> bool:
    """Tell whether a model's name is that of a .gguf file on this machine."""
    return name.endswith(_SUFFIX) and Path(name).expanduser().is_file()


def show_gguf(context: Context) -> int:
    """Print what a .gguf file holds, and what it takes once it is unpacked."""
    source = context.find_source(context.args.model)
    header = read_gguf_info(Path(source.path))
    options = context.load_options(source)
    if context.args.context:
        options = replace(options, context_length=context.args.context)
    estimate = prepare_here(source, options).estimate
    if context.args.json:
        say_json(_fields(source, header, estimate))
        return 0
    say(sanitize_line(source.path))
    for line in labelled(list(_rows(header, estimate)), width=output_width()):
        say(line)
    return 0


def _fields(
    source: ModelSource, header: GgufInfo, estimate: LoadEstimate
) -> dict[str, Any]:
    return {
        "path": source.path,
        "name": header.name,
        "architecture": header.architecture,
        "packed_as": header.packed_as,
        "weights": header.n_weights,
        "context_length": header.context_length,
        "chat_template": bool(header.chat_template),
        "estimate": asdict(estimate),
    }


def _rows(header: GgufInfo, estimate: LoadEstimate) -> Iterator[tuple[str, str]]:
    yield _("name"), sanitize_line(header.name) or _UNKNOWN
    yield _("architecture"), sanitize_line(header.architecture) or _UNKNOWN
    context = _("{n} tokens").format(n=f"{header.context_length:,}")
    yield _("context"), context if header.context_length else _UNKNOWN
    template = _("in the file") if header.chat_template else _("none: it cannot chat")
    yield _("chat template"), template
    packed = _("{size}, {n} weights packed as {kind}")
    yield (
        _("file"),
        packed.format(
            size=size_text(header.file_bytes),
            n=f"{header.n_weights:,}",
            kind=header.packed_as or _UNKNOWN,
        ),
    )
    unpacked = _("{size}: they are unpacked to be computed with")
    yield _("weights"), unpacked.format(size=size_text(estimate.weights_bytes))
    kv = _("{size} at {n} tokens").format(
        size=size_text(estimate.kv_bytes), n=f"{estimate.context_length:,}"
    )
    yield _("KV cache"), kv if estimate.kv_bytes else _UNKNOWN
    free = _UNKNOWN
    if estimate.free_bytes is not None:
        free = size_text(estimate.free_bytes)
    verdict = _("{free} free: {fit}")
    yield estimate.device, verdict.format(free=free, fit=_(FITS[estimate.fit]))
