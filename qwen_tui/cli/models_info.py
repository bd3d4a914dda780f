"""`qwen-tui models info`: what a repo holds and whether it fits here."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from qwen_tui.cli.cells import output_width, table
from qwen_tui.cli.context import Context
from qwen_tui.cli.labelled import labelled
from qwen_tui.cli.models_fit import FITS
from qwen_tui.cli.models_gguf import is_gguf_here, show_gguf
from qwen_tui.cli.output import say, say_json, size_text
from qwen_tui.hub.catalog import CatalogEntry, load_catalog
from qwen_tui.hub.fit import Fit, MemoryNeed, judge, kv_bytes_per_token, memory_need
from qwen_tui.hub.machine import disk_free, read_machine
from qwen_tui.hub.queries import RemoteInfo, model_info
from qwen_tui.i18n import N_, _, ngettext
from qwen_tui.sanitize import sanitize_line

USUAL_CONTEXT = 32768
"""Tokens that memory is judged at where a model reaches further."""
_THINKING = {
    "switch": N_("can be turned on and off"),
    "always": N_("always"),
    "never": N_("never"),
}
_SHARD = re.compile(r"-\d{5}-of-(\d{5})")
_SHORT_COMMIT = 7


@dataclass(frozen=True, slots=True)
class Place:
    """One device, or the disk, and whether a model fits there."""

    name: str
    free_bytes: int | None
    total_bytes: int
    """0 where it is not told."""
    need: MemoryNeed | None
    """None of the disk."""
    fit: Fit


def info(context: Context) -> int:
    """Print what a repo, or a .gguf file, holds and whether it fits here."""
    if is_gguf_here(context.args.model):
        return show_gguf(context)
    settings = context.settings
    described = asyncio.run(
        model_info(
            context.args.model,
            revision=context.args.revision,
            endpoint=settings.downloads.endpoint,
            token_hosts=settings.downloads.token_hosts,
            log_dir=context.log_dir,
            environ=context.hub_environ,
        )
    )
    entry = _entry_of(described.repo)
    tokens = context.args.context or _usual_context(described, entry)
    places = list(_places(context, described, tokens))
    if context.args.json:
        say_json(_fields(described, entry, tokens, places))
        return 0
    for line in _sheet(described, entry, tokens, places, context.args.revision):
        say(line)
    return 0


def _entry_of(repo: str) -> CatalogEntry | None:
    known = (entry for entry in load_catalog().values() if entry.repo == repo)
    return next(known, None)


def _usual_context(described: RemoteInfo, entry: CatalogEntry | None) -> int:
    native = entry.context if entry is not None else described.context_length
    return min(native or USUAL_CONTEXT, USUAL_CONTEXT)


def _places(context: Context, described: RemoteInfo, tokens: int) -> Iterator[Place]:
    """Every device a model could be loaded on, then the disk."""
    machine = read_machine()
    weights = described.weights_bytes
    on_gpu = memory_need(described.config, weights, tokens, device_kind="cuda")
    on_cpu = memory_need(described.config, weights, tokens, device_kind="cpu")
    for gpu in machine.gpus:
        name = f"cuda:{gpu.index} {sanitize_line(gpu.name)}"
        fit = judge(on_gpu, gpu.free_bytes)
        yield Place(name, gpu.free_bytes, gpu.total_bytes, on_gpu, fit)
    if len(machine.gpus) > 1:
        free = sum(gpu.free_bytes for gpu in machine.gpus)
        total = sum(gpu.total_bytes for gpu in machine.gpus)
        yield Place(_("all GPUs"), free, total, on_gpu, judge(on_gpu, free))
    free = machine.ram_available or None
    yield Place("cpu", free, machine.ram_total, on_cpu, judge(on_cpu, free))
    yield _disk(context, described)


def _disk(context: Context, described: RemoteInfo) -> Place:
    folder = context.settings.hf_cache
    try:
        free = disk_free(folder)
    except OSError:
        return Place(str(folder), None, 0, None, "unknown")
    fit: Fit = "fits" if described.wanted_bytes <= free else "too_big"
    return Place(str(folder), free, 0, None, fit)


def _fields(
    described: RemoteInfo,
    entry: CatalogEntry | None,
    tokens: int,
    places: list[Place],
) -> dict[str, Any]:
    return {
        **asdict(described),
        "alias": entry.alias if entry is not None else "",
        "context": tokens,
        "kv_bytes_per_token": kv_bytes_per_token(described.config),
        "places": [
            {
                **asdict(place),
                "needed_bytes": place.need.total_bytes
                if place.need is not None
                else described.wanted_bytes,
            }
            for place in places
        ],
    }


def _sheet(
    described: RemoteInfo,
    entry: CatalogEntry | None,
    tokens: int,
    places: list[Place],
    revision: str,
) -> Iterator[str]:
    width = output_width()
    commit = sanitize_line(described.commit[:_SHORT_COMMIT])
    yield f"{sanitize_line(described.repo)}  {sanitize_line(revision)} @ {commit}"
    yield from labelled(list(_facts(described, entry)), width=width)
    yield ""
    yield ngettext("{n} file", "{n} files", len(described.files)).format(
        n=len(described.files)
    )
    yield from table(_file_rows(described), width=width, right=[1])
    for device in ("cuda", "cpu"):
        of_kind = [p for p in places if p.name.startswith(device)]
        if of_kind and of_kind[0].need is not None:
            yield ""
            yield from _memory(described, of_kind[0].need, device, tokens, width)
    yield ""
    yield from labelled([_verdict(place) for place in places], width=width)


def _facts(
    described: RemoteInfo, entry: CatalogEntry | None
) -> Iterator[tuple[str, str]]:
    yield _("licence"), sanitize_line(described.license) or "?"
    yield _("architecture"), sanitize_line(described.architecture) or "?"
    yield _("context"), _context_text(described, entry)
    if entry is not None:
        yield _("thinking"), _(_THINKING[entry.thinking])
        if entry.active_b:
            yield (
                _("parameters"),
                _("{total} B, {active} B of them for a token").format(
                    total=f"{entry.parameters_b:g}", active=f"{entry.active_b:g}"
                ),
            )
    if described.gated:
        page = f"https://huggingface.co/{sanitize_line(described.repo)}"
        yield _("gated"), _("accept its terms on {page} first").format(page=page)
    wanted = sum(file.wanted for file in described.files)
    yield (
        _("download"),
        _("{size}, {wanted} of {all} files").format(
            size=size_text(described.wanted_bytes),
            wanted=wanted,
            all=len(described.files),
        ),
    )


def _context_text(described: RemoteInfo, entry: CatalogEntry | None) -> str:
    native = entry.context if entry is not None else described.context_length
    if not native:
        return "?"
    if entry is not None and entry.yarn_context:
        return _("{n} tokens, {yarn} with YaRN").format(
            n=f"{native:,}", yarn=f"{entry.yarn_context:,}"
        )
    return _("{n} tokens").format(n=f"{native:,}")


def _file_rows(described: RemoteInfo) -> list[list[str]]:
    """A row for each file; the shards of one model share theirs."""
    groups: dict[tuple[str, bool], list[int]] = {}
    for file in described.files:
        name = _SHARD.sub(r"-*-of-\1", file.path)
        groups.setdefault((name, file.wanted), []).append(file.size_bytes)
    rows: list[list[str]] = []
    for (name, wanted), sizes in groups.items():
        row = [f"  {sanitize_line(name)}", size_text(sum(sizes))]
        notes = [] if len(sizes) == 1 else [_("{n} files").format(n=len(sizes))]
        notes += [] if wanted else [_("not fetched")]
        rows.append([*row, ", ".join(notes)])
    return rows


def _memory(
    described: RemoteInfo,
    need: MemoryNeed,
    device: str,
    tokens: int,
    width: int | None,
) -> Iterator[str]:
    yield _("Memory on {device} at {n} tokens").format(device=device, n=f"{tokens:,}")
    per_token = kv_bytes_per_token(described.config)
    kv = "?"
    if need.kv_bytes:
        kv = _("{size}, {n} KiB a token").format(
            size=size_text(need.kv_bytes), n=f"{per_token / 1024:g}"
        )
    rows = [
        (_("weights"), size_text(need.weights_bytes) if need.weights_bytes else "?"),
        (_("KV cache"), kv),
        (_("overhead"), size_text(need.overhead_bytes)),
        (_("together"), size_text(need.total_bytes) if need.weights_bytes else "?"),
    ]
    yield from labelled(rows, width=width)


def _verdict(place: Place) -> tuple[str, str]:
    free = "?" if place.free_bytes is None else size_text(place.free_bytes)
    name = place.name
    if place.need is None:
        name, text = _("disk"), _("{free} free in {folder}: {fit}")
    elif place.total_bytes:
        text = _("{free} free of {total}: {fit}")
    else:
        text = _("{free} free: {fit}")
    return name, text.format(
        free=free,
        total=size_text(place.total_bytes),
        folder=sanitize_line(place.name),
        fit=_(FITS[place.fit]),
    )
