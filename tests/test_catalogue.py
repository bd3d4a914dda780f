"""The shipped catalogue of models, config/models.toml."""

from pathlib import Path

import pytest

from qwen_tui.chat.sampling import Sampling
from qwen_tui.hub.catalog import (
    CatalogEntry,
    load_catalog,
    recommended_sampling,
    repo_of,
)
from qwen_tui.settings import load_settings

ENTRIES = list(load_catalog().values())


def test_the_catalogue_names_each_model_once_and_says_how_it_thinks() -> None:
    assert len(ENTRIES) == len({entry.repo for entry in ENTRIES})
    for entry in ENTRIES:
        assert entry.repo.startswith("Qwen/")
        assert entry.alias == entry.repo.partition("/")[2].lower()
        assert entry.thinking in ("switch", "always", "never")
        assert repo_of(entry.alias.upper()) == entry.repo


def test_a_model_is_found_by_alias_and_by_repo_with_what_its_card_recommends() -> None:
    for name in ("qwen3.5-27b", "Qwen/Qwen3.5-27B"):
        assert recommended_sampling(name)["thinking"]["presence_penalty"] == 1.5
    assert recommended_sampling("somebody/else") == {}
    fields = set(Sampling.__dataclass_fields__)
    for entry in ENTRIES:
        for preset in recommended_sampling(entry.repo).values():
            assert set(preset) <= fields


@pytest.mark.parametrize(
    "repo",
    [
        "Qwen3-0.6B",
        "Qwen3-32B-FP8",
        "Qwen3-235B-A22B",
        "Qwen3-30B-A3B-Thinking-2507",
        "Qwen3-235B-A22B-Instruct-2507-FP8",
        "Qwen3-Coder-480B-A35B-Instruct",
        "Qwen3-Next-80B-A3B-Thinking",
        "Qwen3.5-9B",
        "Qwen3.8-27B-FP8",
    ],
)
def test_every_generation_is_there(repo: str) -> None:
    assert f"Qwen/{repo}" in {entry.repo for entry in ENTRIES}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.alias)
def test_an_estimate_is_near_what_parameters_and_number_format_make(
    entry: CatalogEntry,
) -> None:
    per_parameter = entry.download_gb / entry.parameters_b
    # what is stored twice or kept in bf16 weighs most in the smallest models
    low, high = (1.0, 1.9) if entry.is_fp8 else (1.99, 2.6)
    assert low <= per_parameter <= high
    assert 0 <= entry.active_b < entry.parameters_b
    assert entry.yarn_context == 0 or entry.yarn_context > entry.context


@pytest.mark.parametrize(
    ("alias", "kib"),
    # 2 x layers x KV heads x head size x 2 bytes, of each config.json
    [
        ("qwen3-0.6b", 2 * 28 * 8 * 128 * 2 / 1024),
        ("qwen3-32b", 2 * 64 * 8 * 128 * 2 / 1024),
        ("qwen3-235b-a22b", 2 * 94 * 4 * 128 * 2 / 1024),
        ("qwen3-coder-480b-a35b-instruct", 2 * 62 * 8 * 128 * 2 / 1024),
        ("qwen3-next-80b-a3b-instruct", 2 * 12 * 2 * 256 * 2 / 1024),
        ("qwen3.5-9b", 2 * 8 * 4 * 256 * 2 / 1024),
    ],
)
def test_the_cache_of_a_token_follows_the_formula(alias: str, kib: float) -> None:
    assert load_catalog()[alias].kv_bytes_per_token == kib * 1024


def test_presets_say_only_what_a_model_can_do_and_where_they_are_from() -> None:
    modes = {
        "switch": {"thinking", "answer"},
        "always": {"thinking"},
        "never": {"answer"},
    }
    for entry in ENTRIES:
        if entry.alias != "qwen3.5-2b":  # its card was not seen
            assert set(entry.presets) == modes[entry.thinking]
            assert entry.source.startswith("https://huggingface.co/Qwen/")


def test_the_coder_repeats_less() -> None:
    preset = load_catalog()["qwen3-coder-30b-a3b-instruct"].presets["answer"]
    assert (preset.temperature, preset.top_p, preset.top_k) == (0.7, 0.8, 20)
    assert preset.repetition_penalty == 1.05


@pytest.mark.parametrize(
    ("alias", "mode"),
    [
        ("qwen3-8b", "thinking"),
        ("qwen3-8b", "answer"),
        ("qwen3-4b-thinking-2507", "thinking"),
        ("qwen3-4b-instruct-2507", "answer"),
    ],
)
def test_the_presets_of_qwen3_are_the_defaults(
    tmp_path: Path, alias: str, mode: str
) -> None:
    sampling = load_settings(file=tmp_path / "none.toml", environ={}).sampling
    preset, default = load_catalog()[alias].presets[mode], getattr(sampling, mode)
    assert preset == default
