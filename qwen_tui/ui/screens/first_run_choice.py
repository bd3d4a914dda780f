"""Which model a machine without any is offered first."""

from dataclasses import dataclass, replace

from qwen_tui.hub.catalog import CatalogEntry, load_catalog
from qwen_tui.hub.fit import judge, memory_need
from qwen_tui.hub.machine import Machine

SMALLEST = "qwen3-0.6b"
_CONTEXT = 8192  # a long talk; more can be had later
# the plain Qwen3 models, whose thinking can be switched: the ones to begin with
_LADDER = (
    "qwen3-30b-a3b",  # as good as 32B, and several times as fast
    "qwen3-14b",
    "qwen3-8b",
    "qwen3-4b",
    "qwen3-1.7b",
    SMALLEST,
)
# a processor reads every weight for every token: beyond this one waits, not reads
_MOST_ON_CPU_B = 2.0


@dataclass(frozen=True, slots=True)
class Choice:
    """The offer."""

    entry: CatalogEntry
    fits: bool
    """Memory and disk have room for it, as far as is known."""


def recommend(machine: Machine | None, disk_free: int | None) -> Choice:
    """Return the largest model that runs well here, else the smallest there is.

    Args:
        machine: None where nothing is known: then the smallest.
        disk_free: Free bytes where models go; None where it is not known.
    """
    catalog = load_catalog()
    smallest = catalog[SMALLEST]
    if machine is None:
        return Choice(smallest, fits=True)
    for alias in _LADDER:
        entry = catalog[alias]
        on_disk = disk_free is None or entry.size_bytes < disk_free
        if on_disk and _runs_well(entry, machine):
            return Choice(entry, fits=True)
    return Choice(smallest, fits=False)


def _runs_well(entry: CatalogEntry, machine: Machine) -> bool:
    if machine.device_kind == "cpu" and entry.parameters_b > _MOST_ON_CPU_B:
        return False
    need = memory_need({}, entry.size_bytes, _CONTEXT, device_kind=machine.device_kind)
    need = replace(need, kv_bytes=entry.kv_bytes_per_token * _CONTEXT)
    return judge(need, machine.free_bytes) == "fits"
