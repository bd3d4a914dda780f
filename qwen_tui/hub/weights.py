"""Whether a folder holds a whole model, told from headers in milliseconds.

A model is complete when config.json parses, every shard of the index exists,
and each safetensors header ends where the file does. Only a hash finds a
flipped bit.
"""

import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from qwen_tui.errors import ModelCorrupt, ModelIncomplete, NotAModel
from qwen_tui.hub.layout import entries, exists, open_unseen
from qwen_tui.hub.repo_id import is_safe_path
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_INDEX = "model.safetensors.index.json"
_SHARD = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.(safetensors|gguf)")
_LENGTH_BYTES = 8
_LONGEST_HEADER = 100_000_000  # safetensors refuses longer headers
_GGUF_MAGIC = b"GGUF"
_BAD_HEADER = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    IndexError,
    OverflowError,  # an offset of infinity
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Weights:
    """What a folder would be loaded from."""

    kind: Literal["folder", "gguf"]
    files: tuple[Path, ...]
    """kind "gguf": the files one can choose from, first parts only. Else the shards."""


def check_weights(folder: Path) -> Weights:
    """Return what `folder` holds, checked as far as headers tell.

    Raises:
        NotAModel: no config.json, or no weights in a form we load.
        ModelIncomplete: a file of the model is missing or cut short.
        ModelCorrupt: a file is not what its name claims.
    """
    names = _names(folder)
    if not _holds_safetensors(names):
        choices = gguf_choices(folder, names)
        if choices:
            return _checked_gguf(choices)
    if "config.json" not in names:
        raise NotAModel(
            _("{folder} holds no model: {file} is missing.").format(
                folder=shown(folder), file="config.json"
            ),
            hint=_("Choose a folder with config.json and safetensors, or a .gguf."),
        )
    _json_object(folder / "config.json")
    files = tuple(folder / name for name in _shard_names(folder, names))
    for file in files:
        check_safetensors(file)
    return Weights("folder", files)


def gguf_models(folder: Path) -> list[Path]:
    """The .gguf files that `folder` is loaded from; none where it has safetensors."""
    names = {entry.name for entry in entries(folder)}
    return [] if _holds_safetensors(names) else gguf_choices(folder, names)


def gguf_parts(file: Path) -> Iterator[Path]:
    """The file, or every part of the model that it is the first part of."""
    part = _SHARD.fullmatch(file.name)
    if part is None:
        yield file
        return
    for number in range(1, int(part[3]) + 1):
        yield file.with_name(f"{part[1]}-{number:05}-of-{part[3]}.gguf")


def gguf_choices(folder: Path, names: set[str]) -> list[Path]:
    """The .gguf files of a folder that are models of their own, sorted.

    Of a model in parts it is the first; vision projectors are none.
    """
    return [
        folder / name
        for name in sorted(names)
        if name.endswith(".gguf")
        and not name.startswith("mmproj")
        and ((part := _SHARD.fullmatch(name)) is None or int(part[2]) == 1)
    ]


def check_gguf(file: Path) -> None:
    """Check the magic and that all parts are there.

    Raises:
        NotAModel: not a .gguf by name.
        ModelIncomplete: a further part is missing, or the file is empty.
        ModelCorrupt: the file does not begin as a GGUF file does.
    """
    if file.suffix != ".gguf":
        raise NotAModel(
            _("{file} is no model.").format(file=shown(file)),
            hint=_("Choose a folder with config.json and safetensors, or a .gguf."),
        )
    start = _read(file, len(_GGUF_MAGIC))
    if start != _GGUF_MAGIC:
        if not start:
            raise _cut_short(file)
        raise _corrupt(file)
    for part in gguf_parts(file):
        if not exists(part):
            raise _missing(part)


def check_safetensors(file: Path) -> None:
    """Check that the header parses and ends where the file does.

    Raises:
        ModelIncomplete: the file is missing or cut short.
        ModelCorrupt: the header cannot be read, or the file is too long.
    """
    start = _read(file, _LENGTH_BYTES)
    size = file.stat().st_size
    if len(start) < _LENGTH_BYTES:
        raise _cut_short(file)
    (header_bytes,) = struct.unpack("<Q", start)
    if header_bytes > _LONGEST_HEADER:
        raise _corrupt(file)
    data_start = _LENGTH_BYTES + header_bytes
    if data_start > size:
        raise _cut_short(file)
    try:
        header = json.loads(_read(file, header_bytes, offset=_LENGTH_BYTES))
        end = data_start + _data_bytes(header)
    except _BAD_HEADER as error:
        raise _corrupt(file) from error
    if end > size:
        raise _cut_short(file)
    if end < size:
        raise _corrupt(file)


def unfinished(repo: str) -> ModelIncomplete:
    """A download of the repo began and has not ended."""
    return ModelIncomplete(
        _("The download of {name} is not finished.").format(name=shown(repo))
    )


def shown(path: Path | str) -> str:
    """A path or name, fit for one line of a terminal."""
    return sanitize_line(str(path))


def _data_bytes(header: dict[str, Any]) -> int:
    tensors = (v for name, v in header.items() if name != "__metadata__")
    return max((int(tensor["data_offsets"][1]) for tensor in tensors), default=0)


def _holds_safetensors(names: set[str]) -> bool:
    return _INDEX in names or any(name.endswith(".safetensors") for name in names)


def _names(folder: Path) -> set[str]:
    try:
        return {entry.name for entry in folder.iterdir()}
    except OSError as error:
        raise NotAModel(
            _("{folder} cannot be read: {reason}.").format(
                folder=shown(folder), reason=error.strerror
            )
        ) from error


def _checked_gguf(choices: list[Path]) -> Weights:
    for file in choices:
        check_gguf(file)
    return Weights("gguf", tuple(choices))


def _shard_names(folder: Path, names: set[str]) -> list[str]:
    if _INDEX in names:
        return _indexed_shards(folder / _INDEX)
    found = sorted(n for n in names if n.endswith(".safetensors"))
    if "model.safetensors" in found:
        return ["model.safetensors"]
    if any(_SHARD.fullmatch(name) for name in found):
        raise _missing(folder / _INDEX)  # shards cannot be loaded without it
    if not found:
        raise _no_weights(folder, names)
    return found


def _indexed_shards(index: Path) -> list[str]:
    weight_map = _json_object(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise _corrupt(index)
    shards = {str(v) for v in cast(dict[str, object], weight_map).values()}
    if not all(is_safe_path(shard) for shard in shards):
        raise _corrupt(index)
    return sorted(shards)


def _json_object(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(_read(file))
    except (ValueError, RecursionError) as error:
        raise _corrupt(file) from error
    if not isinstance(value, dict):
        raise _corrupt(file)
    return cast(dict[str, Any], value)


def _read(file: Path, n_bytes: int = -1, *, offset: int = 0) -> bytes:
    try:
        # a list must not make every model look used just now
        with open_unseen(file) as stream:
            stream.seek(offset)
            return stream.read(n_bytes)
    except FileNotFoundError as error:
        raise _missing(file) from error
    except OSError as error:
        raise ModelCorrupt(
            _("{file} cannot be read: {reason}.").format(
                file=shown(file), reason=error.strerror
            )
        ) from error


def _no_weights(folder: Path, names: set[str]) -> NotAModel | ModelIncomplete:
    if any(n.endswith((".bin", ".pth", ".pt")) for n in names):
        return NotAModel(
            _("{folder} holds weights in an old form only.").format(
                folder=shown(folder)
            ),
            hint=_("Look for the same model with safetensors or GGUF weights."),
        )
    return _missing(folder / "model.safetensors")


def _missing(file: Path) -> ModelIncomplete:
    return ModelIncomplete(
        _("{file} is missing in {folder}.").format(
            file=shown(file.name), folder=shown(file.parent)
        ),
        hint=_("Download the model again: what is there already is kept."),
    )


def _cut_short(file: Path) -> ModelIncomplete:
    return ModelIncomplete(
        _("{file} is cut short.").format(file=shown(file)),
        hint=_("Download the model again: what is there already is kept."),
    )


def _corrupt(file: Path) -> ModelCorrupt:
    return ModelCorrupt(
        _("{file} is damaged.").format(file=shown(file)),
        # in the HF cache the file is a link: the blob behind it has to go
        hint=_("Delete {file} and download the model again.").format(
            file=shown(file.resolve())
        ),
    )
