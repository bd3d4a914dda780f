"""How far a load is, taken from the library's own loops over the weights."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import transformers.modeling_gguf_pytorch_utils as gguf_loader
from transformers.utils import logging as transformers_logging

from qwen_tui.errors import QwenTuiError
from qwen_tui.i18n import _

_WEIGHTS_FROM = 0.05
_WEIGHTS_TO = 0.97
_INTERVAL_S = 0.1


class LoadCancelled(QwenTuiError):
    """The parent took the load back."""

    code = "cancelled"


class LoadMeter:
    """Tells how far a load is, and ends it where the parent wants that."""

    def __init__(
        self, tell: Callable[[str, float], None], is_cancelled: Callable[[], bool]
    ) -> None:
        self._tell = tell
        self._is_cancelled = is_cancelled
        self._told_at = 0.0
        self._fraction = 0.0
        self._stage = ""

    def reach(self, stage: str, fraction: float) -> None:
        """Tell a stage and a fraction of the whole load, between 0 and 1.

        Raises:
            LoadCancelled: the parent took the load back.
        """
        if self._is_cancelled():
            raise LoadCancelled(_("Loading was stopped."))
        self._fraction = max(self._fraction, fraction)
        now = time.monotonic()
        is_due = now - self._told_at >= _INTERVAL_S or stage != self._stage
        if is_due or fraction in {0.0, 1.0}:
            self._told_at, self._stage = now, stage
            self._tell(stage, self._fraction)

    def reach_packing(self, part: float) -> None:
        """Tell how much of the weights is packed, between 0 and 1; see `reach`."""
        self.reach("packing", _WEIGHTS_TO + (1 - _WEIGHTS_TO) * part)

    def reach_graphs(self) -> None:
        """Tell that a graph is about to be recorded; see `reach`."""
        self.reach("graphs", _WEIGHTS_TO)

    @contextmanager
    def watching_weights(self, passes: int) -> Generator[None]:
        """Follow the library's loops over the weights while the body loads a model.

        Args:
            passes: Loops over the weights that this load makes: 1, or 2 for GGUF,
                which is unpacked in one and placed in another.
        """
        begun = 0

        def follow(iterable: Iterable[Any]) -> Iterator[Any]:
            nonlocal begun
            items = list(iterable)
            start, begun = begun, begun + 1
            for i, item in enumerate(items):
                part = (start + i / len(items)) / passes
                share = (_WEIGHTS_TO - _WEIGHTS_FROM) * min(part, 1.0)
                self.reach("weights", _WEIGHTS_FROM + share)
                yield item

        def hook(
            factory: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> object:
            return follow(args[0]) if args else factory(*args, **kwargs)

        def gguf_hook(tensors: Iterable[Any], **_kwargs: object) -> Iterator[Any]:
            return follow(tensors)

        # transformers 5.23 offers set_tqdm_hook for safetensors; its GGUF reader
        # calls tqdm by the name in its own module.
        before = transformers_logging.set_tqdm_hook(hook)
        gguf_tqdm = gguf_loader.tqdm
        gguf_loader.tqdm = gguf_hook
        try:
            yield
        finally:
            gguf_loader.tqdm = gguf_tqdm
            transformers_logging.set_tqdm_hook(before)
