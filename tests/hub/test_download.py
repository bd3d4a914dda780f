"""What a download leaves behind, and what it asks for."""

import dataclasses
import json
import os
from pathlib import Path

import pytest

from qwen_tui.errors import DownloadError, HubError, UsageError
from qwen_tui.hub.download import Job, download
from qwen_tui.hub.find import find_model
from qwen_tui.hub.plan import Choice, RemoteFile, wanted_files
from qwen_tui.hub.progress import Progressed, Verifying
from qwen_tui.hub.retry import TransferOptions
from tests.fake_hub import FakeHub, Fault, etag
from tests.hub.conftest import BIG, BIG_BYTES, QUICK, REPO, Mover
from tests.hub.models import same_as, sharded_model


def test_a_whole_repo_arrives_in_the_cache(
    mover: Mover, files: dict[str, bytes]
) -> None:
    folder = mover.fetch()
    assert same_as(folder, files)
    total = sum(len(content) for content in files.values())
    assert (mover.plan.n_files, mover.plan.total_bytes) == (len(files), total)
    assert mover.plan.have_bytes == 0
    assert mover.plan.commit == folder.name
    assert mover.last_progress.done_bytes == total
    assert not list(mover.cache_dir.rglob("*.incomplete"))
    assert mover.retries == []


def test_the_cache_is_laid_out_as_the_library_does_it(
    mover: Mover, files: dict[str, bytes]
) -> None:
    folder = mover.fetch()
    link = folder / BIG
    assert str(link.readlink()) == f"../../blobs/{etag(BIG, files[BIG])}"
    nested = folder / "nested" / "name with space.json"
    assert str(nested.readlink()).startswith("../../../blobs/")
    repo_folder = folder.parent.parent
    assert (repo_folder / "refs" / "main").read_text() == folder.name
    tree = json.loads((repo_folder / "trees" / f"{folder.name}.json").read_text())
    assert set(tree["files"]) == set(files)


def test_a_second_run_fetches_nothing(mover: Mover, hub: FakeHub) -> None:
    folder = mover.fetch()
    before = hub.file_bytes("/resolve/") + hub.file_bytes(BIG)
    assert mover.fetch() == folder
    assert hub.file_bytes("/resolve/") + hub.file_bytes(BIG) == before
    assert mover.plan.have_bytes == mover.plan.total_bytes


def test_small_files_come_first(mover: Mover, hub: FakeHub) -> None:
    mover.options = TransferOptions(connections=1, reserve_bytes=0)
    mover.fetch()
    asked = [s.path.rpartition("/")[2] for s in hub.requests("/resolve/")]
    assert asked == [
        "name with space.json",
        "config.json",
        ".gitattributes",
        "tokenizer.json",
        BIG,
    ]


def test_a_partial_of_ours_is_continued(
    mover: Mover, files: dict[str, bytes], hub: FakeHub
) -> None:
    partial = mover.blob(etag(BIG, files[BIG]) + ".incomplete")
    partial.parent.mkdir(parents=True)
    partial.write_bytes(files[BIG][:1_500_000])
    assert same_as(mover.fetch(), files)
    assert mover.plan.have_bytes == 1_500_000
    assert [s.first_byte for s in hub.requests(BIG, "cdn")] == [1_500_000]
    assert hub.file_bytes(BIG) == BIG_BYTES - 1_500_000


def test_a_partial_that_is_whole_is_only_checked(
    mover: Mover, files: dict[str, bytes], hub: FakeHub
) -> None:
    partial = mover.blob(etag(BIG, files[BIG]) + ".incomplete")
    partial.parent.mkdir(parents=True)
    partial.write_bytes(files[BIG])
    assert same_as(mover.fetch(), files)
    assert not hub.requests(BIG)


def test_a_partial_that_is_too_long_starts_again(
    mover: Mover, files: dict[str, bytes]
) -> None:
    partial = mover.blob(etag(BIG, files[BIG]) + ".incomplete")
    partial.parent.mkdir(parents=True)
    partial.write_bytes(bytes(BIG_BYTES + 1))
    assert same_as(mover.fetch(), files)


def test_a_damaged_partial_is_fetched_once_more(
    mover: Mover, files: dict[str, bytes], hub: FakeHub
) -> None:
    partial = mover.blob(etag(BIG, files[BIG]) + ".incomplete")
    partial.parent.mkdir(parents=True)
    partial.write_bytes(bytes(1_000_000))
    assert same_as(mover.fetch(), files)
    assert hub.file_bytes(BIG) == BIG_BYTES - 1_000_000 + BIG_BYTES


def test_a_partial_that_is_a_link_is_not_followed(
    mover: Mover, files: dict[str, bytes], tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    partial = mover.blob(etag(BIG, files[BIG]) + ".incomplete")
    partial.parent.mkdir(parents=True)
    partial.symlink_to(victim)
    with pytest.raises(DownloadError):
        mover.fetch()
    assert victim.read_bytes() == b"precious"


def test_switching_the_endpoint_keeps_the_bytes(
    mover: Mover, files: dict[str, bytes], hub: FakeHub
) -> None:
    hub.faults.append(Fault("close", path=BIG, times=-1, after_bytes=500_000))
    mover.options = QUICK
    with FakeHub() as other:
        other.add_repo(REPO, files)
        partial = mover.blob(etag(BIG, files[BIG]) + ".incomplete")
        partial.parent.mkdir(parents=True)
        partial.write_bytes(files[BIG][:500_000])
        assert same_as(mover.fetch(endpoint=other.url), files)
        assert other.file_bytes(BIG) == BIG_BYTES - 500_000
    assert not hub.requests()


def test_two_paths_with_one_content_are_fetched_once(
    hub: FakeHub, tmp_path: Path
) -> None:
    content = os.urandom(200_000)
    hub.add_repo(REPO, {"a.bin": content, "sub/b.bin": content})
    for local_dir in (None, tmp_path / "plain"):
        before = hub.file_bytes("bin")
        mover = Mover(hub, tmp_path / "hub")
        folder = mover.fetch(local_dir=local_dir)
        assert (folder / "a.bin").read_bytes() == content
        assert (folder / "sub" / "b.bin").read_bytes() == content
        assert hub.file_bytes("bin") - before == len(content)


def test_a_listing_of_many_pages_is_read_whole(
    mover: Mover, files: dict[str, bytes], hub: FakeHub
) -> None:
    hub.page_entries = 2
    hub.next_link_base = "http://elsewhere.invalid"  # a mirror's link may leave it
    assert same_as(mover.fetch(), files)


def test_a_revision_gets_its_own_ref(
    mover: Mover, files: dict[str, bytes], hub: FakeHub
) -> None:
    sha = hub.add_repo(REPO, {**files, "new.txt": b"new"}, revision="v2")
    folder = mover.fetch(revision="v2")
    assert folder.name == sha
    assert (folder.parent.parent / "refs" / "v2").read_text() == sha
    assert not (folder.parent.parent / "refs" / "main").exists()


def test_a_commit_needs_no_ref(mover: Mover, hub: FakeHub) -> None:
    folder = mover.fetch()
    sha = folder.name
    (folder.parent.parent / "refs" / "main").unlink()
    mover.fetch(revision=sha)
    assert not list((folder.parent.parent / "refs").iterdir())


def test_a_download_can_be_found_as_a_model(hub: FakeHub, tmp_path: Path) -> None:
    sha = hub.add_repo(REPO, sharded_model())
    mover = Mover(hub, tmp_path)
    folder = mover.fetch()
    source = find_model(REPO, cache_dir=tmp_path)
    assert (source.path, source.revision) == (str(folder), sha)


def test_the_same_weights_in_another_form_stay_away(
    hub: FakeHub, tmp_path: Path
) -> None:
    extra = ("pytorch_model.bin", "original/consolidated.00.pth", "onnx/model.onnx")
    hub.add_repo(REPO, {**sharded_model(), **dict.fromkeys(extra, b"big")})
    mover = Mover(hub, tmp_path)
    folder = mover.fetch()
    assert not [path for path in extra if (folder / path).exists()]


@pytest.mark.parametrize(
    ("paths", "wanted"),
    [
        (["a.gguf", "README.md"], ["a.gguf", "README.md"]),
        (["pytorch_model.bin", "config.json"], ["pytorch_model.bin", "config.json"]),
        (["model.safetensors", "a.gguf", "x.py"], ["model.safetensors", "x.py"]),
        (["consolidated.safetensors"], ["consolidated.safetensors"]),
        (["m.safetensors", "consolidated.safetensors"], ["m.safetensors"]),
        (["m.safetensors", "tokenizer.model"], ["m.safetensors", "tokenizer.model"]),
    ],
)
def test_what_is_wanted_of_a_repo(paths: list[str], wanted: list[str]) -> None:
    listing = [RemoteFile(path, 1, "0" * 40) for path in paths]
    assert [file.path for file in wanted_files(listing)] == wanted


def test_allow_patterns_choose_the_files(mover: Mover) -> None:
    folder = mover.fetch(choice=Choice(allow=("*.json", "nested/")))
    found = {f.relative_to(folder).as_posix() for f in folder.rglob("*.*")}
    assert found == {"config.json", "tokenizer.json", "nested/name with space.json"}


def test_a_repair_fetches_the_named_files_alone(
    mover: Mover, files: dict[str, bytes], hub: FakeHub
) -> None:
    folder = mover.fetch()
    (folder / BIG).resolve().unlink()
    before = len(hub.requests("/resolve/"))
    assert mover.fetch(choice=Choice(only=(BIG,))) == folder
    assert same_as(folder, files)
    assert [item.path for item in mover.plan.items] == [BIG]
    assert len(hub.requests("/resolve/")) == before + 1


@pytest.mark.parametrize(
    "choice", [Choice(only=("gone.json",)), Choice(allow=("*.gone",))]
)
def test_a_choice_that_names_no_file_is_told(mover: Mover, choice: Choice) -> None:
    with pytest.raises(HubError) as caught:
        mover.fetch(choice=choice)
    assert caught.value.code == "not_found"
    assert "gone" in caught.value.message


def test_reports_tell_how_much_of_every_file_is_here(
    mover: Mover, files: dict[str, bytes]
) -> None:
    partial = mover.blob(etag(BIG, files[BIG]) + ".incomplete")
    partial.parent.mkdir(parents=True)
    partial.write_bytes(files[BIG][:500_000])
    mover.fetch()
    here = {item.path: item for item in mover.plan.items}
    assert {path: item.size_bytes for path, item in here.items()} == {
        path: len(content) for path, content in files.items()
    }
    assert {path for path, item in here.items() if item.have_bytes} == {BIG}
    assert here[BIG].have_bytes == 500_000
    for report in mover.reports:
        if isinstance(report, Progressed):
            here |= {item.path: item for item in report.items}
            assert sum(i.have_bytes for i in here.values()) == report.done_bytes
    assert all(item.have_bytes == item.size_bytes for item in here.values())


def test_a_check_that_takes_a_while_is_reported(mover: Mover) -> None:
    mover.fetch()
    assert not [r for r in mover.reports if isinstance(r, Verifying)]
    (mover.cache_dir / "models--owner--model" / "blobs").rename(mover.cache_dir / "x")
    mover.options = dataclasses.replace(QUICK, silent_hash_s=0, report_interval_s=0)
    mover.fetch()
    checked = [r for r in mover.reports if isinstance(r, Verifying) and r.file == BIG]
    done = [r.done_bytes for r in checked]
    assert len(done) > 3
    assert (sorted(done), done[-1]) == (done, BIG_BYTES)
    assert {r.total_bytes for r in checked} == {BIG_BYTES}


@pytest.mark.parametrize("repo", ["../x", "a/b/c", "", "/etc", "o/m?x", "o/m#x"])
def test_what_is_no_repo_id_is_refused(repo: str, tmp_path: Path, hub: FakeHub) -> None:
    with pytest.raises(UsageError):
        download(Job(repo, hub.url, tmp_path), print, options=QUICK)
    assert not hub.seen


@pytest.mark.parametrize("revision", ["../main", "", "a b", "/x", "a/../b", "x\n"])
def test_what_is_no_revision_is_refused(
    revision: str, mover: Mover, hub: FakeHub
) -> None:
    with pytest.raises(UsageError):
        mover.fetch(revision=revision)
    assert not hub.seen
