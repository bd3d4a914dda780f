"""The real huggingface_hub at work on the fake hub, in this process or in its own."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

from tests.fake_hub import FakeHub, Fault
from tests.helpers import bytes_in, files_named, wait_until

# huggingface_hub writes in steps of 10 MiB: what is shorter leaves an empty partial
ORPHAN_BYTES = 11_000_000

_CODE = """
import sys
from huggingface_hub import snapshot_download
repo, endpoint, cache_dir, local_dir = sys.argv[1:]
snapshot_download(repo, endpoint=endpoint, cache_dir=cache_dir,
                  local_dir=local_dir or None, token=False, max_workers=1)
"""


@contextlib.contextmanager
def library_download(
    hub: FakeHub, repo: str, file: str, cache_dir: Path, local_dir: Path | None = None
) -> Generator[Path]:
    """Yield the partial of a download that hangs in `file`, and kill it -9 then."""
    hub.faults.append(Fault("hold", path=file, origin="cdn", after_bytes=ORPHAN_BYTES))
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _CODE,
            repo,
            hub.url,
            str(cache_dir),
            str(local_dir or ""),
        ],
        env={**os.environ, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        place = local_dir or cache_dir
        wait_until(lambda: bool(_filled(place)))
        yield _filled(place)[0]
    finally:
        process.kill()
        process.wait()


def library_snapshot(
    hub: FakeHub,
    repo: str,
    cache_dir: Path,
    *,
    local_dir: Path | None = None,
    dry_run: bool = False,
) -> None:
    """Let the library fetch a whole repo."""
    from huggingface_hub import snapshot_download

    snapshot_download(
        repo,
        endpoint=hub.url,
        cache_dir=cache_dir,
        local_dir=local_dir,
        token=False,
        dry_run=dry_run,  # pyright: ignore[reportArgumentType]
    )


def _filled(place: Path) -> list[Path]:
    return [p for p in files_named("*.incomplete", place) if bytes_in(p) > 0]
