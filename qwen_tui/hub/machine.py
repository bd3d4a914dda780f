"""What this machine has: GPUs by nvidia-smi, memory by /proc. Never loads torch."""

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.hub.publish import free_bytes

_MIB = 1024**2
_KIB = 1024
_NVIDIA_SMI = "nvidia-smi"
_PATIENCE_S = 10.0  # a driver that is just being loaded takes seconds
_GPU_FIELDS = "uuid,name,memory.total,memory.free"
_CGROUPS = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU that torch may use."""

    index: int
    """As torch counts it: among those that CUDA_VISIBLE_DEVICES leaves."""
    name: str
    total_bytes: int
    free_bytes: int
    other_processes: int
    """How many programs compute on it now; 0 inside most containers."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Devices and memory at one moment."""

    gpus: tuple[Gpu, ...]
    ram_total: int
    """Bytes, the container's limit where it has one; 0 where unknown."""
    ram_available: int
    """Bytes that programs can still take without swapping; 0 where unknown."""

    @property
    def device_kind(self) -> str:
        """What "auto" loads a model on: "cuda" or "cpu"."""
        return "cuda" if self.gpus else "cpu"

    @property
    def free_bytes(self) -> int | None:
        """Free memory of the device that "auto" takes; None where unknown."""
        return self.gpus[0].free_bytes if self.gpus else self.ram_available or None


def read_machine(
    environ: Mapping[str, str] | None = None,
    *,
    meminfo: Path = _MEMINFO,
    cgroups: Path = _CGROUPS,
) -> Machine:
    """Look at GPUs and memory; blocks for up to seconds.

    Args:
        environ: Where PATH and CUDA_VISIBLE_DEVICES are looked up.
        meminfo: Where Linux tells of memory.
        cgroups: Where Linux tells of a container's limits.
    """
    env = os.environ if environ is None else environ
    total, available = _memory(meminfo)
    limit, used = _container_memory(cgroups)
    if limit:
        total = min(total or limit, limit)
        available = min(available or limit, max(0, limit - used))
    return Machine(tuple(_gpus(env)), total, available)


def disk_free(path: Path) -> int:
    """Free bytes where `path` is or will be; raises OSError."""
    return free_bytes(path)


def _gpus(environ: Mapping[str, str]) -> Iterator[Gpu]:
    # units are MiB; MIG slices and some cards say [N/A]
    rows = _ask(environ, f"--query-gpu={_GPU_FIELDS}")
    if not rows:
        return
    busy = Counter(row[0] for row in _ask(environ, "--query-compute-apps=gpu_uuid,pid"))
    by_uuid = {row[0]: row for row in rows if len(row) == _GPU_FIELDS.count(",") + 1}
    for index, uuid in enumerate(_visible([*by_uuid], environ)):
        _uuid, name, total, free = by_uuid[uuid]
        if total.isdecimal() and free.isdecimal():
            yield Gpu(index, name, int(total) * _MIB, int(free) * _MIB, busy[uuid])


def _ask(environ: Mapping[str, str], query: str) -> list[list[str]]:
    """Rows of nvidia-smi's answer; none where it is absent, broken or hangs."""
    command = [_NVIDIA_SMI, query, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            command,
            env={**environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [re.split(r"\s*,\s*", line.strip()) for line in done.stdout.splitlines()]


def _visible(uuids: list[str], environ: Mapping[str, str]) -> list[str]:
    """The GPUs that CUDA_VISIBLE_DEVICES leaves, in its order."""
    wanted = environ.get("CUDA_VISIBLE_DEVICES")
    if wanted is None:
        return uuids
    visible: list[str] = []
    for name in wanted.split(","):
        name = name.strip()
        if name.isdecimal() and int(name) < len(uuids):
            visible.append(uuids[int(name)])
        elif found := [uuid for uuid in uuids if name and uuid.startswith(name)]:
            visible.append(found[0])
        else:
            break  # CUDA ignores everything after the first one it cannot find
    return visible


def _memory(meminfo: Path) -> tuple[int, int]:
    """Total and available bytes of the machine."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        return _physical_bytes(), 0
    found = {name: rest for name, _colon, rest in (x.partition(":") for x in lines)}

    def kib(name: str) -> int:
        words = found.get(name, "").split()
        return int(words[0]) * _KIB if words and words[0].isdecimal() else 0

    return kib("MemTotal"), kib("MemAvailable")


def _physical_bytes() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 0


def _container_memory(cgroups: Path) -> tuple[int, int]:
    """Limit and use of this container in bytes, cgroup version 2, then 1; 0 for none.

    File cache that can be dropped does not count as used.
    """
    for folder, limit_name, use_name, cache_name in (
        (cgroups, "memory.max", "memory.current", "inactive_file"),
        (cgroups / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
         "total_inactive_file"),
    ):  # fmt: skip
        try:
            limit = (folder / limit_name).read_text(encoding="ascii").strip()
            used = int((folder / use_name).read_text(encoding="ascii"))
            stat = (folder / "memory.stat").read_text(encoding="ascii")
        except (OSError, ValueError):
            continue
        dropped = re.search(rf"^{cache_name} (\d+)$", stat, re.MULTILINE)
        # version 1 writes "no limit" as a number beyond any memory
        if limit.isdecimal() and int(limit) < 1 << 60:
            return int(limit), used - (int(dropped[1]) if dropped else 0)
    return 0, 0
