"""What tests of several rooms share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M-Instruct as a folder, unpacked once."""
    from tests import models  # imports torch, which most tests do without

    return models.smollm2_folder(tmp_path_factory)
