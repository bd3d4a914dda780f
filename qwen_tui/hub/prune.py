"""The process that deletes from the HF cache: `python -m qwen_tui.hub.prune`.

A process of its own, because importing huggingface_hub would hold up a screen. It reads
one JSON object: "cache_dir", and lists of "repos", "files", "snapshots", "refs" and
"blobs", checked by `delete`.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    """Delete what standard input lists, in the library's order and way.

    The strategy is filled by us and not by the library's scan (see `delete` for why);
    `execute` also gives back what lies in the store for all repos when its last link
    went.
    """
    from huggingface_hub import DeleteCacheStrategy

    order = json.load(sys.stdin)

    def paths(key: str) -> frozenset[Path]:
        return frozenset(Path(path) for path in order[key])

    DeleteCacheStrategy(
        expected_freed_size=0,
        blobs=paths("blobs"),
        refs=paths("refs"),
        repos=paths("repos"),
        snapshots=paths("snapshots"),
        files=paths("files"),
        cache_dir=Path(order["cache_dir"]),
    ).execute()


if __name__ == "__main__":
    main()
