"""A real `transformers serve` on loopback, started by a test."""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.terminal import plain_environment
from tests.helpers import wait_until

_MAIN = "from transformers.cli.transformers import main; main()"


@contextlib.contextmanager
def transformers_serve(folder: Path, *arguments: str) -> Generator[str]:
    """Start the server with an empty Hugging Face cache; gives its address."""
    pytest.importorskip("fastapi", reason="transformers[serving] is not installed")
    (folder / "hf" / "hub").mkdir(parents=True)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    log = (folder / "serve.log").open("wb")
    server = subprocess.Popen(
        [sys.executable, "-c", _MAIN, "serve", *arguments, "--host", "127.0.0.1",
         "--port", str(port), "--device", "cpu", "--dtype", "float32"],
        env=plain_environment(
            folder, HF_HOME=str(folder / "hf"), HF_HUB_OFFLINE="1"
        ),
        stdin=subprocess.DEVNULL, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        wait_until(lambda: server.poll() is not None or _is_up(url))
        assert server.poll() is None, (folder / "serve.log").read_text()
        yield url
    finally:
        server.kill()
        server.wait()
        log.close()


def _is_up(url: str) -> bool:
    time.sleep(0.1)
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as reply:
            return reply.status == 200
    except OSError:  # URLError is one
        return False
