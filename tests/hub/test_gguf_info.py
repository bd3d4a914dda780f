"""What a GGUF file says of itself, as the gguf library reads it."""

from pathlib import Path

import pytest

from qwen_tui.errors import ModelCorrupt, NotAModel
from qwen_tui.hub.fit import kv_bytes_per_token
from qwen_tui.hub.gguf_info import _FILE_TYPES, GgufInfo, read_gguf_info
from tests import models

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def info() -> GgufInfo:
    return read_gguf_info(models.smollm2_gguf())


def test_a_real_file_tells_what_it_is_and_what_it_takes(info: GgufInfo) -> None:
    # Source: config.json of HuggingFaceTB/SmolLM2-135M-Instruct
    assert info.architecture == "llama"
    assert info.packed_as == "Q4_1"
    assert info.context_length == 8192
    assert info.config["num_hidden_layers"] == 30
    assert kv_bytes_per_token(info.config) == 2 * 30 * 3 * 64 * 2
    assert "<|im_start|>" in info.chat_template
    assert info.unpacked_bytes > 2.5 * info.file_bytes
    assert info.file_bytes == models.smollm2_gguf().stat().st_size


def test_the_gguf_library_agrees(info: GgufInfo) -> None:
    import gguf

    reader = gguf.GGUFReader(models.smollm2_gguf())
    assert info.n_weights == sum(int(t.n_elements) for t in reader.tensors)
    for name, value in info.fields.items():
        assert reader.fields[name].contents() == pytest.approx(value)
    names = {kind.value: kind.name for kind in gguf.LlamaFileType}
    for number, name in _FILE_TYPES.items():
        assert names[number].removeprefix("MOSTLY_").removeprefix("ALL_") == name


def test_a_header_that_breaks_off_is_damage(tmp_path: Path) -> None:
    data = models.smollm2_gguf().read_bytes()[:3000]
    for length in (9, 24, 25, 100, 2999):
        file = tmp_path / "x.gguf"
        file.write_bytes(data[:length])
        with pytest.raises(ModelCorrupt, match="damaged"):
            read_gguf_info(file)


@pytest.mark.parametrize("start", [b"", b"GGU", b"GGUF", b"GGUF\x01\0\0\0", b"PK\3\4"])
def test_another_file_is_refused(tmp_path: Path, start: bytes) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(start + b"\0" * (40 if len(start) == 8 else 0))
    with pytest.raises(NotAModel, match=r"x\.gguf"):
        read_gguf_info(file)


def test_lengths_beyond_the_file_end_at_once(tmp_path: Path) -> None:
    file = tmp_path / "x.gguf"
    huge = (2**63 - 1).to_bytes(8, "little")
    head = b"GGUF\3\0\0\0" + (0).to_bytes(8, "little")
    for rest in (huge, (1).to_bytes(8, "little") + huge + b"name"):
        file.write_bytes(head + rest)
        with pytest.raises(ModelCorrupt):
            read_gguf_info(file)
