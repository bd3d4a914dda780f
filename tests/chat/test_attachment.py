"""Text files as parts of a prompt."""

from pathlib import Path

import pytest

from qwen_tui.chat.attachment import attach, fenced
from qwen_tui.errors import UsageError


def test_a_file_comes_fenced_under_its_name(tmp_path: Path):
    file = tmp_path / "a.py"
    file.write_text("print(1)\n")
    assert attach(file) == "a.py\n```\nprint(1)\n```"


def test_a_fence_is_longer_than_any_in_the_file(tmp_path: Path):
    file = tmp_path / "a.md"
    file.write_text("````\nx\n````\n")
    assert attach(file).startswith("a.md\n`````\n")


def test_a_binary_file_is_refused_by_name(tmp_path: Path):
    file = tmp_path / "a.bin"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"a\.bin is no UTF-8 text"):
        attach(file)


def test_a_huge_file_is_refused_with_its_size(tmp_path: Path):
    file = tmp_path / "log.txt"
    file.write_bytes(b"x" * 1_000_001)
    with pytest.raises(UsageError, match="1000001 bytes"):
        attach(file)


def test_valid_utf8_with_a_zero_byte_is_no_text(tmp_path: Path):
    file = tmp_path / "a.dat"
    file.write_bytes(b"abc\0def")
    with pytest.raises(UsageError, match=r"a\.dat is no UTF-8 text"):
        attach(file)


def test_a_folder_is_refused_with_the_reason(tmp_path: Path):
    with pytest.raises(UsageError, match="directory"):
        attach(tmp_path)


def test_a_device_without_an_end_is_refused_and_not_read_to_it():
    with pytest.raises(UsageError, match="/dev/zero has"):
        attach(Path("/dev/zero"))


def test_the_mark_at_the_start_of_a_windows_file_is_no_text_of_it(tmp_path: Path):
    file = tmp_path / "a.txt"
    file.write_bytes(b"\xef\xbb\xbfhello")
    assert attach(file) == "a.txt\n```\nhello\n```"


def test_a_name_with_a_line_end_cannot_leave_its_line(tmp_path: Path):
    file = tmp_path / "a\n```\nb\x1b[2J"
    file.write_text("text")
    assert attach(file).splitlines()[0] == "a ``` b\u241b[2J"


def test_a_file_of_nothing_but_backticks_takes_no_time():
    assert fenced("a", "`" * 900_000).splitlines()[1] == "`" * 900_001
