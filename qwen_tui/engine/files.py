"""What a model's files must be before torch is asked to read them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from safetensors import SafetensorError, safe_open
from transformers import CONFIG_MAPPING

from qwen_tui.chat.backend import ModelSource
from qwen_tui.errors import (
    ModelCorrupt,
    ModelIncomplete,
    ModelNotFound,
    NotAModel,
    RemoteCodeNeeded,
)
from qwen_tui.i18n import _

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
GGUF_MAGIC = b"GGUF"


def check_files(source: ModelSource, *, trust_remote_code: bool) -> int:
    """Check that a model's files are there and whole; return their size in bytes.

    Raises:
        ModelNotFound: nothing lies at the path.
        NotAModel: no config, no weights, or an architecture unknown to transformers
            (code "unsupported_architecture").
        ModelIncomplete: a shard that the index names is missing.
        ModelCorrupt: a file is not what it claims to be.
        RemoteCodeNeeded: only the model's own Python files could load it.
    """
    path = Path(source.path)
    if not path.exists():
        raise ModelNotFound(
            _("There is nothing at {path}.").format(path=path),
            hint=_("Check the path, or download the model again."),
        )
    if source.kind == "gguf":
        return _check_gguf(path)
    _check_config(path, trust_remote_code=trust_remote_code)
    _check_tokenizer(path)
    weights = list(weight_files(path))
    for file in weights:
        _check_safetensors(file)
    return sum(file.stat().st_size for file in weights)


def weight_files(folder: Path) -> Iterator[Path]:
    """Yield the safetensors files of a model's folder.

    Raises:
        NotAModel: there are none.
        ModelIncomplete: one that the index names is missing.
        ModelCorrupt: the index is no index.
    """
    index = folder / INDEX
    if not index.exists():
        if not (folder / SINGLE).exists():
            raise NotAModel(
                _("{folder} holds no safetensors weights.").format(folder=folder),
                hint=_("Choose a folder with model.safetensors, or a .gguf file."),
            )
        yield folder / SINGLE
        return
    weight_map = _read_json(index).get("weight_map")
    if not isinstance(weight_map, dict):
        raise ModelCorrupt(
            _("{file} is damaged.").format(file=index),
            hint=_("Verify the model or download it again."),
        )
    shards = {str(name) for name in cast(dict[str, object], weight_map).values()}
    for shard in sorted(shards):
        if not (folder / shard).exists():
            raise ModelIncomplete(
                _("The weight file {file} is missing.").format(file=shard),
                hint=_("Finish the download of this model, then load it again."),
            )
        yield folder / shard


def read_config(folder: Path) -> Mapping[str, Any]:
    """Return the config.json of a folder that `check_files` found good."""
    return _read_json(folder / "config.json")


def _check_config(folder: Path, *, trust_remote_code: bool) -> None:
    file = folder / "config.json"
    if not file.exists():
        raise NotAModel(
            _("{folder} holds no config.json, so it is no model.").format(
                folder=folder
            ),
            hint=_("Choose a folder with config.json, or a .gguf file."),
        )
    config = _read_json(file)
    model_type = str(config.get("model_type", ""))
    if model_type in CONFIG_MAPPING:
        return
    if config.get("auto_map"):
        if trust_remote_code:
            return
        raise remote_code_needed()
    raise unsupported_architecture(model_type)


def _check_tokenizer(folder: Path) -> None:
    if not any((folder / name).exists() for name in _TOKENIZERS):
        raise ModelIncomplete(
            _("{folder} holds no tokenizer.").format(folder=folder),
            hint=_("Finish the download of this model, then load it again."),
        )


def remote_code_needed() -> RemoteCodeNeeded:
    """Return the failure of a model that brings code, and say what that means."""
    return RemoteCodeNeeded(
        _(
            "This model brings Python files of its own. To load it they would run "
            "with your rights, and could read, change or send anything you can."
        ),
        hint=_(
            "Only if you trust its authors: start qwen-tui with --trust-remote-code, "
            "or add its repo id or path to model.trust_remote_code in the settings."
        ),
    )


def unsupported_architecture(model_type: str) -> NotAModel:
    """Return the failure of an architecture that transformers does not know."""
    return NotAModel(
        _("The architecture {name} cannot be loaded as a chat model.").format(
            name=model_type or "?"
        ),
        hint=_("A newer transformers may know it; a server such as vLLM may, too."),
        code="unsupported_architecture",
    )


def _read_json(file: Path) -> Mapping[str, Any]:
    try:
        body: object = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelCorrupt(
            _("{file} cannot be read: {error}").format(file=file, error=error),
            hint=_("Verify the model or download it again."),
        ) from error
    if not isinstance(body, dict):
        raise ModelCorrupt(
            _("{file} is damaged.").format(file=file),
            hint=_("Verify the model or download it again."),
        )
    return cast(dict[str, Any], body)


def _check_safetensors(file: Path) -> None:
    try:
        # reads the header alone, and checks that the file ends where it says
        with safe_open(file, framework="pt") as opened:
            opened.keys()
    except (SafetensorError, OSError) as error:
        raise ModelCorrupt(
            _("The weight file {file} is damaged: {error}").format(
                file=file.name, error=error
            ),
            hint=_("Verify the model or download it again."),
        ) from error


def _check_gguf(file: Path) -> int:
    with file.open("rb") as opened:
        magic = opened.read(len(GGUF_MAGIC))
    if magic != GGUF_MAGIC:
        raise NotAModel(
            _("{file} is not a GGUF file.").format(file=file.name),
            hint=_("Choose a folder with config.json, or a .gguf file."),
        )
    return file.stat().st_size
