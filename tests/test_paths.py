"""Where things lie, with nothing created by asking."""

from pathlib import Path

import pytest

from qwen_tui import paths


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_the_xdg_folders_are_respected(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "d"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "s"))
    assert paths.config_file() == home / "c" / "qwen-tui" / "config.toml"
    assert paths.data_dir() == home / "d" / "qwen-tui"
    assert paths.log_dir() == home / "s" / "qwen-tui" / "log"


def test_without_xdg_everything_lies_in_the_home_folder(home: Path) -> None:
    for place in (paths.config_file(), paths.data_dir(), paths.log_dir()):
        assert place.is_relative_to(home)
    assert list(home.iterdir()) == []


def test_a_private_folder_is_made_once_for_this_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert paths.private_folder(folder) == folder
    assert folder.stat().st_mode & 0o777 == 0o700
    paths.private_folder(folder)


@pytest.mark.parametrize(
    ("environ", "home_folder", "cache_folder"),
    [
        ({}, "{home}/.cache/huggingface", "{home}/.cache/huggingface/hub"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/huggingface", "/x/huggingface/hub"),
        ({"HF_HOME": "/hf", "XDG_CACHE_HOME": "/x"}, "/hf", "/hf/hub"),
        ({"HF_HOME": "~/hf"}, "{home}/hf", "{home}/hf/hub"),
        ({"HF_HOME": "/hf", "HUGGINGFACE_HUB_CACHE": "/old"}, "/hf", "/old"),
        ({"HUGGINGFACE_HUB_CACHE": "/old", "HF_HUB_CACHE": "/new"}, None, "/new"),
        ({"HF_HOME": "", "HF_HUB_CACHE": ""}, "{home}/.cache/huggingface", None),
    ],
)
def test_the_hugging_face_folders_follow_the_librarys_rules(
    home: Path,
    environ: dict[str, str],
    home_folder: str | None,
    cache_folder: str | None,
) -> None:
    if home_folder is not None:
        wanted = Path(home_folder.format(home=home))
        assert paths.hf_home(environ) == wanted
    if cache_folder is not None:
        assert paths.hf_cache(environ) == Path(cache_folder.format(home=home))


def test_the_shipped_folders_are_there() -> None:
    assert (paths.bundled_config() / "settings.toml").is_file()
    assert (paths.bundled_config() / "models.toml").is_file()
    assert paths.demo_model().parent.name == "demo"
