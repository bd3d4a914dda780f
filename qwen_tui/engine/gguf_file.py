"""GGUF files: what transformers 5.23 does not take from them, and does too often."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import gguf

_STOP_KEYS = ("eos_token_id", "eot_token_id", "eom_token_id")


@contextmanager
def reading_gguf_once() -> Generator[None]:
    """Remember the parsed file and the map of its tensor names in the body.

    transformers parses the header, vocabulary included, once for the config and once
    for the weights, and builds the name map anew for each module: without this a
    model of 30 layers takes 15 s to load instead of 6. Both are read, never changed.
    """
    reader, name_map = gguf.GGUFReader, gguf.get_tensor_name_map
    gguf.GGUFReader = cache(reader)
    gguf.get_tensor_name_map = cache(name_map)
    try:
        yield
    finally:
        gguf.GGUFReader = reader
        gguf.get_tensor_name_map = name_map


def count_weights(file: Path) -> int:
    """Return the number of weights in a file: all of them are unpacked to load it."""
    return sum(int(tensor.n_elements) for tensor in gguf.GGUFReader(str(file)).tensors)


def stop_tokens(file: Path) -> frozenset[int]:
    """Return the tokens that end an answer, as the file names them."""
    fields = gguf.GGUFReader(str(file)).fields
    found = (fields.get(f"tokenizer.ggml.{key}") for key in _STOP_KEYS)
    return frozenset(int(field.contents()) for field in found if field is not None)
