"""Where everything lies: config, data, log, HF cache, and what the package carries."""

import os
from collections.abc import Mapping
from pathlib import Path

import platformdirs

APP = "qwen-tui"


def config_file() -> Path:
    """The user's settings file; it may not exist."""
    return Path(platformdirs.user_config_dir(APP)) / "config.toml"


def data_dir() -> Path:
    """Conversations, prompt history, keymap."""
    return Path(platformdirs.user_data_dir(APP))


def log_dir() -> Path:
    """Logs of the program and of its child processes."""
    return Path(platformdirs.user_state_dir(APP)) / "log"


def private_folder(path: Path) -> Path:
    """Create `path` for this user only (0700) and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def hf_home(environ: Mapping[str, str] | None = None) -> Path:
    """The HF_HOME in force, with huggingface_hub's own default.

    Source: huggingface_hub 2.4 `constants.py`.
    """
    env = os.environ if environ is None else environ
    value = env.get("HF_HOME")
    if value:
        return Path(value).expanduser()
    cache_home = env.get("XDG_CACHE_HOME")
    base = Path(cache_home).expanduser() if cache_home else Path.home() / ".cache"
    return base / "huggingface"


def hf_cache(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of models--* repos: HF_HUB_CACHE, else HF_HOME/hub."""
    env = os.environ if environ is None else environ
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if env.get(name):
            return Path(env[name]).expanduser()
    return hf_home(env) / "hub"


def bundled_config() -> Path:
    """The shipped `config/`: inside the wheel, or beside the package in a checkout."""
    package = Path(__file__).parent
    inside = package / "config"
    return inside if inside.is_dir() else package.parent / "config"


def demo_model() -> Path:
    """The folder of the demo model that ships with the package."""
    return Path(__file__).parent / "demo" / "model"
