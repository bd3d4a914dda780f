"""GGUF files: what transformers 5.23 reads again and again is read once a load."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache

import gguf


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
