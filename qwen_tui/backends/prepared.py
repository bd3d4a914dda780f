"""What is known before a load begins, from whoever knows models and machines."""

from collections.abc import Callable
from typing import Protocol

from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.events import LoadEstimate
from qwen_tui.wire_engine import LoadOptions


class PreparedLoad(Protocol):
    """A load that was fitted to this machine."""

    @property
    def options(self) -> LoadOptions:
        """How it will be done."""
        ...

    @property
    def estimate(self) -> LoadEstimate:
        """What it will take."""
        ...


Prepare = Callable[[ModelSource, LoadOptions], PreparedLoad]
"""Raises QwenTuiError where what was asked for cannot be."""
