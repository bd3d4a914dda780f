"""Files that a path in a prompt may mean."""

import os
from pathlib import Path

import pytest

from qwen_tui.ui.file_offers import find_paths

_FILES = (
    "notes.txt",
    "src/main.py",
    "src/deep/composer.py",
    ".hidden/x.py",
    ".env",
    "README.md",
    "说明.md",
    "node_modules/composer.js",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in _FILES:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("12345")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to(".")
    return tmp_path


def typed(text: str, folder: Path) -> list[str]:
    return [found.typed for found in find_paths(text, folder)]


def test_nothing_typed_is_everything_but_hidden_and_special_files(folder: Path):
    assert typed("", folder) == [
        "loop/", "node_modules/", "notes.txt", "README.md", "src/", "说明.md"
    ]  # fmt: skip


def test_hidden_files_come_with_a_dot(folder: Path):
    assert typed(".", folder) == [".env", ".hidden/"]
    assert typed(".hidden/", folder) == [".hidden/x.py"]


def test_a_beginning_comes_before_a_part_and_before_letters_in_order(folder: Path):
    (folder / "my notes").write_text("")
    (folder / "nothing else").write_text("")
    assert typed("not", folder)[:3] == ["notes.txt", "nothing else", "my notes"]
    assert typed("rdm", folder) == ["README.md"]
    assert typed("说", folder) == ["说明.md"]


def test_a_file_in_folders_below_is_found_by_its_name(folder: Path):
    assert typed("compo", folder) == ["src/deep/composer.py"]


def test_a_typed_folder_is_the_only_one_looked_at(folder: Path):
    assert typed("src/", folder) == ["src/deep/", "src/main.py"]
    assert typed("src/ma", folder) == ["src/main.py"]
    assert typed("../" + folder.name + "/notes", folder)[0].endswith("/notes.txt")


def test_absolute_paths_and_the_home_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    assert typed(f"{folder}/note", Path("/")) == [f"{folder}/notes.txt"]
    monkeypatch.setenv("HOME", str(folder))
    (found,) = find_paths("~/note", Path("/"))
    assert found.typed == "~/notes.txt"
    assert found.path == f"{folder}/notes.txt"
    assert found.size_bytes == 5


@pytest.mark.parametrize(
    "text", ["nowhere/x", "notes.txt/", "a\0b/", "~nobody/x", "/root\0"]
)
def test_what_cannot_be_read_offers_nothing(folder: Path, text: str):
    assert typed(text, folder) == []
