"""Devices and memory, as nvidia-smi and the kernel tell of them."""

import os
from pathlib import Path

import pytest

from qwen_tui.hub.machine import Gpu, Machine, disk_free, read_machine

MIB = 1024**2
GPUS = """\
GPU-aaaa, NVIDIA H100 80GB HBM3, 81559, 80994
GPU-bbbb, NVIDIA A100, Lab 3, 40960, 100
GPU-cccc, MIG, [N/A], [N/A]
"""
BUSY = "GPU-bbbb, 11\nGPU-bbbb, 12\nGPU-aaaa, 13\n"
MEMINFO = "MemTotal:       24684084 kB\nMemFree: 1 kB\nMemAvailable:   24022412 kB\n"


def environ_with(folder: Path, script: str, **more: str) -> dict[str, str]:
    """A PATH on which nvidia-smi is `script`."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}", **more}


@pytest.fixture
def h100s(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "gpus").write_text(GPUS.replace(", Lab 3", ""))
    (tmp_path / "busy").write_text(BUSY)
    script = f"""\
case "$1" in
  --query-gpu=*) cat {tmp_path}/gpus ;;
  --query-compute-apps=*) cat {tmp_path}/busy ;;
esac"""
    return environ_with(tmp_path, script)


def gpus(environ: dict[str, str]) -> list[tuple[int, str]]:
    return [(gpu.index, gpu.name) for gpu in read_machine(environ).gpus]


def test_gpus_are_told_with_what_is_free_and_who_else_computes(
    h100s: dict[str, str],
) -> None:
    machine = read_machine(h100s)
    assert machine.gpus == (
        Gpu(0, "NVIDIA H100 80GB HBM3", 81559 * MIB, 80994 * MIB, 1),
        Gpu(1, "NVIDIA A100", 40960 * MIB, 100 * MIB, 2),
    )
    assert (machine.device_kind, machine.free_bytes) == ("cuda", 80994 * MIB)


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        ("1", ["NVIDIA A100"]),
        ("1,0", ["NVIDIA A100", "NVIDIA H100 80GB HBM3"]),
        ("GPU-bb", ["NVIDIA A100"]),
        ("0,9,1", ["NVIDIA H100 80GB HBM3"]),
        ("", []),
        ("-1", []),
    ],
)
def test_gpus_are_counted_as_torch_counts_them(
    h100s: dict[str, str], visible: str, names: list[str]
) -> None:
    found = gpus({**h100s, "CUDA_VISIBLE_DEVICES": visible})
    assert found == list(enumerate(names))


@pytest.mark.parametrize(
    "script", ["exit 9", "echo no devices were found", "printf '\\377,\\n'", "echo ,,,"]
)
def test_an_nvidia_smi_that_fails_means_no_gpu(tmp_path: Path, script: str) -> None:
    assert gpus(environ_with(tmp_path, script)) == []


def test_a_machine_without_nvidia_smi_has_its_memory(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text(MEMINFO)
    machine = read_machine(
        {"PATH": str(tmp_path)}, meminfo=tmp_path / "meminfo", cgroups=tmp_path
    )
    assert machine == Machine((), 24684084 * 1024, 24022412 * 1024)
    assert (machine.device_kind, machine.free_bytes) == ("cpu", 24022412 * 1024)


@pytest.mark.parametrize("version", [1, 2])
def test_a_container_has_what_its_limit_leaves(tmp_path: Path, version: int) -> None:
    (tmp_path / "meminfo").write_text(MEMINFO)
    folder = tmp_path
    names = ("memory.max", "memory.current", "inactive_file")
    if version == 1:
        folder = tmp_path / "memory"
        folder.mkdir()
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes",
                 "total_inactive_file")  # fmt: skip
    limit, used, cache = names
    (folder / limit).write_text("8000000000\n")
    (folder / used).write_text("3000000000\n")
    (folder / "memory.stat").write_text(f"anon 5\n{cache} 1000000000\n")
    machine = read_machine({"PATH": ""}, meminfo=tmp_path / "meminfo", cgroups=tmp_path)
    assert machine.ram_total == 8_000_000_000
    assert machine.ram_available == 6_000_000_000


def test_no_limit_is_no_limit(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text(MEMINFO)
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("5\n")
    (tmp_path / "memory.stat").write_text("")
    machine = read_machine({"PATH": ""}, meminfo=tmp_path / "meminfo", cgroups=tmp_path)
    assert machine.ram_total == 24684084 * 1024


def test_a_kernel_that_tells_nothing_leaves_memory_unknown(tmp_path: Path) -> None:
    machine = read_machine(
        {"PATH": ""}, meminfo=tmp_path / "none", cgroups=tmp_path / "none"
    )
    assert machine.ram_available == 0
    assert machine.free_bytes is None


def test_the_disk_of_a_folder_that_is_not_there_yet_is_known(tmp_path: Path) -> None:
    assert disk_free(tmp_path / "a" / "b") > 0
