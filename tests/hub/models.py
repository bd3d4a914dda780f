"""Model folders and caches made of a few bytes."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

SHA_A, SHA_B = "a" * 40, "b" * 40


def safetensors(data_bytes: int = 16) -> bytes:
    """One float32 tensor, as the format's specification lays it out."""
    tensor = {
        "dtype": "F32",
        "shape": [data_bytes // 4],
        "data_offsets": [0, data_bytes],
    }
    header = json.dumps({"w": tensor, "__metadata__": {"format": "pt"}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(data_bytes)


def gguf() -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, 0, 0)


def whole_model() -> dict[str, bytes]:
    return {
        "config.json": b'{"model_type": "qwen3"}',
        "model.safetensors": safetensors(),
    }


def sharded_model() -> dict[str, bytes]:
    shards = [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    index = {"weight_map": dict(zip(("a", "b"), shards, strict=True))}
    return {
        "config.json": b"{}",
        "model.safetensors.index.json": json.dumps(index).encode(),
        **{shard: safetensors() for shard in shards},
    }


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder


def write_snapshot(
    cache_dir: Path, repo: str, files: Mapping[str, bytes], *, sha: str = SHA_A
) -> Path:
    """A cached snapshot with links into blobs, and no ref; returns its folder."""
    repo_folder = cache_dir / ("models--" + repo.replace("/", "--"))
    snapshot = repo_folder / "snapshots" / sha
    snapshot.mkdir(parents=True)
    for number, (name, content) in enumerate(files.items()):
        write_files(repo_folder / "blobs", {f"{sha[0]}{number}": content})
        (snapshot / name).symlink_to(f"../../blobs/{sha[0]}{number}")
    return snapshot


def write_ref(cache_dir: Path, repo: str, text: str) -> None:
    folder = cache_dir / ("models--" + repo.replace("/", "--")) / "refs"
    write_files(folder, {"main": text.encode()})


def same_as(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Whether every one of these files is in the folder, byte for byte."""
    return all((folder / path).read_bytes() == c for path, c in files.items())


def tree(folder: Path) -> dict[Path, tuple[str, bytes]]:
    """Everything below: a link with where it leads, a file with its bytes."""
    return {
        path: ("link", str(path.readlink()).encode())
        if path.is_symlink()
        else ("folder", b"")
        if path.is_dir()
        else ("file", path.read_bytes())
        for path in folder.rglob("*")
    }
