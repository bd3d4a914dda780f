"""The engine against transformers' own ways, on one thread of the CPU.

python -m tests.bench.engine [decode | turns | prefill | detokenize]...
"""

import os
import sys

import torch

from tests.bench.big_model import big_model, load
from tests.bench.engine_decode import decode_rows
from tests.bench.engine_detokenize import detokenize_rows
from tests.bench.engine_prefill import prefill_rows
from tests.bench.engine_turns import turn_rows
from tests.bench.measure import show, show_machine

GROUPS = {
    "decode": decode_rows,
    "turns": turn_rows,
    "prefill": prefill_rows,
    "detokenize": detokenize_rows,
}


def main(wanted: list[str]) -> None:
    torch.set_num_threads(1)
    show_machine()
    print(f"# torch {torch.__version__}, load {os.getloadavg()[0]:.1f}", flush=True)
    with big_model() as folder:
        fast, plain = load(folder, cpu_fast=True), load(folder, cpu_fast=False)
        for name in wanted or GROUPS:
            for row in GROUPS[name](fast, plain):
                show(row)


if __name__ == "__main__":
    main(sys.argv[1:])
