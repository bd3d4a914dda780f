"""Settings changed on the screen: saved first, in force at once; no Textual."""

import asyncio
import os
from pathlib import Path

from qwen_tui.settings import (
    SettingRow,
    Settings,
    change_setting,
    checked_text,
    effective,
    read_known,
    reset_setting,
    rival_of,
)
from qwen_tui.ui.model_desk import ModelDesk


class SettingsDesk:
    """One change at a time; every slow step is in a thread."""

    def __init__(self, models: ModelDesk, config_file: Path) -> None:
        """Change the settings that `models` holds, and `config_file`."""
        self.file = config_file
        self._models = models
        self._lock = asyncio.Lock()

    @property
    def settings(self) -> Settings:
        """In force now."""
        return self._models.settings

    async def rows(self) -> list[SettingRow]:
        """Return every setting with its value, origin and default."""
        return await asyncio.to_thread(effective, self.settings)

    async def change_by_text(self, key: str, text: str) -> str:
        """Let `key` be what was written for good; returns and raises as `change`."""
        known = (await asyncio.to_thread(read_known))[key]
        return await self.change(key, checked_text(known, text, self.file.name))

    async def change(self, key: str, value: object) -> str:
        """Let `key` be `value` for good.

        Returns:
            The variable that wins again at the next start; mostly none.

        Raises:
            QwenTuiError: the value is wrong or cannot be saved.
        """
        async with self._lock:
            match key:
                case "downloads.hf_home" if value:
                    await self._models.set_hf_home(Path(str(value)))
                case "downloads.endpoint":
                    await self._check(key, value)
                    await self._models.set_source(str(value))
                case _:
                    await self._check(key, value)
            return await asyncio.to_thread(rival_of, key, self.file, os.environ)

    async def reset(self, key: str) -> str:
        """Let the default of `key` hold again; returns and raises as `change`."""
        async with self._lock:
            self._models.settings = await asyncio.to_thread(
                reset_setting, self.settings, self.file, key
            )
            if key == "downloads.endpoint":
                self._models.use_source(self.settings.downloads.endpoint)
            return await asyncio.to_thread(rival_of, key, self.file, os.environ)

    async def _check(self, key: str, value: object) -> None:
        self._models.settings = await asyncio.to_thread(
            change_setting, self.settings, self.file, key, value
        )
