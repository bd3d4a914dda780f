"""The parent's side of a download: ask for it, run it in a child, hear of it."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from pathlib import Path

from qwen_tui import wire
from qwen_tui.child import Child, ChildGone
from qwen_tui.hub.catalog import repo_of
from qwen_tui.hub.endpoint import resolve_endpoint, token_origins
from qwen_tui.hub.environment import check_online, child_environ, token_for
from qwen_tui.hub.repo_id import check_repo_id, check_revision
from qwen_tui.i18n import _

DownloadEvent = (
    wire.DownloadPlan
    | wire.DownloadProgress
    | wire.DownloadRetry
    | wire.DownloadVerify
    | wire.DownloadDone
    | wire.DownloadFailed
)


def download_request(  # noqa: PLR0913 - what a person may say of a download
    repo: str,
    *,
    revision: str = "main",
    endpoint: str,
    cache_dir: Path,
    local_dir: Path | None = None,
    token_hosts: Iterable[str] = (),
    environ: Mapping[str, str] | None = None,
) -> wire.Download:
    """Return a checked request, with the token where the endpoint may see it.

    Args:
        repo: Repo id, or an alias of the catalogue.
        revision: Branch, tag or commit.
        endpoint: "official", "mirror" or a URL.
        cache_dir: The HF cache, the folder of models--* folders.
        local_dir: A plain folder instead of the cache.
        token_hosts: Hosts beside the official hub's that may see the token.
        environ: Where HF_TOKEN, HF_TOKEN_PATH and HF_HOME are looked up.

    Raises:
        UsageError: no repo id, revision, endpoint or host.
        HubError: "unreachable", HF_HUB_OFFLINE forbids it.
    """
    check_online(environ)
    url, hosts = resolve_endpoint(endpoint), tuple(token_hosts)
    return wire.Download(
        id=1,
        repo=check_repo_id(repo_of(repo)),
        revision=check_revision(revision),
        endpoint=url,
        cache_dir=str(cache_dir.expanduser().absolute()),
        local_dir=str(local_dir.expanduser().absolute()) if local_dir else "",
        token=token_for(url, hosts, environ),
        token_hosts=token_origins(hosts),
    )


async def run_download(
    request: wire.Download,
    *,
    log_dir: Path,
    environ: Mapping[str, str] | None = None,
    on_start: Callable[[Child], None] | None = None,
) -> AsyncGenerator[DownloadEvent]:
    """Run one download in a process of its own.

    The last event is `DownloadDone` or `DownloadFailed`. Closing the generator
    pauses: the process ends and what it fetched is kept. The environment's proxies
    are used; its token is not, only the request's. `on_start` is told the process,
    so that it can be killed.
    """
    try:
        child = await Child.start(
            "qwen_tui.hub",
            env=child_environ(environ),
            log_file=log_dir / "download.log",
        )
    except OSError as error:
        yield _died(request, str(error))
        return
    if on_start is not None:
        on_start(child)
    try:
        await child.send(request)
        async for message in child.messages():
            if isinstance(message, DownloadEvent):
                yield message
                if isinstance(message, wire.DownloadDone | wire.DownloadFailed):
                    return
        await child.wait()
        yield _died(request, child.death())
    except ChildGone:
        await child.wait()
        yield _died(request, child.death())
    finally:
        await child.stop()


def _died(request: wire.Download, death: str) -> wire.DownloadFailed:
    return wire.DownloadFailed(
        request.id,
        "download_died",
        _("The download process ended: {death}.").format(death=death),
        _("Start it again: what was fetched is kept."),
    )
