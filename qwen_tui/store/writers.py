"""Who writes a streaming message, and whether that process still lives."""

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

FOREIGN_SILENCE_S = 60.0
"""A writer on another host that saved nothing for so long counts as dead."""


@dataclass(frozen=True, slots=True)
class Writer:
    """One process on one host; a pid alone may be used again."""

    host: str
    pid: int
    started: str
    """Boot id and start time in clock ticks; empty where there is no /proc."""


def this_writer() -> Writer:
    """Return the running process."""
    pid = os.getpid()
    return Writer(platform.node(), pid, _started(pid))


def is_dead(writer: Writer, checkpoint_at: float) -> bool:
    """Tell whether nobody will finish what `writer` last saved at `checkpoint_at`.

    A live writer that is taken for dead sets its message right at its next save.
    """
    if writer.host != platform.node():
        return time.time() - checkpoint_at > FOREIGN_SILENCE_S
    return not _exists(writer.pid) or _started(writer.pid) != writer.started


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
