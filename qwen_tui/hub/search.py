"""Look for models on a hub."""

from collections.abc import Iterator, Mapping
from typing import cast
from urllib.parse import urlencode

from qwen_tui.hub.client import HubClient
from qwen_tui.hub.faults import bad_reply
from qwen_tui.hub.repo_id import is_repo_id
from qwen_tui.i18n import _
from qwen_tui.wire_hub import RemoteModel

# what the hub's API is asked to add: huggingface_hub 2.4, ExpandModelProperty_T
_EXPAND = ("downloads", "likes", "lastModified", "gated", "safetensors", "tags")
_BYTES_PER_VALUE = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4,
                    "F16": 2, "BF16": 2, "I16": 2, "U16": 2, "F4": 0.5}  # fmt: skip


def search(client: HubClient, query: str, *, limit: int) -> list[RemoteModel]:
    """Return what the hub finds, most downloads first.

    Raises:
        Retryable, HubError: refused, unreachable, or no listing came.
    """
    asked = [("search", query), ("limit", str(limit)), ("sort", "downloads")]
    asked += [("expand", name) for name in _EXPAND]
    address = f"/api/models?{urlencode(asked)}"
    # one page: the address of the next one may lead away from a mirror
    found, _next = client.read_json(address, what=_("model search"))
    if not isinstance(found, list):
        raise bad_reply(client.host, _("no list of models"))
    return list(_models(cast(list[object], found)))[:limit]


def _models(entries: list[object]) -> Iterator[RemoteModel]:
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        fields = cast(dict[str, object], entry)
        repo = fields.get("id") or fields.get("modelId")
        if isinstance(repo, str) and is_repo_id(repo):
            yield RemoteModel(
                repo=repo,
                downloads=_count(fields.get("downloads")),
                likes=_count(fields.get("likes")),
                updated_at=_text(fields.get("lastModified")),
                gated=is_gated(fields),
                size_bytes=_weights_bytes(fields.get("safetensors")),
                tags=_tags(fields.get("tags")),
            )


def is_gated(fields: Mapping[str, object]) -> bool:
    """Whether the owner decides who may read: the hub says "auto" or "manual"."""
    return fields.get("gated") not in (None, False, "", "false")


def _weights_bytes(safetensors: object) -> int | None:
    """Values of each number format, times its bytes; a byte each where unknown."""
    fields = cast(dict[str, object], safetensors) if _is_dict(safetensors) else {}
    counts = fields.get("parameters")
    if not _is_dict(counts):
        return None
    per_format = cast(dict[str, object], counts).items()
    total = sum(_count(n) * _BYTES_PER_VALUE.get(name, 1) for name, n in per_format)
    return round(total) or None


def _is_dict(value: object) -> bool:
    return isinstance(value, dict)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _tags(value: object) -> tuple[str, ...]:
    items = cast(list[object], value) if isinstance(value, list) else []
    return tuple(item for item in items if isinstance(item, str))
