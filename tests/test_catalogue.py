"""The shipped catalogue of models, config/models.toml."""

import tomllib
from pathlib import Path

from qwen_tui.paths import bundled_config
from qwen_tui.settings import load_settings

TIED_HIDDEN = {"qwen3-0.6b": 1024, "qwen3-1.7b": 2048}  # their config.json


def test_the_catalogue_names_each_model_once_and_says_how_it_thinks() -> None:
    text = (bundled_config() / "models.toml").read_text(encoding="utf-8")
    models = tomllib.loads(text)["model"]
    assert len({m["alias"] for m in models}) == len({m["repo"] for m in models})
    for model in models:
        assert model["alias"] == model["repo"].partition("/")[2].lower()
        assert model["thinking"] in ("switch", "always", "never")
        second_layer_bytes = 151_936 * TIED_HIDDEN.get(model["alias"], 0) * 2
        estimate = model["parameters_b"] * 2 + second_layer_bytes / 1e9
        assert model["download_gb"] == round(estimate, 1)


def test_the_catalogues_presets_are_the_defaults(tmp_path: Path) -> None:
    text = (bundled_config() / "models.toml").read_text(encoding="utf-8")
    presets = tomllib.loads(text)["preset"]["qwen3"]
    sampling = load_settings(file=tmp_path / "none.toml", environ={}).sampling
    for mode, preset in (("thinking", sampling.thinking), ("answer", sampling.answer)):
        for name in ("temperature", "top_p", "top_k", "min_p"):
            assert presets[mode][name] == getattr(preset, name)
