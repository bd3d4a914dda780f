"""Weights go on one device while they fit it; the numbers of others are faked."""

from collections.abc import Callable

import pytest
import torch

from qwen_tui.engine.placement import place
from qwen_tui.errors import OutOfMemory

pytestmark = pytest.mark.torch

GIB = 1024**3
CPU, FIRST, SECOND = map(torch.device, ("cpu", "cuda:0", "cuda:1"))


def free(**gib: float | None) -> Callable[[torch.device], int | None]:
    """Return what tells free memory: `cuda0=24` is 24 GiB on cuda:0."""

    def tell(device: torch.device) -> int | None:
        value = gib[str(device).replace(":", "")]
        return None if value is None else int(value * GIB)

    return tell


def two_gpus() -> list[torch.device]:
    return [FIRST, SECOND]


def test_what_fits_its_device_goes_there_whole() -> None:
    tell = free(cpu=8, cuda0=24, cuda1=80)
    assert place(FIRST, 20 * GIB, free=tell, others=two_gpus) == {"": FIRST}
    assert place(SECOND, 70 * GIB, free=tell, others=two_gpus) == {"": SECOND}
    assert place(CPU, 7 * GIB, free=tell) is None


def test_what_does_not_fit_one_gpu_is_divided() -> None:
    tell = free(cpu=8, cuda0=24, cuda1=24)
    assert place(FIRST, 40 * GIB, free=tell, others=two_gpus) == "auto"
    assert place(FIRST, 50 * GIB, free=tell, others=two_gpus) == "auto"  # and the CPU


def test_what_fits_nowhere_is_refused_with_the_numbers() -> None:
    tell = free(cpu=8, cuda0=24, cuda1=-1)
    with pytest.raises(OutOfMemory) as refused:
        place(FIRST, 33 * GIB, free=tell, others=two_gpus)
    assert "33.0 GiB" in refused.value.message
    assert "32.0 GiB" in refused.value.message
    with pytest.raises(OutOfMemory, match=r"9\.0 GiB"):
        place(CPU, 9 * GIB, free=free(cpu=8))


def test_where_nobody_knows_what_is_free_it_is_tried() -> None:
    assert place(CPU, 1000 * GIB, free=free(cpu=None)) is None
