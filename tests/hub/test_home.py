"""Whether a folder can be HF_HOME."""

import os
from pathlib import Path

import pytest

from qwen_tui.errors import SettingsError
from qwen_tui.hub.filesystem import filesystem_of
from qwen_tui.hub.home import check_hf_home

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
a line of a kernel to come
"""


def refusal(path: Path | str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        check_hf_home(Path(path))
    assert caught.value.message
    assert caught.value.hint
    return caught.value


def test_a_new_folder_is_made_and_measured(tmp_path: Path) -> None:
    check = check_hf_home(tmp_path / "deep" / "hf")
    assert check.path == tmp_path / "deep" / "hf"
    assert check.path.is_dir()
    assert check.created
    disk = os.statvfs(tmp_path)
    assert check.free_bytes <= disk.f_blocks * disk.f_frsize
    assert check.free_bytes > 0
    assert list(check.path.iterdir()) == []
    assert not check_hf_home(check.path).created


def test_a_tilde_means_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert check_hf_home(Path("~/hf")).path == tmp_path / "hf"


@pytest.mark.parametrize("path", ["hf", "./hf", "", "~nobody-there/hf"])
def test_a_path_that_is_not_absolute_is_refused(path: str) -> None:
    assert not Path("hf").exists()
    refusal(path)
    assert not Path("hf").exists()


@pytest.mark.parametrize("below", ["", "hub"])
def test_a_file_is_no_folder(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine")
    assert "file" in refusal(tmp_path / "file" / below).message
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["a\0b", "x" * 300], ids=["NUL", "too long"])
def test_a_name_that_no_disk_takes_is_refused(tmp_path: Path, name: str) -> None:
    assert "\0" not in refusal(tmp_path / name).message


@pytest.mark.parametrize("path", ["/proc/hf", "/proc"])
def test_where_nothing_can_be_written_is_refused(path: str) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("no /proc here")
    assert path in refusal(path).message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        refusal(tmp_path)
        refusal(tmp_path / "below")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("path", "kind", "is_network"),
    [
        ("/home/me/hf", "ext4", False),
        ("/data/hf", "nfs4", True),
        ("/data", "nfs4", True),
        ("/data/local disk/hf", "xfs", False),
        ("/database/hf", "btrfs", False),
        ("/lustre/me", "lustre", True),
        ("/mnt/s3/hf", "fuse.rclone", True),
        ("/mnt/usb/hf", "cifs", True),
    ],
)
def test_the_filesystem_is_that_of_the_deepest_and_newest_mount(
    tmp_path: Path, path: str, kind: str, is_network: bool
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    found = filesystem_of(Path(path), mounts)
    assert (found.kind, found.is_network) == (kind, is_network)


def test_a_disk_behind_fuse_is_no_network(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("1 0 0:1 / / rw - fuseblk /dev/sdb1 rw\n")
    assert not filesystem_of(Path("/x"), mounts).is_network


def test_without_a_kernel_that_tells_the_filesystem_is_unknown(tmp_path: Path) -> None:
    found = filesystem_of(tmp_path, tmp_path / "no mountinfo")
    assert (found.kind, found.is_network) == ("", False)


def test_the_real_kernel_names_a_filesystem(tmp_path: Path) -> None:
    if not Path("/proc/self/mountinfo").exists():
        pytest.skip("no mountinfo here")
    assert filesystem_of(tmp_path).kind
    assert filesystem_of(Path("/proc")).kind == "proc"
