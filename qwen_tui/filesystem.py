"""Which filesystem a path lies on, and whether its locks can be trusted.

Standard library only; whoever locks a file or shares memory through one asks here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
"""Where Linux tells what is mounted where."""
# A virtual machine shares 9p, vboxsf and virtiofs with its host.
_NETWORK = re.compile(
    r"fuse(\..*)?|9p|acfs|afs|beegfs|ceph|cifs|coda|davfs|gfs2?|glusterfs|gpfs|lustre"
    "|ncpfs|nfs4?|ocfs2|orangefs|panfs|pvfs2|smb[23]|smbfs|vboxsf|virtiofs|wekafs"
)
_OCTAL = re.compile(r"\\([0-7]{3})")  # how mountinfo writes blanks: proc(5)
_FIELDS_BEFORE_OPTIONAL = 6
_MOUNT_POINT = 4


@dataclass(frozen=True, slots=True)
class Filesystem:
    """The mount that holds a path."""

    kind: str
    """As the kernel names it: "ext4", "nfs4", "fuse.sshfs"; empty when unknown."""

    @property
    def is_network(self) -> bool:
        """Whether other machines may write to it, so that a lock may not hold.

        Nor is memory shared through a file there, as SQLite's WAL needs it. FUSE
        counts too: it is mostly sshfs, rclone or an object store. A disk of its own
        is fuseblk.
        """
        return _NETWORK.fullmatch(self.kind) is not None


def filesystem_of(path: Path, mounts: Path = MOUNTS) -> Filesystem:
    """The filesystem that `path` is on or will be; unknown where no kernel tells."""
    try:
        place = str(path.resolve())
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    except (OSError, RuntimeError):  # RuntimeError: a loop of links
        return Filesystem("")
    return Filesystem(_longest_match(place, lines.splitlines()))


def is_on_network(path: Path, mounts: Path = MOUNTS) -> bool:
    """Whether `path` is on a network filesystem, as far as is known."""
    return filesystem_of(path, mounts).is_network


def _longest_match(place: str, lines: Iterable[str]) -> str:
    """The kind of the deepest mount above `place`; of two the later one hides."""
    kind, deepest = "", -1
    for line in lines:
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) < _FIELDS_BEFORE_OPTIONAL:
            continue
        point = _OCTAL.sub(lambda m: chr(int(m[1], 8)), fields[_MOUNT_POINT])
        inside = place == point or place.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= deepest:
            kind, deepest = after.split(" ")[0], len(point)
    return kind
