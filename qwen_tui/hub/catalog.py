"""The models we know by name: config/models.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from qwen_tui.paths import bundled_config

_BYTES_OF_GB = 1_000_000_000


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One model of the catalogue; field names are those of the file."""

    alias: str
    """Lower case; what a person types."""
    repo: str
    parameters_b: float
    """Billions of parameters."""
    context: int
    """Tokens."""
    thinking: Literal["switch", "always", "never"]
    download_gb: float
    """An estimate, in 10^9 bytes."""
    active_b: float = 0.0
    """Billions used for one token in a mixture of experts; else 0."""
    revision: str = "main"

    @property
    def size_bytes(self) -> int:
        """The estimate of the download in bytes."""
        return round(self.download_gb * _BYTES_OF_GB)


@cache
def load_catalog() -> Mapping[str, CatalogEntry]:
    """Read the catalogue: alias to entry, in the file's order."""
    text = (bundled_config() / "models.toml").read_text(encoding="utf-8")
    entries = [CatalogEntry(**table) for table in tomllib.loads(text)["model"]]
    return {entry.alias: entry for entry in entries}


def repo_of(name: str) -> str:
    """The repo id of an alias, in any case; any other name as it is."""
    entry = load_catalog().get(name.lower())
    return entry.repo if entry is not None else name
