"""A model on this machine, found by the name a person gives it, without any request.

Standard library only, for the UI imports it.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qwen_tui.chat.backend import ModelSource
from qwen_tui.errors import ModelIncomplete, ModelNotFound, NotAModel, QwenTuiError
from qwen_tui.hub.cache import (
    DEMO,
    LocalModel,
    inspect_path,
    list_models,
    revision_of,
)
from qwen_tui.hub.catalog import repo_of
from qwen_tui.hub.layout import cached_snapshots, entries, exists
from qwen_tui.hub.repo_id import is_repo_id, is_safe_path, repo_folder_name
from qwen_tui.hub.revisions import read_repo
from qwen_tui.hub.weights import (
    check_gguf,
    check_weights,
    gguf_choices,
    shown,
    unfinished,
)
from qwen_tui.i18n import _
from qwen_tui.paths import demo_model

_REPO_PARTS = 2


def find_model(
    name: str, *, cache_dir: Path, folders: Sequence[Path] = ()
) -> ModelSource:
    """Return the model that a person means by `name`.

    In this order: "demo"; a path; a repo id, an alias of the catalogue or
    "owner/repo/file.gguf" in the HF cache; a name inside the watched `folders`.

    Raises:
        ModelNotFound: nothing of that name, or several files to choose from.
        NotAModel, ModelIncomplete, ModelCorrupt: found, but it cannot be loaded.
    """
    if name == DEMO:
        return _source_of_folder(DEMO, demo_model())
    path = _as_path(name)
    if path is not None:
        return _source_of_path(path)
    repo, file = _split_file(repo_of(name))
    if is_repo_id(repo):
        found = _find_cached(repo, file, cache_dir) or _find_watched(name, folders)
        if found is not None:
            return found
    raise _not_found(name, repo)


def find_local(
    name: str, *, cache_dir: Path, folders: Sequence[Path] = ()
) -> LocalModel:
    """Return the entry of `list_models` that a person means by `name`, whole or not.

    A repo with several .gguf files is meant whole by its id, one of them by
    "owner/repo/file.gguf". A path need not be in the list.

    Raises:
        ModelNotFound: nothing of that name.
        NotAModel: a file that is no .gguf.
    """
    listed = list_models(cache_dir=cache_dir, folders=folders)
    path = None if name == DEMO else _as_path(name)
    wanted = str(path.absolute()) if path is not None else repo_of(name)
    for model in listed:
        if wanted in (model.source.path, model.source.name, model.source.identity):
            return model
    for model in listed:
        if model.repo == wanted:
            return replace(model, source=replace(model.source, name=model.repo))
    if path is not None:
        return inspect_path(path.absolute())
    raise _not_found(name, wanted)


def _find_cached(repo: str, file: str, cache_dir: Path) -> ModelSource | None:
    first_error: QwenTuiError | None = None
    for snapshot in cached_snapshots(repo, cache_dir):
        try:
            if file:
                return _source_of_file(f"{repo}/{file}", snapshot / file, snapshot)
            return _source_of_folder(repo, snapshot)
        except QwenTuiError as error:
            # the library writes a ref before the files: an older whole snapshot
            # is worth more than the unfinished one that the ref names
            first_error = first_error or error
    nothing_usable = first_error is None or isinstance(first_error, NotAModel)
    if nothing_usable and read_repo(cache_dir / repo_folder_name(repo)).partial_bytes:
        first_error = unfinished(repo)
    if isinstance(first_error, ModelIncomplete):
        first_error.hint = _download_hint(repo)
    if first_error is not None:
        raise first_error
    return None


def _find_watched(name: str, folders: Sequence[Path]) -> ModelSource | None:
    if not is_safe_path(name):
        return None
    for folder in folders:
        path = folder.expanduser() / name
        for candidate in (path, path.with_name(path.name + ".gguf")):
            if exists(candidate):
                return _source_of_path(candidate)
    return None


def _as_path(name: str) -> Path | None:
    """The path that exists under this name, "~" expanded."""
    try:
        path = Path(name).expanduser()
    except RuntimeError:
        return None  # "~somebody" who has no home
    return path if name and exists(path) else None


def _source_of_path(path: Path) -> ModelSource:
    path = path.absolute()
    if path.is_dir():
        return replace(_source_of_folder(path.name, path), ref=str(path))
    check_gguf(path)
    return ModelSource(path.name, str(path), "gguf", ref=str(path))


def _source_of_file(name: str, file: Path, snapshot: Path) -> ModelSource:
    if not exists(file):
        raise ModelNotFound(
            _("There is no {path}.").format(path=shown(name)), hint=_choices(snapshot)
        )
    check_gguf(file)
    return ModelSource(name, str(file.absolute()), "gguf", snapshot.name)


def _source_of_folder(name: str, folder: Path) -> ModelSource:
    weights = check_weights(folder)
    path = folder
    if weights.kind == "gguf":
        if len(weights.files) > 1:
            raise ModelNotFound(
                _("{name} holds several .gguf files: name one.").format(
                    name=shown(name)
                ),
                hint=_choices(folder, name if is_repo_id(name) else ""),
            )
        path = next(iter(weights.files))
    return ModelSource(name, str(path.absolute()), weights.kind, revision_of(folder))


def _not_found(name: str, repo: str) -> ModelNotFound:
    if name.startswith(("/", "./", "../", "~")):
        return ModelNotFound(
            _("There is no {path}.").format(path=shown(name)),
            hint=_("Check the path, or see what is there: {command}").format(
                command="qwen-tui models list"
            ),
        )
    if is_repo_id(repo) and (repo != name or "/" in repo):
        return ModelNotFound(
            _("{name} is not on this machine.").format(name=shown(name)),
            hint=_download_hint(repo),
        )
    return ModelNotFound(
        _("There is no model {name}.").format(name=shown(name) or '""'),
        hint=_("See what is there: {list}. Fetch one: {download}.").format(
            list="qwen-tui models list",
            download="qwen-tui models download <repo>",
        ),
    )


def _download_hint(repo: str) -> str:
    return _("Download it: {command}").format(
        command=f"qwen-tui models download {shown(repo)}"
    )


def _choices(folder: Path, repo: str = "") -> str:
    files = gguf_choices(folder, {entry.name for entry in entries(folder)})
    listed = [f"{repo}/{file.name}" if repo else str(file) for file in files]
    return _("Choose one of: {names}").format(names=shown(", ".join(listed)))


def _split_file(name: str) -> tuple[str, str]:
    """Split "owner/repo/file.gguf" into repo id and file."""
    parts = name.split("/", _REPO_PARTS)
    if len(parts) > _REPO_PARTS and name.endswith(".gguf") and is_safe_path(name):
        return "/".join(parts[:_REPO_PARTS]), parts[_REPO_PARTS]
    return name, ""
