"""What is asked of a hub between two downloads, and what it answers.

Values and messages of `wire` that the hub process speaks: a probe of sources, a
search, and what a repo holds. Text in them comes from outside and is raw.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Probe:
    """Try sources at the same time; one `ProbeResult` comes for each."""

    id: int
    endpoints: tuple[str, ...]
    """Base URLs, normalised."""
    repo: str
    """A public repo that every source should have."""
    file: str
    """A large file of it: other hosts may serve those than the small ones."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What was seen of one source."""

    endpoint: str
    """Base URL."""
    reachable: bool
    """Whether bytes of a large file came."""
    latency_s: float = 0.0
    """Until the first byte of the large file, redirects included."""
    hosts: tuple[str, ...] = ()
    """Who was asked for the large file, in order; the last one serves the bytes."""
    bytes_per_s: float = 0.0
    """Of a short read; 0 where none succeeded."""
    code: str = ""
    """Empty where all went well."""
    message: str = ""
    hint: str = ""
    api_hosts: tuple[str, ...] = ()
    """Who was asked for the repo's description, in order."""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Search:
    """Look for models by words."""

    id: int
    endpoint: str
    query: str
    limit: int = 30
    token: str = ""
    """Sent to the endpoint's own origin; empty unless that may see it."""


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """One model of a search."""

    repo: str
    downloads: int = 0
    """Of the last 30 days, as the hub counts."""
    likes: int = 0
    updated_at: str = ""
    """ISO 8601, as the hub writes it."""
    gated: bool = False
    size_bytes: int | None = None
    """Of the safetensors weights, by their number formats; None where unknown."""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The models found, most downloads first."""

    id: int
    models: tuple[RemoteModel, ...]


@dataclass(frozen=True, slots=True)
class Info:
    """Describe one repo before anything of it is fetched."""

    id: int
    endpoint: str
    repo: str
    revision: str = "main"
    token: str = ""
    """As in `Search`."""


@dataclass(frozen=True, slots=True)
class RemoteFileInfo:
    """One file of a repo."""

    path: str
    size_bytes: int
    wanted: bool
    """Whether a download takes it."""


@dataclass(frozen=True, slots=True)
class RemoteInfo:
    """What a repo holds."""

    repo: str
    commit: str
    license: str = ""
    """The card's short name, such as "apache-2.0"; may be empty."""
    gated: bool = False
    files: tuple[RemoteFileInfo, ...] = ()
    total_bytes: int = 0
    wanted_bytes: int = 0
    """What a download into an empty folder fetches."""
    weights_bytes: int = 0
    """What of it is loaded into memory; a .gguf file takes more, once unpacked."""
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """config.json; empty where there is none or it may not be read."""
    architecture: str = ""
    context_length: int = 0
    """Tokens, by config.json; 0 where it does not say."""


@dataclass(frozen=True, slots=True)
class InfoResult:
    """The repo was described."""

    id: int
    info: RemoteInfo


@dataclass(frozen=True, slots=True)
class QueryFailed:
    """A search or description came to nothing."""

    id: int
    code: str
    message: str
    hint: str = ""
