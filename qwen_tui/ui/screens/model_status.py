"""What is told in a few words: of the machine, of the jobs, of a source."""

from pathlib import Path

from qwen_tui.hub.machine import Machine
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.i18n import N_, _
from qwen_tui.sanitize import sanitize_line
from qwen_tui.ui.widgets.line_text import long_size, percent_of, share_text

_SOURCES = {"official": N_("official"), "mirror": N_("mirror")}
_COUNTED = {
    "queued": N_("{n} queued"),
    "paused": N_("{n} paused"),
    "failed": N_("{n} failed"),
}


def source_text(endpoint: str) -> str:
    """Return the name of "official", "mirror" or a URL as it is shown."""
    name = _SOURCES.get(endpoint)
    return _(name) if name is not None else sanitize_line(endpoint)


def machine_text(machine: Machine | None, *, short: bool) -> str:
    """Return what the title tells of memory: "cuda:0 H100 18.2/79.2 GiB"."""
    if machine is None:
        return ""
    if not machine.gpus:
        used = machine.ram_total - machine.ram_available
        text = share_text(used, machine.ram_total)
        return text if short else _("memory {amount}").format(amount=text)
    gpu = machine.gpus[0]
    used = gpu.total_bytes - gpu.free_bytes
    amount = share_text(used, gpu.total_bytes)
    name = "" if short else f" {sanitize_line(gpu.name)}"
    return f"cuda:{gpu.index}{name} {amount}"


def models_folder(repo: str) -> str:
    """Return the folder that is offered for plain files of a repo."""
    return str(Path("~") / "models" / repo.rpartition("/")[2])


def jobs_text(jobs: list[DownloadJob]) -> str:
    """Return what the jobs are doing in one line; empty where there is none."""
    running = [job for job in jobs if job.state == "running"]
    parts: list[str] = []
    if running:
        speed = sum(job.bytes_per_s for job in running)
        text = _("{n} downloading {percent}%")
        parts.append(text.format(n=len(running), percent=_percent(running)))
        if speed:
            parts[0] += f" {long_size(speed)}/s"
    for state, text in _COUNTED.items():
        n = sum(job.state == state for job in jobs)
        if n:
            parts.append(_(text).format(n=n))
    return _("Jobs: {jobs}").format(jobs=", ".join(parts)) if parts else ""


def download_text(jobs: list[DownloadJob]) -> str:
    """Return what the chat's header tells of the jobs; empty where there is none."""
    running = [job for job in jobs if job.state == "running"]
    if running:
        return _("downloading {percent}%").format(percent=_percent(running))
    states = {job.state for job in jobs}
    if "failed" in states:
        return _("download failed")
    return _("paused download") if "paused" in states else ""


def _percent(jobs: list[DownloadJob]) -> int:
    done = sum(job.done_bytes for job in jobs)
    return percent_of(done, sum(job.total_bytes for job in jobs))
