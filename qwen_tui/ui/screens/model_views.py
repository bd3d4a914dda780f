"""An entry as the pane tells it: facts, memory, the download, the keys that work."""

import time

from qwen_tui.hub.fit import text_config
from qwen_tui.hub.machine import Machine
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.i18n import N_, _, ngettext
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.screens.model_entries import ModelEntry, reason_text, row_of
from qwen_tui.ui.screens.model_status import source_text
from qwen_tui.ui.widgets.line_text import (
    age_text,
    home_short,
)
from qwen_tui.ui.widgets.model_detail import (
    FileLine,
    MemoryView,
    ModelDetail,
    TransferView,
)
from qwen_tui.ui.widgets.model_row import STATES, Fit, State

_SHORT_COMMIT = 8
_DATE_CELLS = 10
_THINKING = {
    "switch": N_("can be switched"),
    "always": N_("always"),
    "never": N_("never"),
}
_LOAD = ("Enter", N_("load"))
_DOWNLOAD = ("d", N_("download"))
_PAUSE = ("p", N_("pause"))
_RESUME = ("p", N_("resume"))
_CANCEL = ("x", N_("cancel"))
_DELETE = ("x", N_("delete"))
_VERIFY = ("v", N_("verify"))
_REVISIONS = ("r", N_("revisions"))
_COPY = ("y", N_("copy id"))
_CONTEXT = ("+ -", N_("context"))
_INSPECT = ("i", N_("inspect"))


def detail_of(
    entry: ModelEntry, fit: Fit, *, machine: Machine | None, context: int
) -> ModelDetail:
    """Return what the pane tells of an entry.

    Args:
        entry: The model.
        fit: Whether it fits, as the table says.
        machine: Where it would run; None where that is not known yet.
        context: Tokens that the KV cache is counted for.
    """
    job = entry.job
    return ModelDetail(
        row=row_of(entry, fit),
        title=sanitize_line(entry.repo or entry.name),
        facts=_facts(entry),
        brief=_brief(entry),
        memory=_memory(entry, machine, context),
        transfer=_transfer(entry, job) if job is not None else None,
        files=_files(entry),
        keys=[(key, _(label)) for key, label in _keys(entry)],
        note=_note(entry),
    )


def _facts(entry: ModelEntry) -> list[tuple[str, str]]:
    facts: list[tuple[str, str]] = []

    def tell(label: str, value: str) -> None:
        if value:
            facts.append((label, value))

    tell(_("arch"), _architecture(entry))
    tell(_("context"), _context(entry))
    tell(_("licence"), _license(entry))
    if entry.catalog is not None:
        tell(_("thinking"), _(_THINKING[entry.catalog.thinking]))
    if entry.disk is not None:
        place = entry.disk.model.repo_folder or entry.disk.model.source.path
        tell(_("path"), home_short(str(place)))
        tell(_("revision"), _revision(entry))
        tell(_("used"), _last_used(entry))
    elif entry.info is not None:
        tell(_("revision"), f"main @ {entry.info.commit[:_SHORT_COMMIT]}")
    if entry.remote is not None:
        tell(_("loads"), f"{entry.remote.downloads:,}")
        tell(_("likes"), f"{entry.remote.likes:,}")
        tell(_("updated"), entry.remote.updated_at[:_DATE_CELLS])
    return facts


def _brief(entry: ModelEntry) -> str:
    context = f"ctx {entry.context:,}" if entry.context else ""
    parts = (_architecture(entry), context, _license(entry))
    return "  ".join(part for part in parts if part)


def _architecture(entry: ModelEntry) -> str:
    config = entry.config
    kind = sanitize_line(str(config.get("model_type", "")))
    layers = text_config(config).get("num_hidden_layers")
    parts = [f"{kind} {layers}L" if isinstance(layers, int) else kind]
    catalog = entry.catalog
    if catalog is not None:
        parts.append(_("{n}B parameters").format(n=f"{catalog.parameters_b:g}"))
        if catalog.active_b:
            parts.append(_("{n}B active").format(n=f"{catalog.active_b:g}"))
    return ", ".join(part for part in parts if part)


def _context(entry: ModelEntry) -> str:
    if not entry.context:
        return ""
    text = f"{entry.context:,}"
    yarn = entry.catalog.yarn_context if entry.catalog is not None else 0
    return f"{text} (YaRN {yarn:,})" if yarn else text


def _license(entry: ModelEntry) -> str:
    if entry.info is not None and entry.info.license:
        return sanitize_line(entry.info.license)
    return sanitize_line(entry.disk.license) if entry.disk is not None else ""


def _revision(entry: ModelEntry) -> str:
    assert entry.disk is not None
    model = entry.disk.model
    for revision in model.revisions:
        if revision.commit == model.source.revision:
            refs = "/".join(revision.refs)
            others = len(model.revisions) - 1
            text = f"{refs} @ {revision.commit[:_SHORT_COMMIT]}".removeprefix(" @ ")
            if others:
                more = ngettext("{n} more", "{n} more", others).format(n=others)
                text = f"{text} ({more})"
            return text
    return model.source.revision[:_SHORT_COMMIT]


def _last_used(entry: ModelEntry) -> str:
    assert entry.disk is not None
    used = entry.disk.model.last_used
    return age_text(time.time() - used) if used is not None else ""


def _note(entry: ModelEntry) -> str:
    state: State = entry.state
    if state == "incomplete" and entry.disk is not None:
        return reason_text(entry.disk)
    check = entry.check
    if check is None:
        gated = entry.info.gated if entry.info is not None else False
        if state == "remote" and (gated or (entry.remote and entry.remote.gated)):
            return _("Its owner decides who may download it.")
        return ""
    if check.bad:
        names = ", ".join(bad.path_in_repo for bad in check.bad)
        return _("Damaged: {names}").format(names=sanitize_line(names))
    text = ngettext("{n} file verified.", "{n} files verified.", check.checked).format(
        n=check.checked
    )
    if check.unknown:
        n = len(check.unknown)
        unknown = ngettext(
            "Of {n} file no hash is known.", "Of {n} files no hash is known.", n
        )
        text = f"{text} {unknown.format(n=n)}"
    return text


def _memory(
    entry: ModelEntry, machine: Machine | None, context: int
) -> MemoryView | None:
    if machine is None or not entry.size_bytes:
        return None
    need = entry.need(context, machine.device_kind)
    place, total = _("main memory"), machine.ram_total
    if machine.gpus:
        gpu = machine.gpus[0]
        place, total = f"cuda:{gpu.index} {sanitize_line(gpu.name)}", gpu.total_bytes
    return MemoryView(
        place=place,
        weights_bytes=need.weights_bytes,
        kv_bytes=need.kv_bytes,
        overhead_bytes=need.overhead_bytes,
        context=min(context, entry.context or context),
        free_bytes=machine.free_bytes or 0,
        total_bytes=total,
    )


def _transfer(entry: ModelEntry, job: DownloadJob) -> TransferView | None:
    if job.state == "done":
        return None
    failed = job.state == "failed"
    return TransferView(
        state=_(STATES[entry.state][0]),
        done_bytes=job.done_bytes,
        total_bytes=job.total_bytes,
        bytes_per_s=job.bytes_per_s,
        eta_s=job.eta_s,
        retries=job.retries,
        waiting=" ".join(filter(None, (job.waiting, job.holder))),
        failure=job.message if failed else "",
        hint=job.hint if failed else "",
        source=source_text(job.endpoint),
        target=home_short(job.local_dir),
        files=[FileLine(f.path, f.size_bytes, f.have_bytes) for f in job.files],
    )


def _files(entry: ModelEntry) -> list[FileLine]:
    if entry.info is None or entry.disk is not None:
        return []
    return [FileLine(f.path, f.size_bytes, 0) for f in entry.info.files if f.wanted]


def _keys(entry: ModelEntry) -> list[tuple[str, str]]:
    deletable = entry.disk is not None and entry.disk.model.in_cache
    match entry.state:
        case "downloading" | "waiting" | "queued":
            return [_PAUSE, _CANCEL, _COPY, _CONTEXT]
        case "paused" | "failed":
            return [_RESUME, _CANCEL, _COPY, _CONTEXT]
        case "remote":
            return [_DOWNLOAD, _INSPECT, _COPY, _CONTEXT]
        case "incomplete" | "corrupt":
            fetch = [_DOWNLOAD] if entry.repo else []
            return [*fetch, _VERIFY, *([_DELETE] if deletable else []), _COPY]
        case "ready" | "in_use":
            more = [_DELETE, _REVISIONS] if deletable else []
            return [_LOAD, _VERIFY, *more, _COPY, _CONTEXT]
