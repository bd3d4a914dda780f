"""What a repo holds, asked before anything is fetched."""

from collections.abc import Iterable, Mapping
from typing import Any, cast
from urllib.parse import quote

from qwen_tui.errors import HubError
from qwen_tui.hub.client import HubClient
from qwen_tui.hub.fit import context_length
from qwen_tui.hub.plan import Choice, make_plan, resolve_address
from qwen_tui.hub.quantisations import is_gguf
from qwen_tui.hub.search import is_gated
from qwen_tui.wire_hub import RemoteFileInfo, RemoteInfo

_NO_CONFIG = ("not_found", "gated", "unauthorized", "bad_reply", "captive_portal")
_LICENSE_TAG = "license:"


def info(client: HubClient, repo: str, *, revision: str) -> RemoteInfo:
    """Describe a repo: its files, its licence, its config.json.

    Raises:
        Retryable, HubError: refused, unreachable, or no description came.
        DownloadError: "unsafe_path".
    """
    address = f"/api/models/{repo}/revision/{quote(revision, safe='')}"
    described = client.read_json(address, what=repo)

    def read_json(asked: str) -> tuple[Any, str]:
        if asked == address:
            return described
        return client.read_json(asked, what=repo)

    plan = make_plan(
        client.host, read_json, repo=repo, revision=revision, choice=Choice()
    )
    wanted = {file.path for file in plan.files}
    files = tuple(
        RemoteFileInfo(file.path, file.size_bytes, file.path in wanted)
        for file in plan.listing
    )
    card = _fields(described[0])
    config = _config(client, repo, plan.commit, files)
    return RemoteInfo(
        repo=repo,
        commit=plan.commit,
        license=_license(card),
        gated=is_gated(card),
        files=files,
        total_bytes=sum(file.size_bytes for file in files),
        wanted_bytes=sum(blob.size_bytes for blob in plan.blobs),
        weights_bytes=_weights_bytes(files),
        config=config,
        architecture=_architecture(config),
        context_length=context_length(config),
    )


def _config(
    client: HubClient, repo: str, commit: str, files: Iterable[RemoteFileInfo]
) -> dict[str, Any]:
    """The repo's config.json; empty where there is none we can read."""
    if not any(file.path == "config.json" for file in files):
        return {}
    address = resolve_address(repo, commit, "config.json")
    try:
        return _fields(client.read_json(address, what=repo)[0])
    except HubError as error:
        if error.code in _NO_CONFIG:
            return {}
        raise


def _weights_bytes(files: Iterable[RemoteFileInfo]) -> int:
    wanted = [file for file in files if file.wanted]
    shards = [file for file in wanted if file.path.endswith(".safetensors")]
    if not shards:
        shards = [file for file in wanted if is_gguf(file.path)]
    return sum(file.size_bytes for file in shards)


def _license(card: Mapping[str, Any]) -> str:
    named = _fields(card.get("cardData")).get("license")
    if isinstance(named, str):
        return named
    tags = card.get("tags")
    for tag in cast(list[object], tags) if isinstance(tags, list) else []:
        if isinstance(tag, str) and tag.startswith(_LICENSE_TAG):
            return tag.removeprefix(_LICENSE_TAG)
    return ""


def _architecture(config: Mapping[str, Any]) -> str:
    names = config.get("architectures")
    if isinstance(names, list) and names:
        return str(cast(list[object], names)[0])
    return str(config.get("model_type", ""))


def _fields(value: object) -> dict[str, Any]:
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}
