"""One download in a process of its own; prints the seconds it took.

python -m tests.bench.fetch ours|theirs ENDPOINT REPO CACHE_DIR
"""

import importlib
import sys
import time
from pathlib import Path


def _ours(endpoint: str, repo: str, cache_dir: Path) -> float:
    from qwen_tui.hub.download import Job, download

    start_s = time.perf_counter()
    download(Job(repo, endpoint, cache_dir), lambda _report: None)
    return time.perf_counter() - start_s


def _theirs(endpoint: str, repo: str, cache_dir: Path) -> float:
    from huggingface_hub import snapshot_download

    start_s = time.perf_counter()
    snapshot_download(repo, endpoint=endpoint, cache_dir=cache_dir, token=False)
    return time.perf_counter() - start_s


def main() -> None:
    # before the clock starts for both: ours takes its locks, both their requests
    importlib.import_module("huggingface_hub.utils")
    importlib.import_module("httpx2")
    who, endpoint, repo, cache_dir = sys.argv[1:]
    fetch = {"ours": _ours, "theirs": _theirs}[who]
    print(fetch(endpoint, repo, Path(cache_dir)))


if __name__ == "__main__":
    main()
