"""A fake hub in a process of its own, so that it shares no interpreter with us.

python -m tests.bench.serve; prints its address and serves until its input ends.
"""

import contextlib
import random
import subprocess
import sys
from collections.abc import Generator

from tests.fake_hub import FakeHub

REPO = "bench/model"
_MIB = 1024 * 1024


def bench_files(n_files: int, file_mib: int) -> dict[str, bytes]:
    """Large files of noise and a small one."""
    noise = random.Random(1).randbytes(file_mib * _MIB - 1)
    shards = {f"model-{n}.safetensors": bytes([n]) + noise for n in range(n_files)}
    return {"config.json": b"{}", **shards}


@contextlib.contextmanager
def serving(n_files: int, file_mib: int) -> Generator[str]:
    """Run a hub elsewhere; yields its address."""
    command = [sys.executable, "-m", "tests.bench.serve", str(n_files), str(file_mib)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


def main() -> None:
    n_files, file_mib = map(int, sys.argv[1:])
    with FakeHub() as hub:
        hub.add_repo(REPO, bench_files(n_files, file_mib))
        print(hub.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
