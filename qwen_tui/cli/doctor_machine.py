"""What `doctor` tells of this machine: packages, devices, the terminal."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib import metadata

from qwen_tui import __version__
from qwen_tui.cli.doctor_parts import Problem, Section
from qwen_tui.cli.output import size_text
from qwen_tui.hub.machine import Machine, read_machine
from qwen_tui.i18n import _, language, ngettext
from qwen_tui.sanitize import sanitize_line

# pyproject.toml's dependencies
_PACKAGES = ("torch", "transformers", "huggingface_hub", "httpx2", "textual",
             "accelerate", "gguf", "tomli-w", "platformdirs")  # fmt: skip
_CPU_BUILD = "+cpu"  # how PyTorch's wheels without CUDA end their version


def installed() -> Section:
    """Versions, from the packages' own records: nothing is imported."""
    versions = {name: _version(name) for name in _PACKAGES}
    python = platform.python_version()
    rows = [("qwen-tui", __version__), ("python", f"{python}, {sys.executable}")]
    rows += [
        (name, version or _("not installed")) for name, version in versions.items()
    ]
    problems = [
        Problem(
            "not_installed",
            _("{package} is not installed.").format(package=name),
            _("Install qwen-tui again, as its README says."),
            is_broken=True,
        )
        for name, version in versions.items()
        if version is None
    ]
    fields = {"qwen_tui": __version__, "python": python, "packages": versions}
    return Section("installed", _("installed"), rows, fields, problems)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def devices() -> Section:
    """GPUs, memory and processor cores."""
    machine = read_machine()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    cores = cores or os.cpu_count() or 1
    rows = [*_gpu_rows(machine)]
    if not machine.gpus:
        rows.append((_("GPU"), _("none that nvidia-smi tells of")))
    free = size_text(machine.ram_available) if machine.ram_available else "?"
    total = size_text(machine.ram_total) if machine.ram_total else "?"
    memory = _("{free} free of {total}").format(free=free, total=total)
    rows.append((_("memory"), memory))
    rows.append((_("CPU cores"), str(cores)))
    problems: list[Problem] = []
    torch = _version("torch")
    if machine.gpus and torch is not None and torch.endswith(_CPU_BUILD):
        problems.append(
            Problem(
                "gpu_unused",
                _("This torch ({version}) cannot use the GPU.").format(version=torch),
                _("Install the torch for it: https://pytorch.org/get-started/locally/"),
            )
        )
    fields = {**asdict(machine), "cores": cores}
    return Section("devices", _("devices"), rows, fields, problems)


def _gpu_rows(machine: Machine) -> Iterator[tuple[str, str]]:
    for gpu in machine.gpus:
        text = _("{name}, {free} free of {total}").format(
            name=sanitize_line(gpu.name),
            free=size_text(gpu.free_bytes),
            total=size_text(gpu.total_bytes),
        )
        if gpu.other_processes:
            n = gpu.other_processes
            busy = ngettext(
                "{n} program computes on it", "{n} programs compute on it", n
            )
            text = f"{text}, {busy.format(n=n)}"
        yield f"cuda:{gpu.index}", text


def terminal(environ: Mapping[str, str]) -> Section:
    """What the terminal says of itself."""
    columns, lines = shutil.get_terminal_size()
    encoding = (sys.stdout.encoding or "?").lower()
    tmux = _("no")
    if environ.get("TMUX"):
        tmux = _("yes")
        if environ.get("TERM_PROGRAM") == "tmux":
            tmux = environ.get("TERM_PROGRAM_VERSION", tmux)
    names = {
        "TERM": environ.get("TERM", ""),
        "COLORTERM": environ.get("COLORTERM", ""),
        "tmux": tmux,
        "SSH": _("yes") if environ.get("SSH_CONNECTION") else _("no"),
    }
    rows = [(name, sanitize_line(value) or "-") for name, value in names.items()]
    rows.append((_("size"), f"{columns}x{lines}"))
    rows.append((_("encoding"), sanitize_line(encoding)))
    rows.append((_("language"), language()))
    fields = {
        "term": names["TERM"],
        "colorterm": names["COLORTERM"],
        "tmux": bool(environ.get("TMUX")),
        "ssh": bool(environ.get("SSH_CONNECTION")),
        "columns": columns,
        "lines": lines,
        "encoding": encoding,
        "language": language(),
    }
    problems = [*_terminal_problems(names["TERM"], encoding)]
    return Section("terminal", _("terminal"), rows, fields, problems)


def _terminal_problems(term: str, encoding: str) -> Iterator[Problem]:
    if term in ("", "dumb"):
        yield Problem(
            "terminal",
            _("This terminal cannot show the screen (TERM={term}).").format(term=term),
            _("'qwen-tui ask' needs none."),
        )
    if encoding.replace("-", "") != "utf8":
        yield Problem(
            "encoding",
            _("Texts are written as {encoding}, not UTF-8.").format(encoding=encoding),
            _("Set LANG to a UTF-8 locale such as C.UTF-8."),
        )
