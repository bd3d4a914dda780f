"""Wrong usage is one clear line and status 2; help speaks both languages."""

from pathlib import Path

import pytest

from qwen_tui import __version__
from qwen_tui.cli.main import main


def fails_with(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "Traceback" not in err
    return err


def test_an_unknown_option_is_one_line(capsys: pytest.CaptureFixture[str]):
    assert "--frobnicate" in fails_with(["--frobnicate"], capsys)


def test_an_abbreviated_option_is_not_guessed(capsys: pytest.CaptureFixture[str]):
    assert "--temp" in fails_with(["ask", "--temp", "1", "hi"], capsys)


def test_an_unknown_command_is_one_line(capsys: pytest.CaptureFixture[str]):
    assert "frobnicate" in fails_with(["frobnicate"], capsys)


def test_models_alone_says_what_is_missing(capsys: pytest.CaptureFixture[str]):
    assert "qwen-tui models --help" in fails_with(["models"], capsys)


@pytest.mark.parametrize("value", ["0", "-3", "many"])
def test_a_count_must_be_at_least_one(value: str, capsys: pytest.CaptureFixture[str]):
    err = fails_with(["ask", f"--max-new-tokens={value}", "hi"], capsys)
    assert "--max-new-tokens" in err


def test_wrong_usage_is_told_in_chinese_too(capsys: pytest.CaptureFixture[str]):
    err = fails_with(["--lang", "zh", "--frobnicate"], capsys)
    assert "无法识别的参数：--frobnicate" in err


def test_help_speaks_chinese(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit_:
        main(["--lang=zh", "--help"])
    assert exit_.value.code == 0
    out = capsys.readouterr().out
    assert "用法：" in out
    assert "列出" not in out  # that belongs to `models --help`
    assert "通用选项" in out


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as exit_:
        main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"qwen-tui {__version__}\n"


def test_a_common_option_may_stand_before_or_after_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "mine.toml"
    file.write_text("")
    assert main(["--config", str(file), "config", "path"]) == 0
    assert main(["config", "path", "--config", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}\n{file}\n"


def test_a_settings_file_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["--config", str(tmp_path / "none.toml"), "config", "show"]) == 2
    err = capsys.readouterr().err
    assert "none.toml" in err
    assert err.count("\n") == 1


def test_a_slow_link_is_a_setting_that_its_option_overrules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "mine.toml"
    file.write_text("[ui]\nslow_link = true\n")
    shown: list[str] = []
    for arguments in ([], ["--slow-link"], ["--config", str(file)]):
        assert main([*arguments, "config", "show"]) == 0
        lines = capsys.readouterr().out.splitlines()
        shown += [" ".join(line.split()) for line in lines if "ui.slow_link" in line]
    assert ["True" in line for line in shown] == [False, True, True], shown
    assert "command line" in shown[1]


@pytest.mark.parametrize("arguments", [[], ["--model", "demo"]])
def test_without_a_terminal_the_screen_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
):
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert "terminal" in err
    assert "qwen-tui ask" in err
    assert err.count("\n") == 1


def test_lang_without_a_value_is_wrong_usage(capsys: pytest.CaptureFixture[str]):
    assert "--lang" in fails_with(["--lang"], capsys)
