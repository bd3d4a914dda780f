"""One entry for each model, whatever is known of it: disk, catalogue, search, job."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from qwen_tui.hub.cache import DEMO
from qwen_tui.hub.catalog import CatalogEntry
from qwen_tui.hub.fit import Fit, MemoryNeed, judge, memory_need
from qwen_tui.hub.machine import Machine
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.hub.verify import VerifyResult
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.model_disk import DiskModel
from qwen_tui.ui.widgets.line_text import percent_of
from qwen_tui.ui.widgets.model_row import ModelRow, State
from qwen_tui.wire_hub import RemoteInfo, RemoteModel

_OWNER = "Qwen/"
_DATE_CELLS = 10
_SHORT_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32"}
_FP8_CONFIG = {"quantization_config": {"quant_method": "fp8"}}


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """What is known of one model; every part may be missing, not all of them."""

    key: str
    """The repo id, with the file's name where a repo holds several models; the
    path of what does not lie in the cache."""
    repo: str = ""
    """What would fetch it; empty for what has no repo."""
    disk: DiskModel | None = None
    catalog: CatalogEntry | None = None
    remote: RemoteModel | None = None
    info: RemoteInfo | None = None
    job: DownloadJob | None = None
    check: VerifyResult | None = None
    in_use: bool = False

    @property
    def name(self) -> str:
        """What a person calls it."""
        if self.repo and self.key.startswith(self.repo):
            return self.key.removeprefix(_OWNER)
        if self.disk is None or self.disk.model.source.name == DEMO:
            return DEMO if self.disk is not None else Path(self.key).name
        return _("{name} (local)").format(name=self.disk.model.source.name)

    @property
    def is_local(self) -> bool:
        """Whether some of it is on this machine, or on its way."""
        return self.disk is not None or self.job is not None

    @property
    def state(self) -> State:
        """The one word for it."""
        job, disk = self.job, self.disk
        if job is not None and job.state != "done":
            if job.state == "running":
                return "waiting" if job.waiting else "downloading"
            return job.state
        if disk is None:
            return "remote"
        if self.in_use:
            return "in_use"
        is_bad = self.check is not None and bool(self.check.bad)
        whole: State = "ready" if disk.model.complete else "incomplete"
        return "corrupt" if is_bad else whole

    @property
    def config(self) -> Mapping[str, Any]:
        """Its config.json, from the disk or the hub; may be empty."""
        if self.disk is not None and self.disk.config:
            return self.disk.config
        return self.info.config if self.info is not None else {}

    @property
    def size_bytes(self) -> int:
        """On disk, or of a download; 0 where nobody told."""
        if self.job is not None and self.job.state != "done" and self.job.total_bytes:
            return self.job.total_bytes
        if self.disk is not None:
            return self.disk.model.size_bytes
        if self.info is not None:
            return self.info.wanted_bytes
        if self.catalog is not None:
            return self.catalog.size_bytes
        return (self.remote.size_bytes or 0) if self.remote is not None else 0

    @property
    def context(self) -> int:
        """Tokens it was made for; 0 where nobody told."""
        if self.info is not None and self.info.context_length:
            return self.info.context_length
        if self.catalog is not None:
            return self.catalog.context
        value = self.config.get("max_position_embeddings")
        return value if isinstance(value, int) else 0

    @property
    def dtype(self) -> str:
        """The number format of its weights, short; empty where nobody told."""
        return dtype_of(self.key, self.config, self.disk)

    def need(self, context: int, device_kind: str) -> MemoryNeed:
        """Return what it takes in memory with `context` tokens."""
        context = min(context, self.context or context)
        catalog = self.catalog
        config = self.config
        if not config and catalog is not None and catalog.is_fp8:
            config = _FP8_CONFIG
        need = memory_need(
            config, self._weights_bytes, context, device_kind=device_kind
        )
        if not need.kv_bytes and catalog is not None:
            return replace(need, kv_bytes=catalog.kv_bytes_per_token * context)
        return need

    def fit(self, context: int, machine: Machine | None) -> Fit:
        """Return whether this machine has the memory for it."""
        if machine is None:
            return "unknown"
        return judge(self.need(context, machine.device_kind), machine.free_bytes)

    @property
    def _weights_bytes(self) -> int:
        if self.disk is None and self.info is not None and self.info.weights_bytes:
            return self.info.weights_bytes
        if self.disk is None:
            return self.size_bytes
        model = self.disk.model
        if not model.complete:  # what is here is a part; of a job the whole is known
            known = self.catalog if self.job is None else None
            return max(self.size_bytes, known.size_bytes if known is not None else 0)
        for revision in model.revisions:
            if revision.commit == model.source.revision:
                return revision.size_bytes
        return self.size_bytes


def dtype_of(name: str, config: Mapping[str, Any], disk: DiskModel | None) -> str:
    """Return "bf16", "fp8", "gguf" ...: by config.json, else by the name."""
    if disk is not None and disk.model.source.kind == "gguf":
        return "gguf"
    packed = config.get("quantization_config")
    if isinstance(packed, dict):
        method = cast(dict[str, object], packed).get("quant_method", "")
        return sanitize_line(str(method))
    dtype = config.get("dtype", config.get("torch_dtype"))
    if isinstance(dtype, str):
        return _SHORT_DTYPES.get(dtype, sanitize_line(dtype))
    for mark in ("fp8", "awq", "gptq", "gguf", "int4", "int8"):
        if mark in name.lower():
            return mark
    return "" if config or "/" not in name else "bf16"


@dataclass(frozen=True, slots=True)
class Known:
    """Everything entries are made of."""

    disk: Sequence[DiskModel] = ()
    catalog: Sequence[CatalogEntry] = ()
    found: Sequence[RemoteModel] = ()
    jobs: Sequence[DownloadJob] = ()
    infos: Mapping[str, RemoteInfo] | None = None
    checks: Mapping[str, VerifyResult] | None = None
    in_use: Sequence[Path] = ()
    cache_dir: str = ""
    """A job into another cache is told by its folder."""


def make_entries(known: Known) -> list[ModelEntry]:
    """Return one entry for each model: disk, jobs, catalogue, search."""
    entries: dict[str, ModelEntry] = {}

    def put(key: str, **facts: Any) -> None:  # noqa: ANN401 - fields of ModelEntry
        before = entries.get(key) or ModelEntry(key)
        entries[key] = replace(before, **facts)

    for disk in known.disk:
        model = disk.model
        key = model.source.name if model.in_cache else model.source.path
        check = (known.checks or {}).get(model.source.path)
        put(
            key,
            repo=model.repo,
            disk=disk,
            check=check,
            in_use=_is_used(model.source.path, known.in_use),
        )
    for job in known.jobs:
        put(job_key(job, known.cache_dir), repo=job.repo, job=job)
    for entry in known.catalog:
        put(entry.repo, repo=entry.repo, catalog=entry)
    for remote in known.found:
        put(remote.repo, repo=remote.repo, remote=remote)
    for repo, info in (known.infos or {}).items():
        if repo in entries:
            put(repo, info=info)
    return list(entries.values())


def row_of(entry: ModelEntry, fit: Fit) -> ModelRow:
    """Return an entry as the table shows it."""
    job = entry.job if entry.job is not None and entry.job.state != "done" else None
    reason = ""
    if job is not None:
        reason = job.waiting or job.message
    elif entry.disk is not None and not entry.disk.model.complete:
        reason = reason_text(entry.disk)
    percent = None
    if job is not None and job.total_bytes:
        percent = percent_of(job.done_bytes, job.total_bytes)
    remote = entry.remote
    return ModelRow(
        key=entry.key,
        name=entry.name,
        dtype=entry.dtype,
        size_bytes=entry.size_bytes,
        state=entry.state,
        reason=reason,
        percent=percent,
        bytes_per_s=job.bytes_per_s if job is not None else 0.0,
        fit=fit,
        downloads=remote.downloads if remote is not None else 0,
        updated=remote.updated_at[:_DATE_CELLS] if remote is not None else "",
        gated=bool(remote and remote.gated) or bool(entry.info and entry.info.gated),
    )


def reason_text(disk: DiskModel) -> str:
    """Return why a model cannot be loaded, without the long path of its folder."""
    folder = disk.model.source.path
    reason = disk.model.reason.replace(f"{folder}/", "")
    return sanitize_line(reason.replace(folder, Path(folder).name))


def refusal_text(entry: ModelEntry, disk: DiskModel) -> str:
    """Tell that a model cannot be loaded, and why."""
    text = _("{name} cannot be loaded: {reason}")
    reason = reason_text(disk) or _("a file is damaged")
    return text.format(name=entry.name, reason=reason)


def job_key(job: DownloadJob, cache_dir: str) -> str:
    """Return the key of the model that a job makes."""
    if job.local_dir:
        return job.local_dir
    return job.repo if job.cache_dir == cache_dir else f"{job.cache_dir}/{job.repo}"


def _is_used(path: str, in_use: Iterable[Path]) -> bool:
    return any(Path(path) == used or Path(path) in used.parents for used in in_use)
