"""What a GGUF file says of itself, read from its header without any library.

Source: GGUF specification, github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from qwen_tui.errors import ModelCorrupt, NotAModel
from qwen_tui.i18n import _
from qwen_tui.sanitize import sanitize_line

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
_SCALARS = {
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q",
    12: "d",
}  # fmt: skip
# general.file_type; source: enum llama_ftype, llama.cpp include/llama.h
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1",
    10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M",
    16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 32: "BF16",
}  # fmt: skip
_NONSENSE = (struct.error, ValueError, KeyError, IndexError, RecursionError)
_UNPACKED_BYTES = 2  # bf16: transformers unpacks every weight to compute with it


@dataclass(frozen=True, slots=True)
class GgufInfo:
    """The header of one file."""

    fields: Mapping[str, Any] = field(repr=False)
    """Its metadata by name; long lists, such as the vocabulary, are left out."""
    n_weights: int
    file_bytes: int

    @property
    def architecture(self) -> str:
        """As llama.cpp calls it: "qwen3", "llama"."""
        return str(self.fields.get("general.architecture", ""))

    @property
    def name(self) -> str:
        """What its makers call it; may be empty."""
        return str(self.fields.get("general.name", ""))

    @property
    def packed_as(self) -> str:
        """How most weights are packed: "Q4_K_M"; empty where it is not told."""
        return _FILE_TYPES.get(self.fields.get("general.file_type", -1), "")

    @property
    def unpacked_bytes(self) -> int:
        """What its weights take in memory: they are unpacked to bf16 to be loaded."""
        return self.n_weights * _UNPACKED_BYTES

    @property
    def chat_template(self) -> str:
        """The template it brings; empty: it cannot chat."""
        return str(self.fields.get("tokenizer.chat_template", ""))

    @property
    def context_length(self) -> int:
        """Tokens it was made for; 0 where it is not told."""
        return self._number("context_length")

    @property
    def config(self) -> dict[str, int]:
        """What decides its KV cache, by the names of a config.json; see `hub.fit`."""
        heads = self._number("attention.head_count")
        hidden = self._number("embedding_length")
        return {
            "num_hidden_layers": self._number("block_count"),
            "num_attention_heads": heads,
            "num_key_value_heads": self._number("attention.head_count_kv") or heads,
            "head_dim": self._number("attention.key_length") or hidden // (heads or 1),
            "hidden_size": hidden,
            "max_position_embeddings": self.context_length,
        }

    def _number(self, key: str) -> int:
        value = self.fields.get(f"{self.architecture}.{key}", 0)
        return value if isinstance(value, int) and value > 0 else 0


def read_gguf_info(file: Path) -> GgufInfo:
    """Read the header of a GGUF file; some 0.1 s for a large vocabulary.

    Raises:
        NotAModel: it is no GGUF file, or of a version that nobody writes any more.
        ModelCorrupt: its header breaks off or makes no sense.
        OSError: it cannot be opened.
    """
    with file.open("rb") as opened:
        start = opened.read(8)
        if start[:4] != _MAGIC or len(start) < len(_MAGIC) + 4:
            raise _no_gguf(file)
        if struct.unpack_from("<I", start, 4)[0] not in _VERSIONS:
            raise _no_gguf(file)
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _Reader(data).info(len(data))
            except _NONSENSE as error:
                raise ModelCorrupt(
                    _("{file} is damaged.").format(file=sanitize_line(file.name)),
                    hint=_("Verify the model or download it again."),
                ) from error


class _Reader:
    """Walks a header; a length beyond the file raises struct.error or ValueError."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 8  # behind magic and version

    def info(self, file_bytes: int) -> GgufInfo:
        n_tensors, n_fields = self._scalar("Q"), self._scalar("Q")
        fields: dict[str, Any] = {}
        for _n in range(n_fields):
            name = self._text()
            value = self._value(self._scalar("I"))
            if value is not None:
                fields[name] = value
        n_weights = sum(self._tensor() for _n in range(n_tensors))
        return GgufInfo(fields, n_weights, file_bytes)

    def _tensor(self) -> int:
        self._text()
        shape = [self._scalar("Q") for _n in range(self._scalar("I"))]
        self._skip(4 + 8)  # type and offset
        return prod(shape)

    def _value(self, kind: int) -> Any:  # noqa: ANN401 - whatever stands there
        """Read one value; a list is passed over, and None stands for it."""
        if kind == _STRING:
            return self._text()
        if kind != _ARRAY:
            return self._scalar(_SCALARS[kind])
        kind, length = self._scalar("I"), self._scalar("Q")
        if kind in _SCALARS:
            self._skip(length * struct.calcsize(_SCALARS[kind]))
            return None
        for _n in range(length):
            if kind == _STRING:
                self._skip(self._scalar("Q"))
            else:
                self._value(kind)
        return None

    def _text(self) -> str:
        length = self._scalar("Q")
        start = self._at
        self._skip(length)
        return self._data[start : self._at].decode("utf-8", "replace")

    def _scalar(self, form: str) -> Any:  # noqa: ANN401 - of the form's type
        (value,) = struct.unpack_from(f"<{form}", self._data, self._at)
        self._at += struct.calcsize(form)
        return value

    def _skip(self, n_bytes: int) -> None:
        self._at += n_bytes
        if self._at > len(self._data):
            raise ValueError("the header breaks off")


def _no_gguf(file: Path) -> NotAModel:
    return NotAModel(
        _("{file} is not a GGUF file.").format(file=sanitize_line(file.name)),
        hint=_("Choose a folder with config.json, or a .gguf file."),
    )
