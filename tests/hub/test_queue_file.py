"""The file of download jobs: private, whole, and never the end of the program."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qwen_tui.errors import QwenTuiError
from qwen_tui.hub.held import locked
from qwen_tui.hub.queue_changes import enqueue
from qwen_tui.hub.queue_entry import Owner
from qwen_tui.hub.queue_file import Entries, QueueFile
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.processes import this_process
from qwen_tui.wire import FileState

JOB = DownloadJob(
    id="abc",
    repo="owner/model",
    revision="main",
    endpoint="mirror",
    cache_dir="/hub",
    local_dir="/模型",
    connections=2,
    created_at=1.5,
    only=("a",),
    files=(FileState("a", 10, 4, "e" * 40),),
    done_bytes=4,
    total_bytes=10,
)
OWNER = Owner(this_process(), "queue")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "downloads.json"


def add_job(file: Path) -> None:
    QueueFile(file).change(lambda entries: enqueue(entries, JOB, OWNER))


def read(file: Path) -> Entries:
    return QueueFile(file).change(lambda entries: None)


def changed(file: Path, key: str, value: object) -> None:
    """Put a value into the file, at "a.b" below its first entry."""
    body = json.loads(file.read_text())
    *path, last = key.split(".")
    place: Any = body["jobs"][0]
    for name in path:
        place = place[name]
    place[last] = value
    file.write_text(json.dumps(body))


def test_what_was_written_is_read(file: Path) -> None:
    add_job(file)
    entry = read(file)["abc"]
    assert entry.job == JOB
    assert entry.owner == OWNER
    assert time.time() - entry.queued_at < 60


def test_nobody_else_may_read_it(file: Path) -> None:
    add_job(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_what_a_kill_left_of_a_write_is_no_harm(file: Path) -> None:
    add_job(file)
    file.with_name(".downloads.json.new").write_text('{"version": 1, "jo')
    add_job(file)
    assert list(read(file)) == ["abc"]
    assert {f.name for f in file.parent.iterdir()} == {
        "downloads.json",
        "downloads.json.lock",
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"version": 1, "jobs": [',
        "[]",
        "null",
        '{"version": "1", "jobs": []}',
        '{"version": 1, "jobs": [{}]}',
        '{"version": 1, "jobs": 3}',
        "\udcff",
        "[" * 100_000,
    ],
    ids=lambda text: repr(text[:30]),
)
def test_a_damaged_file_is_set_aside_and_told(file: Path, text: str) -> None:
    file.parent.mkdir()
    damaged = text.encode(errors="surrogateescape")
    file.write_bytes(damaged)
    queue_file = QueueFile(file)
    entries = queue_file.change(lambda entries: enqueue(entries, JOB, OWNER))
    assert list(entries) == list(read(file)) == ["abc"]
    (broken,) = file.parent.glob("downloads.json.broken-*")
    assert broken.read_bytes() == damaged
    assert str(broken) in queue_file.notice


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("job.repo", "../../x"),
        ("job.revision", "../x"),
        ("job.endpoint", "nowhere"),
        ("job.cache_dir", "relative"),
        ("job.local_dir", "relative"),
        ("job.state", "flying"),
        ("job.done_bytes", "many"),
        ("job.connections", None),
        ("job.files", [{"path": "a"}]),
        ("owner", {"process": 1}),
        ("wish", 7),
    ],
)
def test_a_job_that_cannot_be_is_damage(file: Path, key: str, value: object) -> None:
    add_job(file)
    changed(file, key, value)
    assert read(file) == {}
    assert list(file.parent.glob("downloads.json.broken-*"))


def test_what_a_later_version_adds_within_the_format_is_left_out(file: Path) -> None:
    add_job(file)
    changed(file, "job.colour", "green")
    assert list(read(file)) == ["abc"]


def test_a_newer_format_is_refused_and_untouched(file: Path) -> None:
    file.parent.mkdir()
    text = '{"version": 2, "jobs": {"another": "form"}}'
    file.write_text(text)
    with pytest.raises(QwenTuiError) as caught:
        add_job(file)
    assert caught.value.code == "queue_newer"
    assert caught.value.hint
    assert file.read_text() == text


def test_a_file_that_cannot_be_used_is_told_with_its_path(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(QwenTuiError) as caught:
        add_job(file)
    assert caught.value.code == "queue_file"
    assert str(file) in caught.value.message


def test_a_lock_that_is_never_given_back_ends_the_wait(file: Path) -> None:
    add_job(file)
    with locked(file.with_name("downloads.json.lock")) as is_ours:
        assert is_ours
        with pytest.raises(QwenTuiError) as caught:
            QueueFile(file, lock_patience_s=0.1).change(lambda entries: None)
    assert caught.value.code == "queue_locked"
    assert list(read(file)) == ["abc"]


def test_a_change_that_fails_changes_nothing(file: Path) -> None:
    add_job(file)
    before = file.read_text()

    def fail(entries: Entries) -> None:
        entries.clear()
        raise QwenTuiError("no")

    with pytest.raises(QwenTuiError, match="no"):
        QueueFile(file).change(fail)
    assert file.read_text() == before


def test_only_what_others_wrote_is_news(file: Path) -> None:
    ours, theirs = QueueFile(file), QueueFile(file)
    ours.change(lambda entries: enqueue(entries, JOB, OWNER))
    assert not ours.has_changed()
    theirs.change(lambda entries: enqueue(entries, replace(JOB, id="b"), OWNER))
    assert ours.has_changed()
    ours.change(lambda entries: None)
    assert not ours.has_changed()


def test_looking_writes_nothing(file: Path) -> None:
    add_job(file)
    before = file.stat()
    read(file)
    assert file.stat() == before  # or two programs would write for ever


def test_a_job_of_very_many_files_is_kept_without_them(file: Path) -> None:
    many = tuple(FileState(str(n), 1, 0, "e" * 40) for n in range(2000))
    QueueFile(file).change(
        lambda entries: enqueue(entries, replace(JOB, files=many), OWNER)
    )
    assert read(file)["abc"].job.files == ()
    assert file.stat().st_size < 10_000
