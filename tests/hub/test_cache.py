import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qwen_tui.errors import (
    ModelIncomplete,
    ModelNotFound,
)
from qwen_tui.hub.cache import inspect_folder, list_models
from qwen_tui.hub.catalog import load_catalog
from qwen_tui.hub.find import find_model
from tests.hub.conftest import refused
from tests.hub.models import (
    SHA_A,
    SHA_B,
    gguf,
    safetensors,
    sharded_model,
    whole_model,
    write_files,
    write_ref,
    write_snapshot,
)


def test_a_folder_is_found_by_its_path(tmp_path: Path, cache_dir: Path) -> None:
    folder = write_files(tmp_path / "my model", whole_model())
    source = find_model(str(folder), cache_dir=cache_dir)
    assert (source.name, source.path, source.kind) == (
        "my model",
        str(folder),
        "folder",
    )
    assert source.revision == ""


def test_what_was_named_by_path_is_found_again_by_its_identity(
    tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path / "here" / "mine", whole_model())
    monkeypatch.chdir(tmp_path / "here")
    source = find_model("mine", cache_dir=cache_dir)
    monkeypatch.chdir(tmp_path)
    assert find_model(source.identity, cache_dir=cache_dir) == source
    listed = list_models(cache_dir=cache_dir, folders=[tmp_path / "here"])[0]
    assert listed.source.identity == source.identity


def test_a_tilde_means_home(
    tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = write_files(tmp_path / "m", whole_model())
    assert find_model("~/m", cache_dir=cache_dir).path == str(folder)


def test_a_relative_path_becomes_absolute(
    tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write_files(tmp_path / "m", sharded_model())
    assert find_model("m", cache_dir=cache_dir).path == str(folder)


def test_a_gguf_file_is_found_by_its_path(tmp_path: Path, cache_dir: Path) -> None:
    write_files(tmp_path, {"m.gguf": gguf()})
    source = find_model(str(tmp_path / "m.gguf"), cache_dir=cache_dir)
    assert (source.name, source.kind) == ("m.gguf", "gguf")


@pytest.mark.parametrize(
    "name", ["/no/such/folder", "./gone", "~/gone.gguf", "~nobody/x"]
)
def test_a_wrong_path_is_named(name: str, cache_dir: Path) -> None:
    error = refused(name, cache_dir)
    assert isinstance(error, ModelNotFound)
    assert name in error.message


def test_a_cached_repo_is_found_by_id_and_by_alias(cache_dir: Path) -> None:
    snapshot = write_snapshot(cache_dir, "Qwen/Qwen3-0.6B", whole_model())
    write_ref(cache_dir, "Qwen/Qwen3-0.6B", SHA_A)
    by_id = find_model("Qwen/Qwen3-0.6B", cache_dir=cache_dir)
    assert by_id.path == str(snapshot)
    assert by_id.revision == SHA_A
    assert find_model("qwen3-0.6b", cache_dir=cache_dir) == by_id
    assert find_model("QWEN3-0.6B", cache_dir=cache_dir) == by_id


def test_refs_main_decides_which_snapshot(cache_dir: Path) -> None:
    write_snapshot(cache_dir, "o/m", whole_model(), sha=SHA_A)
    newer = write_snapshot(cache_dir, "o/m", whole_model(), sha=SHA_B)
    os.utime(newer, (time.time() + 100, time.time() + 100))
    write_ref(cache_dir, "o/m", SHA_A)
    assert find_model("o/m", cache_dir=cache_dir).revision == SHA_A


@pytest.mark.parametrize("ref", [None, "", "c" * 40, "../../etc", "\xff"])
def test_without_a_good_ref_the_newest_whole_snapshot_counts(
    cache_dir: Path, ref: str | None
) -> None:
    older = write_snapshot(cache_dir, "o/m", whole_model(), sha=SHA_A)
    newer = write_snapshot(cache_dir, "o/m", whole_model(), sha=SHA_B)
    os.utime(older, (1000, 1000))
    os.utime(newer, (2000, 2000))
    if ref is not None:
        write_ref(cache_dir, "o/m", ref)
    assert find_model("o/m", cache_dir=cache_dir).revision == SHA_B
    (newer / "model.safetensors").unlink()
    assert find_model("o/m", cache_dir=cache_dir).revision == SHA_A


def test_a_dangling_link_makes_a_repo_incomplete(cache_dir: Path) -> None:
    snapshot = write_snapshot(cache_dir, "o/m", whole_model())
    (snapshot / "model.safetensors").resolve().unlink()
    error = refused("o/m", cache_dir)
    assert isinstance(error, ModelIncomplete)
    assert "model.safetensors" in error.message
    assert "qwen-tui models download o/m" in error.hint
    assert not list_models(cache_dir=cache_dir)[0].complete


def test_an_unfinished_download_says_how_to_go_on(cache_dir: Path) -> None:
    write_files(cache_dir / "models--o--m" / "blobs", {"abc.incomplete": b"12345"})
    error = refused("o/m", cache_dir)
    assert isinstance(error, ModelIncomplete)
    assert "qwen-tui models download o/m" in error.hint
    assert list_models(cache_dir=cache_dir)[0].size_bytes == 5


@pytest.mark.parametrize("name", ["Qwen/Qwen3-8B", "qwen3-8b"])
def test_what_is_not_here_comes_with_the_download_line(
    name: str, cache_dir: Path
) -> None:
    error = refused(name, cache_dir)
    assert isinstance(error, ModelNotFound)
    assert "qwen-tui models download Qwen/Qwen3-8B" in error.hint


@pytest.mark.parametrize(
    "name",
    ["", "..", "a/../../b", "o/m/../x.gguf", "o--m", "\x1b[2J", "x" * 5000, "a\0b"],
)
def test_names_from_outside_never_become_paths(
    name: str, tmp_path: Path, cache_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if name == "..":
        write_files(tmp_path, {"config.json": b""})
    error = refused(name, cache_dir, (tmp_path / "models",))
    assert "\x1b" not in error.message + error.hint


def test_a_gguf_repo_with_one_file_is_that_file(cache_dir: Path) -> None:
    snapshot = write_snapshot(cache_dir, "o/g", {"README.md": b"", "q4.gguf": gguf()})
    source = find_model("o/g", cache_dir=cache_dir)
    assert (source.path, source.kind) == (str(snapshot / "q4.gguf"), "gguf")
    assert source.revision == SHA_A


def test_a_gguf_repo_with_several_files_asks_which(cache_dir: Path) -> None:
    write_snapshot(cache_dir, "o/g", {"q4.gguf": gguf(), "q8.gguf": gguf()})
    error = refused("o/g", cache_dir)
    assert "o/g/q4.gguf" in error.hint
    assert "o/g/q8.gguf" in error.hint
    assert find_model("o/g/q8.gguf", cache_dir=cache_dir).name == "o/g/q8.gguf"
    assert [m.source.name for m in list_models(cache_dir=cache_dir)][:2] == [
        "o/g/q4.gguf",
        "o/g/q8.gguf",
    ]


def test_a_gguf_in_parts_counts_once_and_needs_all(
    tmp_path: Path, cache_dir: Path
) -> None:
    parts = {f"m-0000{n}-of-00002.gguf": gguf() for n in (1, 2)}
    folder = write_files(tmp_path / "g", parts)
    assert find_model(str(folder), cache_dir=cache_dir).path.endswith("1-of-00002.gguf")
    (folder / "m-00002-of-00002.gguf").unlink()
    assert isinstance(refused(str(folder), cache_dir), ModelIncomplete)


def test_watched_folders_are_searched_by_name(tmp_path: Path, cache_dir: Path) -> None:
    models = tmp_path / "models"
    write_files(models / "mine", whole_model())
    write_files(models / "owner" / "deep", whole_model())
    write_files(models / "quant", {"q4.gguf": gguf()})
    for name in ("mine", "owner/deep", "quant/q4"):
        found = find_model(name, cache_dir=cache_dir, folders=(models,))
        assert found.path.startswith(str(models))
    listed = list_models(cache_dir=cache_dir, folders=(models, tmp_path / "gone"))
    names = [m.source.name for m in listed if m.complete]
    assert [n for n in names if n != "demo"] == ["mine", "owner/deep", "quant"]


def test_the_list_bears_a_broken_cache(cache_dir: Path) -> None:
    write_snapshot(cache_dir, "o/good", whole_model())
    write_snapshot(cache_dir, "o/no-config", {"model.safetensors": safetensors()})
    write_ref(cache_dir, "o/refs-only", SHA_A)
    (cache_dir / "models--o--dangling").symlink_to("nowhere")
    write_files(cache_dir, {"version.txt": b"1", "models--o--file": b""})
    write_files(cache_dir / "models--..--evil", whole_model())
    loop = cache_dir / "models--o--loop" / "snapshots"
    loop.mkdir(parents=True)
    (loop / SHA_A).symlink_to(loop)
    models = {m.source.name: m for m in list_models(cache_dir=cache_dir)}
    assert models["o/good"].complete
    assert models["o/good"].size_bytes == sum(len(c) for c in whole_model().values())
    assert not models["o/no-config"].complete
    assert models["o/no-config"].reason
    assert set(models) <= {"o/good", "o/no-config", "o/loop", "demo"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_the_list_bears_folders_it_may_not_read(cache_dir: Path) -> None:
    write_snapshot(cache_dir, "o/good", whole_model())
    secret = write_snapshot(cache_dir, "o/secret", whole_model()).parent.parent
    secret.chmod(0)
    try:
        assert list_models(cache_dir=cache_dir)[0].source.name == "o/good"
    finally:
        secret.chmod(0o700)


def test_the_demo_is_the_last_of_the_list(cache_dir: Path, tmp_path: Path) -> None:
    write_snapshot(cache_dir, "o/m", whole_model())
    names = [m.source.name for m in list_models(cache_dir=cache_dir)]
    assert names == ["o/m", "demo"]


def test_a_long_list_is_quick(cache_dir: Path) -> None:
    for number in range(150):
        write_snapshot(cache_dir, f"o/m{number}", sharded_model())
    start_s = time.process_time()
    assert len(list_models(cache_dir=cache_dir)) == 151
    assert time.process_time() - start_s < 2.0


def test_a_folder_is_inspected_without_raising(tmp_path: Path) -> None:
    whole = inspect_folder(write_files(tmp_path / "whole", whole_model()))
    assert (whole.complete, whole.reason) == (True, "")
    broken = inspect_folder(write_files(tmp_path / "broken", {"config.json": b"{}"}))
    assert not broken.complete
    assert "model.safetensors" in broken.reason
    assert not inspect_folder(tmp_path / "gone").complete


def test_the_catalogue_names_repos() -> None:
    catalog = load_catalog()
    assert catalog["qwen3-0.6b"].repo == "Qwen/Qwen3-0.6B"
    assert catalog["qwen3-0.6b"].context == 32768
    assert {entry.thinking for entry in catalog.values()} == {
        "switch",
        "always",
        "never",
    }


def test_finding_models_loads_no_library() -> None:
    code = (
        "import sys, qwen_tui.hub.find, qwen_tui.hub.jobs\n"
        "heavy = {'huggingface_hub', 'httpx2', 'torch', 'transformers', 'numpy'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
