"""What a fake hub serves: repos, and what its API tells of them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

_LARGE_BYTES = 64 * 1024
_BF16_BYTES = 2
# what the official hub's search leaves out unless it is asked for `full` or `expand`
_FULL_ONLY = ("author", "sha", "lastModified", "gated", "disabled", "siblings",
              "safetensors", "usedStorage", "cardData", "config")  # fmt: skip


@dataclass
class Repo:
    """One commit of a repo."""

    name: str
    sha: str
    files: dict[str, bytes]
    gated: bool = False
    private: bool = False
    readers: tuple[str, ...] = ()
    """Tokens that may read it when it is gated or private."""
    info: Mapping[str, object] = field(default_factory=dict[str, object])
    """Fields of its model info that are not the usual ones."""

    @property
    def model_info(self) -> dict[str, object]:
        """All fields, as of `GET /api/models/<name>`."""
        sizes = {path: len(content) for path, content in self.files.items()}
        weights = sum(n for path, n in sizes.items() if path.endswith(".safetensors"))
        n_parameters = weights // _BF16_BYTES
        known: dict[str, object] = {
            "_id": "1",
            "id": self.name,
            "modelId": self.name,
            "author": self.name.partition("/")[0],
            "sha": self.sha,
            "private": self.private,
            "gated": "manual" if self.gated else False,
            "disabled": False,
            "downloads": 0,
            "likes": 0,
            "tags": [],
            "createdAt": "2025-04-27T03:40:08.000Z",
            "lastModified": "2025-07-26T03:46:27.000Z",
            "usedStorage": sum(sizes.values()),
            "siblings": [{"rfilename": path} for path in self.files],
        }
        if weights:
            parameters = {"BF16": n_parameters}
            known["safetensors"] = {"parameters": parameters, "total": n_parameters}
        return {**known, **self.info}

    @property
    def sized_siblings(self) -> list[dict[str, object]]:
        """`siblings` as of `?blobs=true`."""
        return [_sized_sibling(entry) for entry in self.tree]

    @cached_property
    def tree(self) -> list[dict[str, object]]:
        """Its files as `/api/models/<name>/tree/<revision>` lists them."""
        return [tree_entry(path, content) for path, content in self.files.items()]

    @cached_property
    def etags(self) -> dict[str, str]:
        """Path to the name of the blob."""
        return {path: etag(path, content) for path, content in self.files.items()}


def found_models(
    repos: Iterable[Repo], query: Mapping[str, list[str]]
) -> list[dict[str, object]]:
    """All that `GET /api/models?search=` finds, best first, before paging."""
    words = query.get("search", [""])[0].lower().split()
    author = query.get("author", [""])[0]
    tags = set(query.get("filter", []))
    found = [
        info
        for info in (repo.model_info for repo in repos if not repo.private)
        if all(word in str(info["id"]).lower() for word in words)
        and author in ("", info["author"])
        and tags <= set(map(str, _list(info["tags"])))
    ]
    if key := query.get("sort", [""])[0]:
        found.sort(key=lambda info: _order(info.get(key)), reverse=True)
    expand = [*query.get("expand", []), *query.get("expand[]", [])]
    if expand:
        wanted = {"_id", "id", *expand}
        return [{k: v for k, v in info.items() if k in wanted} for info in found]
    if query.get("full", ["false"])[0].lower() == "true":
        return found
    return [{k: v for k, v in i.items() if k not in _FULL_ONLY} for i in found]


def is_large(path: str, content: bytes) -> bool:
    """Whether the hub keeps the file as LFS, by sha256 and behind the CDN."""
    return len(content) >= _LARGE_BYTES or path.endswith((".safetensors", ".gguf"))


def etag(path: str, content: bytes) -> str:
    """The name of the blob: sha256 of a large file, else its git sha1."""
    if is_large(path, content):
        return hashlib.sha256(content).hexdigest()
    return _git_sha1(content)


def tree_entry(path: str, content: bytes) -> dict[str, object]:
    """A file in the listing of `/api/models/<name>/tree/<revision>`."""
    entry: dict[str, object] = {
        "type": "file",
        "oid": _git_sha1(content),
        "size": len(content),
        "path": path,
    }
    if is_large(path, content):
        sha256 = etag(path, content)
        entry["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 134}
    return entry


def _sized_sibling(entry: Mapping[str, object]) -> dict[str, object]:
    sibling = {
        "rfilename": entry["path"],
        "size": entry["size"],
        "blobId": entry["oid"],
    }
    lfs = entry.get("lfs")
    if isinstance(lfs, dict):
        sibling["lfs"] = {**lfs, "sha256": lfs["oid"]}
    return sibling


def _git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []


def _order(value: object) -> tuple[int, int, str]:
    """Numbers by size, dates by their text."""
    if isinstance(value, int):
        return 1, value, ""
    return 0, 0, str(value or "")
