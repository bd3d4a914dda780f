"""A store on a file of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from qwen_tui.store.conversations import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "data" / "conversations.db")
    yield store
    store.close()
