"""The parent's side of a download: ask for it, run it in a child, hear of it."""

import os
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

from qwen_tui import wire
from qwen_tui.child import Child, ChildGone
from qwen_tui.errors import HubError
from qwen_tui.hub.catalog import repo_of
from qwen_tui.hub.endpoint import is_official, resolve_endpoint
from qwen_tui.hub.repo_id import check_repo_id, check_revision
from qwen_tui.i18n import _, language
from qwen_tui.paths import hf_home

_TRUE = frozenset(("1", "ON", "YES", "TRUE"))  # huggingface_hub 2.4 constants.py
_TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")

DownloadEvent = (
    wire.DownloadPlan
    | wire.DownloadProgress
    | wire.DownloadRetry
    | wire.DownloadVerify
    | wire.DownloadDone
    | wire.DownloadFailed
)


def download_request(
    repo: str,
    *,
    revision: str = "main",
    endpoint: str,
    cache_dir: Path,
    local_dir: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> wire.Download:
    """Return a checked request, with the token where the official hub is asked.

    Args:
        repo: Repo id, or an alias of the catalogue.
        revision: Branch, tag or commit.
        endpoint: "official", "mirror" or a URL.
        cache_dir: The HF cache, the folder of models--* folders.
        local_dir: A plain folder instead of the cache.
        environ: Where HF_TOKEN, HF_TOKEN_PATH and HF_HOME are looked up.

    Raises:
        UsageError: no repo id, revision or endpoint.
        HubError: "unreachable", HF_HUB_OFFLINE forbids it.
    """
    env = os.environ if environ is None else environ
    if _is_on(env, "HF_HUB_OFFLINE"):
        raise HubError(
            _("HF_HUB_OFFLINE is set, so nothing is fetched."),
            hint=_("Unset it for this command, or use a model that is here."),
            code="unreachable",
        )
    url = resolve_endpoint(endpoint)
    return wire.Download(
        id=1,
        repo=check_repo_id(repo_of(repo)),
        revision=check_revision(revision),
        endpoint=url,
        cache_dir=str(cache_dir.expanduser().absolute()),
        local_dir=str(local_dir.expanduser().absolute()) if local_dir else "",
        token=find_token(env) if is_official(url) else "",
    )


def find_token(environ: Mapping[str, str]) -> str:
    """The saved token of the official hub, as the library finds it; may be empty."""
    if _is_on(environ, "HF_HUB_DISABLE_IMPLICIT_TOKEN"):
        return ""
    for name in _TOKEN_VARIABLES:
        if token := _clean(environ.get(name, "")):
            return token
    path = environ.get("HF_TOKEN_PATH")
    file = Path(path).expanduser() if path else hf_home(environ) / "token"
    try:
        return _clean(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""


async def run_download(
    request: wire.Download,
    *,
    log_dir: Path,
    environ: Mapping[str, str] | None = None,
) -> AsyncGenerator[DownloadEvent]:
    """Run one download in a process of its own.

    The last event is `DownloadDone` or `DownloadFailed`. Closing the generator
    pauses: the process ends and what it fetched is kept. The environment's proxies
    are used; its token is not, only the request's.
    """
    try:
        child = await Child.start(
            "qwen_tui.hub",
            env=_child_environ(os.environ if environ is None else environ),
            log_file=log_dir / "download.log",
        )
    except OSError as error:
        yield _died(request, str(error))
        return
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


def _child_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """What the library freezes at import has to be set before the child starts."""
    env = {k: v for k, v in environ.items() if k not in _TOKEN_VARIABLES}
    return env | {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "QWEN_TUI_LANG": language(),
    }


def _died(request: wire.Download, death: str) -> wire.DownloadFailed:
    return wire.DownloadFailed(
        request.id,
        "download_died",
        _("The download process ended: {death}.").format(death=death),
        _("Start it again: what was fetched is kept."),
    )


def _clean(token: str) -> str:
    token = token.strip()
    return token if token.isascii() and token.isprintable() else ""


def _is_on(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").upper() in _TRUE
