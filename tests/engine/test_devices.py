"""Devices, number formats and threads are chosen as told, or refused clearly."""

from pathlib import Path

import pytest
import torch

from qwen_tui.engine.devices import (
    choose_device,
    choose_dtype,
    usable_cores,
    usable_devices,
)
from qwen_tui.errors import UsageError

pytestmark = pytest.mark.torch


def test_auto_takes_the_first_usable_device() -> None:
    assert str(choose_device("auto")) == usable_devices()[0]
    assert usable_devices()[-1] == "cpu"


@pytest.mark.parametrize("name", ["cuda:99", "tpu", "CPU?"])
def test_an_unknown_device_is_refused_with_the_usable_ones(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        choose_device(name)
    assert refused.value.code == "no_device"
    assert "cpu" in refused.value.hint


def test_the_cpu_computes_in_bf16_unless_told_otherwise() -> None:
    cpu = torch.device("cpu")
    assert choose_dtype("auto", cpu) is torch.bfloat16
    assert choose_dtype("float32", cpu) is torch.float32
    with pytest.raises(UsageError) as refused:
        choose_dtype("int3", cpu)
    assert refused.value.code == "no_dtype"


def test_a_container_quota_limits_the_threads(tmp_path: Path) -> None:
    unlimited = usable_cores(tmp_path)
    assert unlimited >= 1
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert usable_cores(tmp_path) == unlimited
    (tmp_path / "cpu.max").write_text("100000 100000\n")
    assert usable_cores(tmp_path) == 1
    (tmp_path / "cpu.max").write_text("5000 100000\n")  # a twentieth of a core
    assert usable_cores(tmp_path) == 1


def test_a_quota_of_cgroup_version_1_limits_the_threads_too(tmp_path: Path) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("100000\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_cores(tmp_path) == 1
