"""Folders and files that are no whole model, told from their headers."""

from pathlib import Path

import pytest

from qwen_tui.errors import (
    ModelCorrupt,
    ModelIncomplete,
    NotAModel,
    QwenTuiError,
)
from tests.hub.conftest import refused
from tests.hub.models import (
    safetensors,
    sharded_model,
    whole_model,
    write_files,
)


def test_a_folder_that_is_no_model_is_told_what_is_missing(
    tmp_path: Path, cache_dir: Path
) -> None:
    write_files(tmp_path / "pictures", {"cat.png": b""})
    error = refused(str(tmp_path / "pictures"), cache_dir)
    assert isinstance(error, NotAModel)
    assert "config.json" in error.message


def test_a_file_that_is_no_gguf_is_no_model(tmp_path: Path, cache_dir: Path) -> None:
    write_files(tmp_path, {"notes.txt": b"hello", "fake.gguf": b"hello"})
    assert isinstance(refused(str(tmp_path / "notes.txt"), cache_dir), NotAModel)
    assert isinstance(refused(str(tmp_path / "fake.gguf"), cache_dir), ModelCorrupt)


def test_old_weights_alone_are_no_model(tmp_path: Path, cache_dir: Path) -> None:
    write_files(tmp_path / "old", {"config.json": b"{}", "pytorch_model.bin": b"x"})
    assert isinstance(refused(str(tmp_path / "old"), cache_dir), NotAModel)


def test_a_missing_shard_is_named(tmp_path: Path, cache_dir: Path) -> None:
    folder = write_files(tmp_path / "m", sharded_model())
    (folder / "model-00002-of-00002.safetensors").unlink()
    error = refused(str(folder), cache_dir)
    assert isinstance(error, ModelIncomplete)
    assert "model-00002-of-00002.safetensors" in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", ModelIncomplete),
        (safetensors()[:-1], ModelIncomplete),
        (safetensors()[:20], ModelIncomplete),
        (safetensors() + b"x", ModelCorrupt),
        (b"\xff" * 100, ModelCorrupt),
        (b"\x02" + bytes(7) + b"[]", ModelCorrupt),
        (b"\x02" + bytes(7) + b"{", ModelIncomplete),
        (b"\x09" + bytes(7) + b'{"w": 12}', ModelCorrupt),
    ],
)
def test_bad_safetensors_are_named(
    tmp_path: Path, cache_dir: Path, content: bytes, kind: type[QwenTuiError]
) -> None:
    files = {"config.json": b"{}", "model.safetensors": content}
    folder = write_files(tmp_path / "m", files)
    error = refused(str(folder), cache_dir)
    assert type(error) is kind
    assert "model.safetensors" in error.message


@pytest.mark.parametrize("config", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_a_config_that_does_not_parse_is_corrupt(
    tmp_path: Path, cache_dir: Path, config: bytes
) -> None:
    folder = write_files(tmp_path / "m", {**whole_model(), "config.json": config})
    error = refused(str(folder), cache_dir)
    assert isinstance(error, ModelCorrupt)
    assert "config.json" in error.message


def test_an_index_cannot_lead_out_of_its_folder(
    tmp_path: Path, cache_dir: Path
) -> None:
    index = b'{"weight_map": {"a": "../../secret.safetensors"}}'
    files = {"config.json": b"{}", "model.safetensors.index.json": index}
    assert isinstance(
        refused(str(write_files(tmp_path / "m", files)), cache_dir), ModelCorrupt
    )
