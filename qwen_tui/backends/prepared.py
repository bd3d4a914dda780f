"""What is known before a load begins, from whoever knows models and machines."""

from collections.abc import Callable
from typing import Protocol

from qwen_tui import wire
from qwen_tui.chat.backend import ModelSource
from qwen_tui.chat.events import LoadEstimate


class PreparedLoad(Protocol):
    """A load that was fitted to this machine."""

    @property
    def options(self) -> wire.LoadOptions:
        """How it will be done."""
        ...

    @property
    def estimate(self) -> LoadEstimate:
        """What it will take."""
        ...


Prepare = Callable[[ModelSource, wire.LoadOptions], PreparedLoad]
"""Raises QwenTuiError where what was asked for cannot be."""
