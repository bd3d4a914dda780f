"""Names from outside that become paths: repo ids, revisions, files of a repo."""

import re
from pathlib import PurePosixPath, PureWindowsPath

from qwen_tui.errors import DownloadError, UsageError
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?"
_REPO_ID = re.compile(rf"{_PART}(?:/{_PART})?")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@-]*(?:/[A-Za-z0-9_.+@-]+)*")
_SHA = re.compile(r"[0-9a-f]{40}")
_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LONGEST_REPO_ID = 96  # huggingface_hub 2.4 utils/_validators.py
_LONGEST_REVISION = 200
_LONGEST_NAME_BYTES = 240  # 255 on most filesystems, less what we append
_LONGEST_PATH_BYTES = 1024
_REPO_FOLDER_PREFIX = "models--"


def is_repo_id(text: str) -> bool:
    """Whether `text` is "name" or "owner/name" as the hub writes them."""
    if len(text) > _LONGEST_REPO_ID or "--" in text or ".." in text:
        return False
    return _REPO_ID.fullmatch(text) is not None


def check_repo_id(text: str) -> str:
    """Return `text`; raises UsageError when it is no repo id."""
    if is_repo_id(text):
        return text
    raise UsageError(
        _('"{name}" is no repo id.').format(name=sanitize_line(text)),
        hint=_("A repo id looks like {example}.").format(example="Qwen/Qwen3-0.6B"),
    )


def check_revision(text: str) -> str:
    """Return `text`; raises UsageError when it is no branch, tag or commit."""
    fits = len(text) <= _LONGEST_REVISION and _REVISION.fullmatch(text) is not None
    if fits and not any(part in (".", "..") for part in text.split("/")):
        return text
    raise UsageError(
        _('"{name}" is no revision.').format(name=sanitize_line(text)),
        hint=_("Use a branch, a tag or a commit, for example main."),
    )


def is_commit(text: str) -> bool:
    """Whether `text` is a full commit sha."""
    return _SHA.fullmatch(text) is not None


def is_content_hash(text: str) -> bool:
    """Whether `text` names a blob: git sha1 or sha256, in lower-case hex."""
    return _HASH.fullmatch(text) is not None


def repo_folder_name(repo: str) -> str:
    """The folder of a repo in the HF cache: models--Qwen--Qwen3-0.6B."""
    return _REPO_FOLDER_PREFIX + repo.replace("/", "--")


def repo_of_folder(folder_name: str) -> str | None:
    """The repo id of a folder of the HF cache, None when it is none of ours."""
    if not folder_name.startswith(_REPO_FOLDER_PREFIX):
        return None
    repo = folder_name.removeprefix(_REPO_FOLDER_PREFIX).replace("--", "/")
    return repo if is_repo_id(repo) else None


def is_safe_path(path: str) -> bool:
    """Whether a repo's file path stays inside the folder it is written to.

    Judged by the rules of POSIX and of Windows, because caches are copied.
    """
    if not path or "\\" in path or ":" in path or not path.isprintable():
        return False
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or _is_too_long(path):
        return False
    if parts[0] == ".git" or parts[:2] == [".cache", "huggingface"]:
        return False  # the second is where a local_dir keeps our own records
    return not (PurePosixPath(path).root or PureWindowsPath(path).anchor)


def _is_too_long(path: str) -> bool:
    encoded = path.encode("utf-8", "replace")
    longest = max(map(len, encoded.split(b"/")))
    return longest > _LONGEST_NAME_BYTES or len(encoded) > _LONGEST_PATH_BYTES


def check_path(path: str) -> str:
    """Return `path`; raises DownloadError "unsafe_path" when it leads outside."""
    if is_safe_path(path):
        return path
    raise DownloadError(
        _('The server names a file "{path}" that could be written elsewhere.').format(
            path=sanitize_line(path[:200])
        ),
        hint=_("Nothing was fetched. Use another endpoint or another repo."),
        code="unsafe_path",
    )
