"""What the screens ask of hubs: as plain functions, for tests to put in their place."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.hub.queries import (
    ProbeResult,
    RemoteInfo,
    RemoteModel,
    model_info,
    probe_sources,
    search_models,
)


@dataclass(frozen=True, slots=True)
class Queries:
    """What is asked of hubs; tests put others in their place."""

    search: Callable[[str, str], Awaitable[list[RemoteModel]]]
    """Words and endpoint."""
    info: Callable[[str, str, str], Awaitable[RemoteInfo]]
    """Repo, revision and endpoint."""
    probe: Callable[[Sequence[str]], AsyncGenerator[ProbeResult]]
    """Endpoints."""


def hub_queries(
    log_dir: Path, environ: Mapping[str, str], token_hosts: Sequence[str]
) -> Queries:
    """Return the queries that really ask hubs, each in a process of its own.

    Args:
        log_dir: Where the processes log.
        environ: Where the token and proxies are looked up, at each query.
        token_hosts: Hosts beside the official hub's that may see the token.
    """

    async def search(query: str, endpoint: str) -> list[RemoteModel]:
        return await search_models(
            query,
            endpoint=endpoint,
            log_dir=log_dir,
            token_hosts=token_hosts,
            environ=environ,
        )

    async def info(repo: str, revision: str, endpoint: str) -> RemoteInfo:
        return await model_info(
            repo,
            revision=revision,
            endpoint=endpoint,
            log_dir=log_dir,
            token_hosts=token_hosts,
            environ=environ,
        )

    def probe(endpoints: Sequence[str]) -> AsyncGenerator[ProbeResult]:
        return probe_sources(endpoints, log_dir=log_dir, environ=environ)

    return Queries(search, info, probe)
