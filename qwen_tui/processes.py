"""Which process holds something on the disk, and whether it still runs."""

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

FOREIGN_SILENCE_S = 60.0
"""A process on another host that wrote nothing for so long counts as ended."""


@dataclass(frozen=True, slots=True)
class ProcessId:
    """One process on one host; a pid alone may be used again."""

    host: str
    pid: int
    started: str
    """Boot id and start time in clock ticks; empty where there is no /proc."""


def this_process() -> ProcessId:
    """Return the running process."""
    pid = os.getpid()
    return ProcessId(platform.node(), pid, _started(pid))


def has_ended(process: ProcessId, last_seen_at: float) -> bool:
    """Tell whether nobody will finish what a process holds.

    Args:
        process: Who holds it.
        last_seen_at: Unix time at which it last wrote that it does; counts where the
            process is on another host, which may be wrong, so that a process taken
            for ended must set right what it holds at its next write.
    """
    if process.host != platform.node():
        return time.time() - last_seen_at > FOREIGN_SILENCE_S
    return not _exists(process.pid) or _started(process.pid) != process.started


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # another user's
    return True


def _started(pid: int) -> str:
    """Return when a process started; "" without /proc, for a zombie or nobody."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
    # The name before the last ")" may hold anything; then state is field 3 and
    # starttime field 22 (proc(5)).
    after_name = stat.rpartition(")")[2].split()
    return "" if after_name[0] in "ZX" else f"{boot} {after_name[19]}"
