"""The models we know by name: config/models.toml."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import Any, Literal

from qwen_tui.chat.sampling import Sampling
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
    """Tokens, natively."""
    thinking: Literal["switch", "always", "never"]
    download_gb: float
    """An estimate, in 10^9 bytes."""
    active_b: float = 0.0
    """Billions used for one token in a mixture of experts; else 0."""
    is_fp8: bool = False
    """Whether the weights are stored as FP8, which only newer GPUs compute with."""
    yarn_context: int = 0
    """Tokens that the card says YaRN reaches; 0 where it names none."""
    kv_bytes_per_token: int = 0
    """Of the KV cache in bf16, all layers together; 0 where it is not known."""
    presets: Mapping[str, Sampling] = field(
        default_factory=dict[str, Sampling], compare=False
    )
    """"thinking" and "answer"; only those that the model can do."""
    source: str = ""
    """Address of the card that the presets are from."""
    revision: str = "main"

    @property
    def size_bytes(self) -> int:
        """The estimate of the download in bytes."""
        return round(self.download_gb * _BYTES_OF_GB)


@cache
def load_catalog() -> Mapping[str, CatalogEntry]:
    """Read the catalogue: alias to entry, in the file's order."""
    text = (bundled_config() / "models.toml").read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    entries = [
        entry
        for table in tables["model"]
        for entry in _entries(table, tables["preset"])
    ]
    return {entry.alias: entry for entry in entries}


def entry_of(name: str) -> CatalogEntry | None:
    """The entry of an alias or a repo id, in any case."""
    catalog, lower = load_catalog(), name.lower()
    if lower in catalog:
        return catalog[lower]
    return next((e for e in catalog.values() if e.repo.lower() == lower), None)


def recommended_sampling(name: str) -> dict[str, dict[str, float]]:
    """What the card of a model recommends: mode to the fields of `Sampling`."""
    entry = entry_of(name)
    if entry is None:
        return {}
    return {mode: asdict(preset) for mode, preset in entry.presets.items()}


def thinking_kind(name: str) -> str:
    """How a model thinks: "switch", "always" or "never"; "switch" of an unknown one."""
    entry = entry_of(name)
    return entry.thinking if entry is not None else "switch"


def repo_of(name: str) -> str:
    """The repo id of an alias, in any case; any other name as it is."""
    entry = load_catalog().get(name.lower())
    return entry.repo if entry is not None else name


def _entries(
    table: Mapping[str, Any], all_presets: Mapping[str, Any]
) -> Iterator[CatalogEntry]:
    """One entry of the file, and a second one where there is an FP8 repo too."""
    fields = dict(table)
    fp8_gb = fields.pop("fp8_gb", 0.0)
    preset = dict(all_presets[fields.pop("preset")]) if "preset" in fields else {}
    source = preset.pop("source", "")
    presets = {mode: Sampling(**values) for mode, values in preset.items()}
    entry = CatalogEntry(**fields, presets=presets, source=source)
    yield entry
    if fp8_gb:
        yield replace(
            entry,
            alias=f"{entry.alias}-fp8",
            repo=f"{entry.repo}-FP8",
            download_gb=fp8_gb,
            is_fp8=True,
        )
