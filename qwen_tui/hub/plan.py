"""What a download fetches: the commit, its listing, and the files we want of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, cast
from urllib.parse import quote

from qwen_tui.errors import HubError
from qwen_tui.hub.faults import bad_reply, missing
from qwen_tui.hub.quantisations import chosen, is_gguf, quantisations
from qwen_tui.hub.repo_id import check_path, is_commit, is_content_hash
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_MOST_PAGES = 1000
# the same weights in another form, of no use to us once there are safetensors
_OTHER_FORMS = (".bin", ".pth", ".pt", ".h5", ".msgpack", ".onnx", ".ot", ".gguf",
                ".tflite", ".onnx_data", ".ckpt")  # fmt: skip
_OTHER_FOLDERS = ("original", "metal", "onnx", "openvino", "coreml", "flax")

ReadJson = Callable[[str], tuple[Any, str]]
"""Address to value and next page, with retries inside."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a commit as the hub lists it."""

    path: str
    size_bytes: int
    git_sha1: str
    sha256: str = ""
    """Of LFS files; empty for others."""

    @property
    def etag(self) -> str:
        """The blob's name in the cache, and the hash to check it by."""
        return self.sha256 or self.git_sha1


@dataclass(frozen=True, slots=True)
class Blob:
    """One content to fetch; several paths may share it."""

    etag: str
    size_bytes: int
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which files of a repo are to be fetched; empty: our own choice."""

    allow: tuple[str, ...] = ()
    """Patterns over whole paths; "folder/" means all that is in it."""
    only: tuple[str, ...] = ()
    """Paths."""
    gguf: str = ""
    """Name or pattern of the quantisation to take, "Q4_K_M"."""

    def of(self, listing: Sequence[RemoteFile]) -> list[RemoteFile]:
        """The files of a listing that are chosen; may be none."""
        if self.only:
            return [file for file in listing if file.path in self.only]
        if self.allow:
            return [file for file in listing if self._allows(file.path)]
        return wanted_files(listing, self.gguf)

    def _allows(self, path: str) -> bool:
        patterns = (p + "*" if p.endswith("/") else p for p in self.allow)
        return any(fnmatchcase(path, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be fetched."""

    repo: str
    revision: str
    commit: str
    listing: tuple[RemoteFile, ...]
    """Every file of the commit."""
    files: tuple[RemoteFile, ...]
    """Those we want."""
    gguf: str = ""
    """The quantisation that was taken because nobody named one; else empty."""
    other_ggufs: tuple[str, ...] = ()
    """Those that were left for it."""

    @property
    def blobs(self) -> list[Blob]:
        """What to fetch, small ones first: config and tokenizer come early."""
        paths: dict[tuple[str, int], list[str]] = {}
        for file in self.files:
            paths.setdefault((file.etag, file.size_bytes), []).append(file.path)
        blobs = [Blob(etag, size, tuple(p)) for (etag, size), p in paths.items()]
        return sorted(blobs, key=lambda blob: (blob.size_bytes, blob.paths))


def make_plan(
    host: str, read_json: ReadJson, *, repo: str, revision: str, choice: Choice
) -> Plan:
    """Ask the hub for the commit and its files.

    Args:
        host: Named when a reply is none.
        read_json: Asks the endpoint.
        repo: A checked repo id.
        revision: Branch, tag or commit, checked.
        choice: Which files to fetch.

    Raises:
        HubError: no such repo, revision or chosen file, or a reply that is none.
        DownloadError: "unsafe_path", a path that leads out of its folder.
    """
    commit = revision
    if not is_commit(revision):
        info, _next = read_json(f"/api/models/{repo}/revision/{_quoted(revision)}")
        commit = _commit(info)
        if not is_commit(commit):
            raise bad_reply(host, _("no commit"))
    listing = _listing(host, read_json, f"/api/models/{repo}/tree/{commit}")
    if not listing:
        raise HubError(
            _("{repo} holds no files.").format(repo=repo),
            hint=_("Check the name; a private repo needs a token (HF_TOKEN)."),
            code="not_found",
        )
    files = choice.of(listing)
    absent = set(choice.only) - {file.path for file in files}
    if choice.gguf and not any(is_gguf(file.path) for file in files):
        raise _no_such_gguf(repo, choice.gguf, listing)
    if absent or not files:
        name = min(absent, default=" ".join(choice.allow))
        raise missing(f"{repo}/{name}", host)
    plan = Plan(repo, revision, commit, tuple(listing), tuple(files))
    return plan if choice != Choice() else _with_ggufs(plan)


def wanted_files(listing: Sequence[RemoteFile], gguf: str = "") -> list[RemoteFile]:
    """Leave out the weights that a repo holds again, in another form or packing.

    Args:
        listing: Every file.
        gguf: Name or pattern of a quantisation, which is then taken even where there
            are safetensors; empty: one is taken where there is nothing else.
    """
    has_main = any(_is_main_weights(file.path) for file in listing)
    if has_main and not gguf:
        return [file for file in listing if not _is_other_form(file.path)]
    taken = {
        path for offer in chosen(quantisations(listing), gguf) for path in offer.paths
    }
    return [
        file
        for file in listing
        if file.path in taken
        or not (is_gguf(file.path) or (has_main and _is_weights(file.path)))
    ]


def resolve_address(repo: str, commit: str, path: str) -> str:
    """Path and query of a file below the endpoint."""
    return f"/{repo}/resolve/{commit}/{quote(path)}"


def _commit(info: object) -> str:
    fields = cast(dict[str, object], info) if isinstance(info, dict) else {}
    return str(fields.get("sha"))


def _listing(host: str, read_json: ReadJson, address: str) -> list[RemoteFile]:
    files: dict[str, RemoteFile] = {}
    next_page = f"{address}?recursive=true&expand=false"
    for _page in range(_MOST_PAGES):
        entries, next_page = read_json(next_page)
        if not isinstance(entries, list):
            raise bad_reply(host, _("no file listing"))
        for entry in _files(cast(list[object], entries), host):
            files[entry.path] = entry
        if not next_page:
            return list(files.values())
    raise bad_reply(host, _("endless listing"))


def _files(entries: Iterable[object], host: str) -> Iterable[RemoteFile]:
    for entry in entries:
        if not isinstance(entry, dict):
            raise bad_reply(host, _("no file listing"))
        fields = cast(dict[str, object], entry)
        if fields.get("type") == "file":
            yield _remote_file(fields, host)


def _remote_file(fields: Mapping[str, object], host: str) -> RemoteFile:
    path, git_sha1 = fields.get("path"), fields.get("oid")
    size, sha256 = fields.get("size"), ""
    lfs = fields.get("lfs")
    if isinstance(lfs, dict):
        of_lfs = cast(dict[str, object], lfs)
        size, sha256 = of_lfs.get("size"), str(of_lfs.get("oid"))
    if not isinstance(path, str) or not isinstance(git_sha1, str):
        raise bad_reply(host, _("no file listing"))
    if not isinstance(size, int) or size < 0:
        raise bad_reply(host, _("no size"))
    file = RemoteFile(check_path(path), size, git_sha1, sha256)
    if not is_content_hash(file.etag):
        raise bad_reply(host, _("no hash"))
    return file


def _with_ggufs(plan: Plan) -> Plan:
    """Tell which quantisation was taken out of several."""
    paths = {file.path for file in plan.files}
    offers = quantisations(plan.listing)
    taken = [offer.name for offer in offers if paths.issuperset(offer.paths)]
    others = tuple(offer.name for offer in offers if offer.name not in taken)
    if not taken or not others:
        return plan
    return replace(plan, gguf=taken[0], other_ggufs=others)


def _no_such_gguf(repo: str, gguf: str, listing: Sequence[RemoteFile]) -> HubError:
    names = ", ".join(offer.name for offer in quantisations(listing))
    hint = _("It holds no .gguf file.")
    if names:
        hint = _("It holds {names}.").format(names=sanitize_line(names))
    return HubError(
        _("{repo} holds no quantisation {name}.").format(
            repo=repo, name=sanitize_line(gguf)
        ),
        hint=hint,
        code="not_found",
    )


def _is_weights(path: str) -> bool:
    return path.endswith(".safetensors") or _is_other_form(path)


def _is_main_weights(path: str) -> bool:
    is_top = path.endswith(".safetensors") and "/" not in path
    return is_top and not path.startswith("consolidated")


def _is_other_form(path: str) -> bool:
    folder, slash, _rest = path.partition("/")
    name = path.rpartition("/")[2]
    return (
        (bool(slash) and folder in _OTHER_FOLDERS)
        or path.endswith(_OTHER_FORMS)
        or (name.startswith("consolidated") and name.endswith(".safetensors"))
    )


def _quoted(revision: str) -> str:
    return quote(revision, safe="")
