"""Settings: every source, in order, checked, and written back without loss."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from qwen_tui.errors import SettingsError
from qwen_tui.paths import bundled_config
from qwen_tui.settings import Settings, effective, load_settings
from qwen_tui.settings.known import read_known
from qwen_tui.settings.values import (
    ContextSettings,
    DownloadSettings,
    GenerationSettings,
    ModelSettings,
    ServerSettings,
    UiSettings,
)


def load(
    folder: Path,
    text: str = "",
    environ: Mapping[str, str] | None = None,
    **overrides: object,
) -> Settings:
    """Load from a file that holds `text`; an override's `__` stands for a dot."""
    file = folder / "config.toml"
    if text:
        file.write_text(text, encoding="utf-8")
    dotted = {name.replace("__", "."): value for name, value in overrides.items()}
    return load_settings(file=file, overrides=dotted, environ=environ or {})


def refused(
    folder: Path, text: str = "", environ: Mapping[str, str] | None = None
) -> SettingsError:
    with pytest.raises(SettingsError) as told:
        load(folder, text, environ)
    assert told.value.exit_status == 2
    return told.value


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.model.device == "auto"
    assert settings.sampling.thinking.temperature == 0.6
    assert settings.sampling.answer.top_p == 0.8
    assert settings.generation.max_new_tokens == 32768
    assert settings.notices == ()
    assert set(settings.origins.values()) == {"default"}


def test_the_built_in_file_and_the_dataclasses_name_the_same_settings() -> None:
    sections = {
        "model": ModelSettings,
        "generation": GenerationSettings,
        "context": ContextSettings,
        "downloads": DownloadSettings,
        "server": ServerSettings,
        "ui": UiSettings,
    }
    ours = {f"{s}.{f.name}" for s, cls in sections.items() for f in fields(cls)}
    known = read_known()
    assert ours == {key for key in known if not key.startswith("sampling.")}
    assert all(one.comment for one in known.values())
    # Without defaults of their own, the file is the only place of defaults.
    for cls in sections.values():
        with pytest.raises(TypeError):
            cls()  # type: ignore[call-arg]


def test_every_built_in_default_is_allowed(tmp_path: Path) -> None:
    text = (bundled_config() / "settings.toml").read_text(encoding="utf-8")
    settings = load(tmp_path, text)
    assert settings.notices == ()
    assert "default" not in {settings.origins[key] for key in read_known()}


def test_a_models_own_presets_hold_where_nothing_was_set(tmp_path: Path) -> None:
    text = "[sampling.answer]\ntemperature = 0.7\n"  # set, though to the default
    settings = load(tmp_path, text, {"QWEN_TUI_SAMPLING_THINKING_TOP_K": "9"})
    card = {"temperature": 1.0, "top_k": 40, "presence_penalty": 1.5}
    presets = settings.presets({"thinking": card, "answer": card})
    assert presets.thinking.temperature == 1.0
    assert presets.thinking.top_k == 9
    assert presets.answer.temperature == 0.7
    assert presets.answer.presence_penalty == 1.5
    assert presets.answer.top_p == 0.8  # the card says nothing
    assert settings.turn_options().presets == settings.sampling


def test_later_sources_win_and_are_named(tmp_path: Path) -> None:
    text = '[model]\ndevice = "cpu"\nthreads = 2\ndtype = "float32"\n'
    settings = load(
        tmp_path,
        text,
        {"QWEN_TUI_MODEL_THREADS": "4", "QWEN_TUI_MODEL_DTYPE": "float16"},
        model__dtype="bfloat16",
        model__default=None,
    )
    assert settings.model.device == "cpu"
    assert settings.model.threads == 4
    assert settings.model.dtype == "bfloat16"
    origins = settings.origins
    assert origins["model.device"] == str(tmp_path / "config.toml")
    assert origins["model.threads"] == "QWEN_TUI_MODEL_THREADS"
    assert origins["model.dtype"] == "command line"
    assert origins["model.default"] == "default"


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("QWEN_TUI_LANG", "zh", "ui.lang", "zh"),
        ("QWEN_TUI_UI_THINKING_OPEN", "yes", "ui.thinking_open", True),
        ("QWEN_TUI_GENERATION_THINKING", "0", "generation.thinking", False),
        (
            "QWEN_TUI_SAMPLING_ANSWER_TOP_P",
            "0.5",
            "sampling.answer.top_p",
            0.5,
        ),
        (
            "QWEN_TUI_MODEL_TRUST_REMOTE_CODE",
            "a/b:c/d",
            "model.trust_remote_code",
            ["a/b", "c/d"],
        ),
        ("QWEN_TUI_MODEL_DEVICE", "", "model.device", "auto"),
    ],
)
def test_a_variable_sets_its_setting(
    tmp_path: Path, variable: str, text: str, key: str, value: object
) -> None:
    rows = {row.key: row for row in effective(load(tmp_path, environ={variable: text}))}
    assert rows[key].value == value
    assert rows[key].origin == (variable if text else "default")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[model]\nthreads = -1", ["model.threads", "0 or more", "-1"]),
        ("[model]\nthreads = true", ["model.threads", "whole number", "True"]),
        ("[model]\nthreads = 1.5", ["model.threads", "1.5"]),
        ("[model]\ndevice = 'gpu'", ["model.device", "cuda", "gpu"]),
        ("[model]\nfolders = ['/a', 1]", ["model.folders", "list of texts"]),
        ("[model]\nfolders = '/a'", ["model.folders", "list of texts"]),
        ("[ui]\nthinking_open = 1", ["ui.thinking_open", "true or false"]),
        ("[ui]\ntheme = 3", ["ui.theme", "a text"]),
        ("[ui]\nlang = 'fr'", ["ui.lang", "zh", "fr"]),
        ("[sampling.answer]\ntop_p = 0", ["sampling.answer.top_p", "above 0"]),
        ("[sampling.thinking]\ntemperature = nan", ["temperature", "0", "10"]),
        ("[sampling.thinking]\ntop_k = 2.0", ["sampling.thinking.top_k"]),
        ("[downloads]\nendpoint = 'hf-mirror.com'", ["endpoint", "mirror"]),
        ("[downloads]\nendpoint = 'http://[::1'", ["endpoint", "mirror"]),
        ("model = 'demo'", ["model", "section"]),
        ("[model]\nthreads = {a = 1}", ["model.threads"]),
    ],
)
def test_a_wrong_value_is_told_with_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    told = refused(tmp_path, text).message
    for word in [str(tmp_path / "config.toml"), *words]:
        assert word in told


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("QWEN_TUI_MODEL_THREADS", "many"),
        ("QWEN_TUI_UI_ASCII_BORDERS", "maybe"),
        ("HF_ENDPOINT", "not a url"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, variable: str, text: str) -> None:
    told = refused(tmp_path, environ={variable: text}).message
    assert variable in told
    assert text in told


def test_a_wrong_override_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"command line: ui\.lang"):
        load(tmp_path, ui__lang="fr")
    with pytest.raises(SettingsError) as told:
        load(tmp_path, ui__langg="en")
    assert "ui.lang" in told.value.hint


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[model]\n\ndevice = cpu\n", "line 3"),
        ("[model\n", "line 1"),
        ("[model]\nthreads = 1\nthreads = 2\n", "line 3"),
        ('[model]\ndefault = """\nnever closed\n', "line 3"),
    ],
)
def test_broken_toml_is_told_with_its_line(
    tmp_path: Path, text: str, line: str
) -> None:
    told = refused(tmp_path, text)
    assert str(tmp_path / "config.toml") in told.message
    assert line in told.message


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes('[ui]\ntheme = "主题"'.encode("gbk"))
    assert "UTF-8" in refused(tmp_path).message


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    assert "config.toml" in refused(tmp_path).message


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeff[ui]\nlang = 'zh'").ui.lang == "zh"


@pytest.mark.parametrize(
    ("text", "unknown", "real"),
    [
        ("[model]\ndevise = 'cpu'", "model.devise", "model.device"),
        ("[modle]\ndevice = 'cpu'", "modle", "model"),
        ("max_new_tokens = 5", "max_new_tokens", "generation.max_new_tokens"),
        ("[ui]\ntop_k = 5", "ui.top_k", "sampling.thinking.top_k"),
        ("[plugins.colour]\nx = 1", "plugins", ""),
    ],
)
def test_an_unknown_key_is_reported_and_the_rest_works(
    tmp_path: Path, text: str, unknown: str, real: str
) -> None:
    settings = load(tmp_path, text)
    (notice,) = settings.notices
    assert str(tmp_path / "config.toml") in notice
    assert f"setting {unknown}" in notice
    assert notice.endswith(f"did you mean {real}?") == bool(real)
    assert settings.model.device == "auto"


def test_an_unknown_variable_is_reported(tmp_path: Path) -> None:
    settings = load(tmp_path, environ={"QWEN_TUI_MODEL_DEVISE": "cpu", "OTHER": "x"})
    (notice,) = settings.notices
    assert "QWEN_TUI_MODEL_DEVISE" in notice
    assert "QWEN_TUI_MODEL_DEVICE?" in notice


def test_notices_cannot_act_on_the_terminal(tmp_path: Path) -> None:
    (notice,) = load(tmp_path, '"\\u001b]52;c;aGk=\\u0007" = 1').notices
    assert "\x1b" not in notice
    assert "\x07" not in notice


@pytest.mark.parametrize(
    ("environ", "home", "cache", "origin"),
    [
        ({}, "{home}/.cache/huggingface", "{hf}/hub", "default"),
        ({"HF_HOME": "/hf"}, "/hf", "/hf/hub", "HF_HOME"),
        (
            {"HF_HOME": "/hf", "HF_HUB_CACHE": "/c", "HUGGINGFACE_HUB_CACHE": "/d"},
            "/hf",
            "/c",
            "HF_HUB_CACHE",
        ),
        ({"HUGGINGFACE_HUB_CACHE": "/d"}, None, "/d", "HUGGINGFACE_HUB_CACHE"),
        (
            {
                "QWEN_TUI_DOWNLOADS_HF_HOME": "/us",
                "HF_HOME": "/hf",
                "HF_HUB_CACHE": "c",
            },
            "/us",
            "/us/hub",
            "QWEN_TUI_DOWNLOADS_HF_HOME",
        ),
        ({"HF_HOME": "", "HF_HUB_CACHE": ""}, None, "{hf}/hub", "default"),
    ],
)
def test_the_librarys_variables_keep_their_meaning(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    home: str | None,
    cache: str,
    origin: str,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = load(tmp_path, environ=environ)
    hf = tmp_path / ".cache" / "huggingface"
    wanted = (home or str(hf)).replace("{home}", str(tmp_path))
    assert str(settings.hf_home) == wanted
    assert str(settings.hf_cache) == cache.replace("{hf}", str(hf))
    assert settings.origins["hf_cache"] == origin


def test_the_file_and_the_command_line_set_the_hugging_face_folder(
    tmp_path: Path,
) -> None:
    text = '[downloads]\nhf_home = "models"\n'
    settings = load(tmp_path, text)
    assert settings.hf_cache == tmp_path / "models" / "hub"  # beside the file
    settings = load(tmp_path, text, {"HF_HUB_CACHE": "/c"})
    assert settings.hf_cache == Path("/c")  # the environment comes later
    settings = load(
        tmp_path, text, {"HF_HUB_CACHE": "/c"}, downloads__hf_home=Path("x")
    )
    assert settings.hf_cache == Path.cwd() / "x" / "hub"
    assert settings.origins["hf_cache"] == "command line"


def test_the_endpoint_variable_is_the_librarys(tmp_path: Path) -> None:
    environ = {"HF_ENDPOINT": "https://hub.example/"}
    settings = load(tmp_path, environ=environ)
    assert settings.downloads.endpoint == "https://hub.example/"
    assert settings.origins["downloads.endpoint"] == "HF_ENDPOINT"
    environ["QWEN_TUI_DOWNLOADS_ENDPOINT"] = "mirror"
    settings = load(tmp_path, environ=environ)
    assert settings.downloads.endpoint == "mirror"


@pytest.mark.parametrize(
    ("text", "offline"),
    [("1", True), ("on", True), ("Yes", True), ("TRUE", True), ("0", False)],
)
def test_offline_is_what_the_library_takes_for_true(
    tmp_path: Path, text: str, offline: bool
) -> None:
    settings = load(tmp_path, environ={"HF_HUB_OFFLINE": text})
    assert settings.hf_offline is offline
    assert settings.origins["hf_offline"] == "HF_HUB_OFFLINE"
    assert load(tmp_path).hf_offline is False


def test_model_folders_are_absolute(tmp_path: Path) -> None:
    text = '[model]\nfolders = ["here", "/there", "~/home"]\n'
    here, there, home = load(tmp_path, text).model.folders
    assert here == tmp_path / "here"
    assert there == Path("/there")
    assert home == Path.home() / "home"


def test_rows_tell_value_origin_default_and_comment(tmp_path: Path) -> None:
    rows = {r.key: r for r in effective(load(tmp_path, "[ui]\nlang = 'zh'"))}
    assert next(iter(rows)) == "model.default"
    row = rows["ui.lang"]
    assert (row.value, row.default) == ("zh", "auto")
    assert row.origin == str(tmp_path / "config.toml")
    assert row.comment.startswith("language")
    assert rows["hf_cache"].value == str(load(tmp_path).hf_cache)


def test_reading_settings_imports_nothing_slow() -> None:
    code = "import sys, qwen_tui.settings; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=dict(os.environ),
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"tomli_w", "difflib", "textual", "torch", "huggingface_hub"}


def test_hosts_that_may_see_the_token_come_from_the_file_or_a_variable(
    tmp_path: Path,
) -> None:
    text = '[downloads]\ntoken_hosts = ["hub.example.com"]\n'
    assert load(tmp_path, text).downloads.token_hosts == ("hub.example.com",)
    variable = "hub.example.com, http://10.0.0.5:8080,http://[::1]:9"
    environ = {"QWEN_TUI_DOWNLOADS_TOKEN_HOSTS": variable}
    assert load(tmp_path, text, environ).downloads.token_hosts == (
        "hub.example.com",
        "http://10.0.0.5:8080",
        "http://[::1]:9",
    )


@pytest.mark.parametrize(
    "host",
    [
        "",
        "*",
        "*.example.com",
        "ftp://hub.example.com",
        "https://hub.example.com/models",
        "https://me@hub.example.com",
        "hub.example.com?x",
        "hub example",
        "hub.example.com:99999",
        "https://",
        "[::1",
    ],
)
def test_what_is_no_host_may_never_see_the_token(tmp_path: Path, host: str) -> None:
    error = refused(tmp_path, f'[downloads]\ntoken_hosts = ["{host}"]\n')
    assert "downloads.token_hosts" in error.message
    assert "hub.example.com" in error.message
