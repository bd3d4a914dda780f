"""Which device and number format a model gets, and how many CPU threads."""

import os
from collections.abc import Mapping
from pathlib import Path

import torch

from qwen_tui.errors import UsageError
from qwen_tui.i18n import _

_DTYPES = {
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float32": torch.float32,
}
CUDA_RESERVE_BYTES = 1024**3  # context, kernels, activations, a first piece of KV cache


def gpus() -> list[torch.device]:
    """Return the CUDA devices; none is touched by that."""
    return [torch.device("cuda", i) for i in range(torch.cuda.device_count())]


def usable_devices() -> tuple[str, ...]:
    """Return the torch devices of this machine, best first, the CPU last."""
    names = [str(gpu) for gpu in gpus()]
    if torch.backends.mps.is_available():
        names.append("mps")
    return (*names, "cpu")


def choose_device(wanted: str) -> torch.device:
    """Return the device for `wanted`: "auto" or a torch device name.

    Raises:
        UsageError: this machine has no such device (code "no_device").
    """
    usable = usable_devices()
    if wanted == "auto":
        return torch.device(usable[0])
    name = "cuda:0" if wanted == "cuda" else wanted
    if name not in usable:
        raise UsageError(
            _("There is no device {device} here.").format(device=wanted),
            hint=_("Usable devices: {devices}.").format(devices=", ".join(usable)),
            code="no_device",
        )
    return torch.device(name)


def choose_dtype(wanted: str, device: torch.device) -> torch.dtype:
    """Return the number format for `wanted`: "auto" or a torch dtype name.

    "auto" is bf16, and fp16 on CUDA cards without it; never fp16 on a CPU, where
    it is slow and overflows.

    Raises:
        UsageError: no such number format (code "no_dtype").
    """
    if wanted != "auto":
        if wanted not in _DTYPES:
            raise UsageError(
                _("There is no number format {dtype}.").format(dtype=wanted),
                hint=_("Choose one of: {names}.").format(
                    names=", ".join(["auto", *_DTYPES])
                ),
                code="no_dtype",
            )
        return _DTYPES[wanted]
    if device.type == "cuda":
        with torch.cuda.device(device):
            native = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if native else torch.float16
    return torch.bfloat16


def free_bytes(device: torch.device) -> int | None:
    """Return the bytes a model may still take on `device`; None where unknown."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] - CUDA_RESERVE_BYTES
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return None
    for line in meminfo.read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def release_memory(device: torch.device) -> None:
    """Hand back what torch keeps for later on `device`."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def set_threads(wanted: int, environ: Mapping[str, str]) -> int:
    """Set torch's CPU threads and return their number.

    0 takes the usable cores, unless OMP_NUM_THREADS has decided already.
    """
    if wanted > 0:
        torch.set_num_threads(wanted)
    elif not environ.get("OMP_NUM_THREADS"):
        torch.set_num_threads(usable_cores())
    return torch.get_num_threads()


def usable_cores(cgroup_root: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the cores this process may use: affinity, and the container's quota."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = _cgroup_quota(cgroup_root)
    return cores if quota is None else max(1, min(cores, int(quota)))


def _cgroup_quota(root: Path) -> float | None:
    """Return the CPU quota in cores, cgroup version 2, then 1; None for no limit."""
    try:
        quota, period = (root / "cpu.max").read_text(encoding="ascii").split()
    except OSError:
        try:
            folder = root / "cpu"
            quota = (folder / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (folder / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
        except OSError:
            return None
    if quota in {"max", "-1"}:
        return None
    return int(quota) / int(period)
