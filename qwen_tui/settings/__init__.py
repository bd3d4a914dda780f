"""Settings: read from every source, merged, checked, written back."""

from qwen_tui.settings.change import change_setting, reset_setting, rival_of
from qwen_tui.settings.checks import checked_text, choices_of
from qwen_tui.settings.known import read_known
from qwen_tui.settings.load import load_settings
from qwen_tui.settings.servers import SavedServer
from qwen_tui.settings.show import SettingRow, effective
from qwen_tui.settings.values import (
    ContextSettings,
    DownloadSettings,
    GenerationSettings,
    ModelSettings,
    ServerSettings,
    Settings,
    UiSettings,
)
from qwen_tui.settings.write import save_setting

__all__ = [
    "ContextSettings",
    "DownloadSettings",
    "GenerationSettings",
    "ModelSettings",
    "SavedServer",
    "ServerSettings",
    "SettingRow",
    "Settings",
    "UiSettings",
    "change_setting",
    "checked_text",
    "choices_of",
    "effective",
    "load_settings",
    "read_known",
    "reset_setting",
    "rival_of",
    "save_setting",
]
