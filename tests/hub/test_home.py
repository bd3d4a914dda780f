"""Whether a folder can be HF_HOME."""

import os
from pathlib import Path

import pytest

from qwen_tui.errors import SettingsError
from qwen_tui.hub.home import check_hf_home


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
