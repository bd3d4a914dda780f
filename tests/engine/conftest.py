"""Models of this room, made once."""

from pathlib import Path

import pytest

from tests import models


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen3 that answers fast."""
    return models.random_qwen3(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen3.5, whose linear attention cannot be taken back."""
    return models.random_qwen3_5(tmp_path_factory.mktemp("hybrid"))


@pytest.fixture(scope="session")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen3 that takes seconds to read a long prompt."""
    folder = tmp_path_factory.mktemp("slow")
    return models.random_qwen3(folder, hidden=512, layers=8, context=16384)
