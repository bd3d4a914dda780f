"""Where the weights go: one device while they fit it, else several by accelerate."""

from collections.abc import Callable, Sequence

import torch

from qwen_tui.engine.devices import free_bytes, gpus
from qwen_tui.errors import OutOfMemory
from qwen_tui.i18n import _

_GIB = 1024**3

DeviceMap = str | dict[str, torch.device] | None
"""What transformers calls `device_map`."""
FreeBytes = Callable[[torch.device], int | None]


def place(
    device: torch.device,
    size_bytes: int,
    *,
    free: FreeBytes = free_bytes,
    others: Callable[[], Sequence[torch.device]] = gpus,
) -> DeviceMap:
    """Return where weights of a size go.

    One device while they fit it: the hooks that divide a model cost time on every
    layer.

    Args:
        device: The one that was chosen.
        size_bytes: Of the weights, as they will lie in memory.
        free: Tells what a device has left; None where that is not known.
        others: Names all GPUs.

    Raises:
        OutOfMemory: all devices together have not enough.
    """
    here = free(device)
    if here is None or size_bytes <= here:
        return None if device.type == "cpu" else {"": device}
    places = [device]
    if device.type == "cuda":
        places = [*others(), torch.device("cpu")]
    total = sum(max(0, free(place) or 0) for place in places)
    if size_bytes > total:
        raise OutOfMemory(
            _("The weights need {need:.1f} GiB; {free:.1f} GiB are free.").format(
                need=size_bytes / _GIB, free=total / _GIB
            ),
            hint=_("Close what else uses the memory, or choose a smaller model."),
        )
    return "auto" if device.type == "cuda" else None
