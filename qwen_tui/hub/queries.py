"""The parent's side of what is asked of a hub between downloads.

Each query runs in a process of its own, as a download does: the HTTP client takes
long to import, and what is asked can be given up at any moment by ending it.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

from qwen_tui import wire
from qwen_tui.child import Child, ChildGone
from qwen_tui.errors import HubError
from qwen_tui.hub.catalog import repo_of
from qwen_tui.hub.endpoint import resolve_endpoint
from qwen_tui.hub.environment import check_online, child_environ, token_for
from qwen_tui.hub.probe import best_source
from qwen_tui.hub.repo_id import check_repo_id, check_revision
from qwen_tui.i18n import _
from qwen_tui.wire_hub import (
    Info,
    InfoResult,
    Probe,
    ProbeResult,
    QueryFailed,
    RemoteFileInfo,
    RemoteInfo,
    RemoteModel,
    Search,
    SearchResult,
)

__all__ = [
    "ProbeResult",
    "RemoteFileInfo",
    "RemoteInfo",
    "RemoteModel",
    "best_source",
    "model_info",
    "probe_sources",
    "search_models",
]

# the smallest model of the catalogue: every mirror has it, and its weights (1.5 GB)
# lie where those of all the others lie
PROBE_REPO = "Qwen/Qwen3-0.6B"
PROBE_FILE = "model.safetensors"
_ID = 1


async def probe_sources(
    endpoints: Sequence[str],
    *,
    log_dir: Path,
    environ: Mapping[str, str] | None = None,
) -> AsyncGenerator[ProbeResult]:
    """Try sources at the same time and yield what was seen of each as it ends.

    Closing the generator ends the probe. No token is sent.

    Args:
        endpoints: "official", "mirror" or URLs; of equal ones the first counts.
        log_dir: Where the process writes its log.
        environ: Proxies and HF_HUB_OFFLINE are taken from it.

    Raises:
        UsageError: one of them is no endpoint.
        HubError: HF_HUB_OFFLINE forbids it, or the process died.
    """
    check_online(environ)
    urls = tuple(dict.fromkeys(resolve_endpoint(name) for name in endpoints))
    request = Probe(_ID, urls, PROBE_REPO, PROBE_FILE)
    waiting = set(urls)
    async with aclosing(_ask(request, log_dir=log_dir, environ=environ)) as replies:
        async for reply in replies:
            if isinstance(reply, ProbeResult):
                yield reply
                waiting.discard(reply.endpoint)
            if not waiting:
                return


async def search_models(
    query: str,
    *,
    endpoint: str,
    log_dir: Path,
    limit: int = 30,
    token_hosts: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> list[RemoteModel]:
    """Return what a hub finds for some words, most downloads first.

    Args:
        query: Words, a part of a name, or "owner/part".
        endpoint: "official", "mirror" or a URL.
        log_dir: Where the process writes its log.
        limit: The most models.
        token_hosts: Hosts beside the official hub's that may see the saved token.
        environ: Token, proxies and HF_HUB_OFFLINE are looked up there.

    Raises:
        UsageError: no endpoint.
        HubError: refused, unreachable, offline, or the process died.
    """
    check_online(environ)
    url = resolve_endpoint(endpoint)
    token = token_for(url, token_hosts, environ)
    request = Search(_ID, url, query, limit, token)
    async with aclosing(_ask(request, log_dir=log_dir, environ=environ)) as replies:
        async for reply in replies:
            if isinstance(reply, SearchResult):
                return list(reply.models)
    raise AssertionError("the generator raises where no answer comes")


async def model_info(
    repo: str,
    *,
    revision: str = "main",
    endpoint: str,
    log_dir: Path,
    token_hosts: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> RemoteInfo:
    """Describe a repo before anything of it is fetched.

    Args:
        repo: Repo id, or an alias of the catalogue.
        revision: Branch, tag or commit.
        endpoint: "official", "mirror" or a URL.
        log_dir: Where the process writes its log.
        token_hosts: Hosts beside the official hub's that may see the saved token.
        environ: Token, proxies and HF_HUB_OFFLINE are looked up there.

    Raises:
        UsageError: no repo id, revision or endpoint.
        HubError: refused, unreachable, offline, or the process died.
    """
    check_online(environ)
    url = resolve_endpoint(endpoint)
    name, token = check_repo_id(repo_of(repo)), token_for(url, token_hosts, environ)
    request = Info(_ID, url, name, check_revision(revision), token)
    async with aclosing(_ask(request, log_dir=log_dir, environ=environ)) as replies:
        async for reply in replies:
            if isinstance(reply, InfoResult):
                return reply.info
    raise AssertionError("the generator raises where no answer comes")


async def _ask(
    request: Probe | Search | Info,
    *,
    log_dir: Path,
    environ: Mapping[str, str] | None,
) -> AsyncGenerator[wire.Message]:
    """Send one request to a process of its own and yield what it says.

    Raises:
        HubError: the query failed, or the process ended before it was told so.
    """
    try:
        child = await Child.start(
            "qwen_tui.hub",
            env=child_environ(environ),
            log_file=log_dir / "download.log",
        )
    except OSError as error:
        raise _died(str(error)) from error
    try:
        await child.send(request)
        async for message in child.messages():
            if isinstance(message, QueryFailed):
                raise HubError(message.message, hint=message.hint, code=message.code)
            yield message
        await child.wait()
        raise _died(child.death())
    except ChildGone as error:
        await child.wait()
        raise _died(child.death()) from error
    finally:
        await child.stop()


def _died(death: str) -> HubError:
    return HubError(
        _("The process that asks the hub ended: {death}.").format(death=death),
        hint=_("Try again; the details are in its log."),
        code="query_died",
    )
