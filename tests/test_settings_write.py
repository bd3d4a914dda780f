"""One setting is written into the user's file without loss."""

import stat
import tomllib
from pathlib import Path

import pytest

from qwen_tui.errors import SettingsError
from qwen_tui.settings import (
    change_setting,
    load_settings,
    reset_setting,
    rival_of,
    save_setting,
)


def test_saving_keeps_what_we_do_not_know(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[future]\nx = [1, {y = 2024-01-02}]\n[ui]\ntheme = "主题"\n')
    before = tomllib.loads(file.read_text())
    save_setting(file, "ui.lang", "zh")
    save_setting(file, "sampling.thinking.top_k", 5)
    save_setting(file, "model.folders", (Path("/a"), "/b"))
    after = tomllib.loads(file.read_text())
    assert after["future"] == before["future"]
    assert after["ui"] == {"theme": "主题", "lang": "zh"}
    settings = load_settings(file=file, environ={})
    assert settings.sampling.thinking.top_k == 5
    assert settings.model.folders == (Path("/a"), Path("/b"))


def test_a_saved_file_is_private_and_its_folder_is_made(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.toml"
    save_setting(file, "ui.thinking_open", value=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [p.name for p in file.parent.iterdir()] == ["config.toml"]


def test_a_linked_file_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("")
    link = tmp_path / "config.toml"
    link.symlink_to(real)
    save_setting(link, "ui.lang", "en")
    assert link.is_symlink()
    assert tomllib.loads(real.read_text()) == {"ui": {"lang": "en"}}


@pytest.mark.parametrize(
    ("before", "key", "value"),
    [
        ("", "ui.lang", "fr"),
        ("", "ui.langg", "en"),
        ("[broken", "ui.lang", "en"),
        ("ui = 3", "ui.lang", "en"),
    ],
)
def test_a_save_that_is_refused_leaves_the_file_as_it_was(
    tmp_path: Path, before: str, key: str, value: str
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(before)
    with pytest.raises(SettingsError):
        save_setting(file, key, value)
    assert file.read_text() == before
    assert list(tmp_path.iterdir()) == [file]


def test_a_save_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"cannot be (written|read)"):
        save_setting(tmp_path / "file" / "config.toml", "ui.lang", "en")


def test_a_change_is_kept_and_in_force_whatever_the_environment_says(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.toml"
    environ = {"QWEN_TUI_SAMPLING_ANSWER_TOP_K": "7", "QWEN_TUI_UI_LANG": "en"}
    before = load_settings(file=file, environ=environ)
    after = change_setting(before, file, "sampling.answer.top_k", 9)
    assert after.sampling.answer.top_k == 9
    assert after.origins["sampling.answer.top_k"] == str(file)
    assert after.ui.lang == "en"
    assert rival_of("sampling.answer.top_k", file, environ) == next(iter(environ))
    assert rival_of("ui.theme", file, environ) == ""


def test_a_setting_taken_out_of_the_file_has_its_default_again(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[future]\nx = 1\n[sampling.answer]\ntop_k = 9\nmin_p = 0.5\n")
    before = load_settings(file=file, environ={})
    after = reset_setting(before, file, "sampling.answer.top_k")
    assert after.sampling.answer.top_k == 20
    assert after.sampling.answer.min_p == 0.5
    assert after.origins["sampling.answer.top_k"] == "default"
    assert tomllib.loads(file.read_text()) == {
        "future": {"x": 1},
        "sampling": {"answer": {"min_p": 0.5}},
    }
    reset_setting(after, file, "ui.theme")  # what is not there is fine


def test_a_wrong_change_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    before = load_settings(file=file, environ={})
    with pytest.raises(SettingsError, match="threads must be"):
        change_setting(before, file, "model.threads", -1)
    assert not file.exists()
