"""Which filesystem a path lies on, told from the kernel's list of mounts."""

from pathlib import Path

import pytest

from qwen_tui.filesystem import filesystem_of, is_on_network

MOUNTS = """\
21 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
22 21 0:20 / /proc rw - proc proc rw
40 21 0:40 / /data rw,relatime shared:7 master:2 - nfs4 server:/data rw,vers=4.2
41 40 0:41 / /data/local\\040disk rw - xfs /dev/nvme0n1 rw
42 21 0:42 / /lustre rw - lustre mds@tcp:/scratch rw
43 21 0:43 / /mnt/s3 rw - fuse.rclone remote: rw
44 21 0:44 / /mnt/usb rw - fuseblk /dev/sdb1 rw
45 21 0:45 / /mnt/usb rw - cifs //server/share rw
46 21 0:46 / /database rw - btrfs /dev/sdc rw
47 21 0:47 / /shared rw - vboxsf host rw
48 40 0:48 / /data/fast rw - tmpfs tmpfs rw
a line of a kernel to come
"""


@pytest.mark.parametrize(
    ("path", "kind", "is_network"),
    [
        ("/home/me/hf", "ext4", False),
        ("/data/hf", "nfs4", True),
        ("/data", "nfs4", True),
        ("/data/local disk/hf", "xfs", False),
        ("/data/fast/x", "tmpfs", False),
        ("/database/hf", "btrfs", False),
        ("/lustre/me", "lustre", True),
        ("/mnt/s3/hf", "fuse.rclone", True),
        ("/mnt/usb/hf", "cifs", True),
        ("/shared/x", "vboxsf", True),
    ],
)
def test_the_filesystem_is_that_of_the_deepest_and_newest_mount(
    tmp_path: Path, path: str, kind: str, is_network: bool
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    found = filesystem_of(Path(path), mounts)
    assert (found.kind, found.is_network) == (kind, is_network)
    assert is_on_network(Path(path), mounts) == is_network


def test_a_disk_behind_fuse_is_no_network(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("1 0 0:1 / / rw - fuseblk /dev/sdb1 rw\n")
    assert not is_on_network(Path("/x"), mounts)


def test_a_local_folder_is_on_no_network(tmp_path: Path) -> None:
    assert not is_on_network(tmp_path)


def test_without_a_kernel_that_tells_the_filesystem_is_unknown(tmp_path: Path) -> None:
    found = filesystem_of(tmp_path, tmp_path / "no mountinfo")
    assert (found.kind, found.is_network) == ("", False)


def test_the_real_kernel_names_a_filesystem(tmp_path: Path) -> None:
    if not Path("/proc/self/mountinfo").exists():
        pytest.skip("no mountinfo here")
    assert filesystem_of(tmp_path).kind
    assert filesystem_of(Path("/proc")).kind == "proc"
