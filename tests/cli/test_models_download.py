"""`models download` against a hub on this machine: lines, JSON, pause and go on."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from qwen_tui.cli.main import main
from qwen_tui.hub.layout import look
from tests.fake_hub import FakeHub, Fault
from tests.helpers import wait_until
from tests.hub.models import same_as, whole_model

REPO = "owner/model"
BIG = "model.safetensors"
CONTENT = bytes(range(256)) * 8192  # 2 MiB
HELD_BYTES = 1_500_000
STEP_BYTES = 256 * 1024


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    for name in [n for n in os.environ if n.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    with FakeHub() as hub:
        yield hub


def arguments(hub: FakeHub, *more: str) -> list[str]:
    return ["models", "download", REPO, "--endpoint", hub.url, *more]


def json_lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@dataclass
class Started:
    """A `models download` in a process of its own."""

    process: "subprocess.Popen[str]"
    out: str = ""
    err: str = ""

    def end(self, number: signal.Signals | None = None) -> int:
        """Wait for the end, after a signal where one is given."""
        if number is not None:
            self.process.send_signal(number)
        self.out, self.err = self.process.communicate(timeout=60)
        assert "Traceback" not in self.err
        return self.process.returncode


@dataclass
class Place:
    """A repo with one large file that hangs in its middle, and a home."""

    hub: FakeHub
    home: Path
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        self.sha = self.hub.add_repo(REPO, {"config.json": b"{}", BIG: CONTENT})
        self.hub.faults.append(
            Fault("hold", path=BIG, origin="cdn", after_bytes=HELD_BYTES)
        )

    @contextmanager
    def started(self, argv: Sequence[str]) -> Generator[Started]:
        with subprocess.Popen(
            [sys.executable, "-m", "qwen_tui", *argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield Started(process)
            finally:
                process.kill()

    def partial_bytes(self) -> int:
        """Of the large file."""
        found = [look(file) for file in self.home.rglob("*.incomplete")]
        return max((stat.size_bytes for stat in found if stat), default=0)

    def wait_until_held(self) -> int:
        wait_until(lambda: self.partial_bytes() >= HELD_BYTES)  # all that comes
        return self.partial_bytes()

    @property
    def file(self) -> Path:
        return self.home / "data" / "qwen-tui" / "downloads.json"

    def jobs(self) -> list[dict[str, Any]]:
        entries = json.loads(self.file.read_text())["jobs"]
        return [entry["job"] for entry in entries]

    def assert_whole(self, folder: Path) -> None:
        assert same_as(folder, {"config.json": b"{}", BIG: CONTENT})


@pytest.fixture
def place(hub: FakeHub, home: Path) -> Place:
    return Place(hub, home)


def test_json_tells_plan_progress_and_path(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
):
    hub.add_repo(REPO, whole_model())
    assert main(arguments(hub, "--json")) == 0
    events = json_lines(capsys.readouterr().out)
    total = sum(map(len, whole_model().values()))
    plan, done = events[0], events[-1]
    assert (plan["event"], plan["files"]) == ("plan", 2)
    assert (plan["total_bytes"], plan["have_bytes"]) == (total, 0)
    assert done["event"] == "done"
    assert same_as(Path(done["path"]), whole_model())
    progress = [event for event in events if event["event"] == "progress"]
    assert progress[-1]["done_bytes"] == progress[-1]["total_bytes"] == total
    assert "bytes_per_s" in progress[-1]


def test_one_quantisation_of_several_is_fetched_and_told(
    hub: FakeHub, home: Path, capsys: pytest.CaptureFixture[str]
):
    names = ("m-Q4_K_M.gguf", "m-Q8_0.gguf", "m-F16.gguf")
    hub.add_repo(REPO, {name: b"GGUF" + name.encode() for name in names})
    assert main(arguments(hub)) == 0
    folder, told = capsys.readouterr()
    assert "Q4_K_M is taken; --gguf takes another: F16, Q8_0" in told
    assert [file.name for file in Path(folder.strip()).iterdir()] == [names[0]]
    assert main(arguments(hub, "--gguf", "q8_0")) == 0
    assert "--gguf" not in capsys.readouterr().err
    assert not hub.requests("F16")
    assert main(arguments(hub, "--gguf", "Q9_K")) == 1
    told = capsys.readouterr().err
    assert "no quantisation Q9_K" in told
    assert "F16, Q8_0, Q4_K_M" in told  # by size


def test_a_retry_is_told_in_json(hub: FakeHub, capsys: pytest.CaptureFixture[str]):
    hub.add_repo(REPO, whole_model())
    hub.faults.append(Fault("status", path="config.json", status=503))
    assert main(arguments(hub, "--json")) == 0
    events = json_lines(capsys.readouterr().out)
    (retry,) = [event for event in events if event["event"] == "retry"]
    assert retry["file"] == "config.json"
    assert "503" in retry["reason"]
    assert retry["wait_s"] > 0


def test_a_retry_is_told_as_a_line(hub: FakeHub, capsys: pytest.CaptureFixture[str]):
    hub.add_repo(REPO, whole_model())
    hub.faults.append(Fault("status", path="config.json", status=503))
    assert main(arguments(hub)) == 0
    (line,) = [x for x in capsys.readouterr().err.splitlines() if "503" in x]
    assert line.startswith("config.json: ")
    assert "trying again in" in line


def test_without_a_terminal_there_are_lines_and_no_bar(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
):
    hub.add_repo(REPO, whole_model())
    assert main(arguments(hub)) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert "\r" not in err
    assert "\x1b" not in err
    assert err.splitlines()[0].startswith("owner/model: 2 files")


def test_hf_home_decides_where_it_goes(hub: FakeHub, tmp_path: Path):
    hub.add_repo(REPO, whole_model())
    other = tmp_path / "other"
    assert main(arguments(hub, "--hf-home", str(other))) == 0
    assert list((other / "hub").glob("models--owner--model/snapshots/*/config.json"))


def test_a_local_dir_holds_plain_files_and_is_a_model(
    hub: FakeHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    hub.add_repo(REPO, whole_model())
    folder = tmp_path / "plain"
    assert main(arguments(hub, "--local-dir", str(folder))) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    assert same_as(folder, whole_model())
    assert not [file for file in folder.rglob("*") if file.is_symlink()]


def test_a_repo_that_is_not_there_is_one_line_and_one_event(
    hub: FakeHub, home: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(arguments(hub, "--json")) == 1
    out, err = capsys.readouterr()
    event = json.loads(out.splitlines()[-1])
    assert (event["event"], event["code"]) == ("error", "not_found")
    assert event["message"]
    assert event["hint"]
    assert err.count("\n") == 1
    written = json.loads((home / "data" / "qwen-tui" / "downloads.json").read_text())
    assert written["jobs"] == []  # a mistyped name leaves nothing to go on with


def test_offline_a_download_says_why_it_does_nothing(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(arguments(hub)) == 1
    assert "HF_HUB_OFFLINE" in capsys.readouterr().err
    assert hub.requests() == []


@pytest.mark.parametrize("count", ["0", "99", "many"])
def test_a_wrong_number_of_connections_is_refused(
    hub: FakeHub, count: str, capsys: pytest.CaptureFixture[str]
):
    try:
        status = main(arguments(hub, "--connections", count))
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert "connections" in capsys.readouterr().err
    assert hub.requests() == []


def test_ctrl_c_pauses_and_the_command_it_prints_goes_on(place: Place):
    hub = place.hub
    more = ("--connections", "3", "--local-dir", str(place.home / "my models"))
    with place.started(arguments(hub, *more)) as download:
        place.wait_until_held()
        assert download.end(signal.SIGINT) == 130
    kept = place.partial_bytes()
    (job,) = place.jobs()
    assert (job["state"], job["connections"]) == ("paused", 3)
    assert place.file.stat().st_mode & 0o777 == 0o600

    command = download.err.splitlines()[-1]
    words = shlex.split(command)
    assert words[:4] == ["qwen-tui", "models", "download", REPO]
    assert words[4:] == ["--local-dir", more[3], *more[:2], "--endpoint", hub.url]
    hub.release.set()
    with place.started(words[1:]) as again:
        assert again.end() == 0
    place.assert_whole(Path(again.out.strip()))
    assert [s.first_byte for s in hub.requests(BIG, "cdn")] == [0, kept]
    assert place.jobs() == []


def test_a_reader_that_goes_away_ends_the_command_and_pauses_the_job(place: Place):
    with place.started(arguments(place.hub, "--json")) as download:
        stdout = download.process.stdout
        assert stdout is not None
        assert json.loads(stdout.readline())["event"] == "plan"
        stdout.close()
        download.process.wait(60)
        assert download.process.stderr is not None
        assert download.process.stderr.read() == ""
        assert download.process.returncode == 1
    (job,) = place.jobs()
    assert (job["state"], job["was_left"]) == ("paused", True)


def test_a_killed_command_leaves_a_job_that_goes_on(place: Place):
    hub = place.hub
    with place.started(arguments(hub)) as download:
        kept = place.wait_until_held()
        download.process.kill()
        assert download.end() == -signal.SIGKILL
    (job,) = place.jobs()
    assert job["repo"] == REPO
    hub.release.set()
    with place.started(arguments(hub)) as again:
        assert again.end() == 0
    place.assert_whole(Path(again.out.strip()))
    first, rest = hub.requests(BIG, "cdn")
    assert first.first_byte == 0
    assert rest.first_byte >= kept  # its process wrote what was on its way
    assert hub.file_bytes(BIG) - len(CONTENT) <= STEP_BYTES


def test_what_was_paused_goes_on_from_another_endpoint(place: Place):
    with place.started(arguments(place.hub)) as download:
        place.wait_until_held()
        assert download.end(signal.SIGTERM) == 128 + signal.SIGTERM
    kept = place.partial_bytes()
    assert "--endpoint" in download.err
    with FakeHub() as other:
        other.add_repo(REPO, {"config.json": b"{}", BIG: CONTENT})
        with place.started(arguments(other)) as again:
            assert again.end() == 0
        assert [s.first_byte for s in other.requests(BIG, "cdn")] == [kept]
        assert other.file_bytes(BIG) == len(CONTENT) - kept
    place.assert_whole(Path(again.out.strip()))


def test_a_failure_is_kept_with_its_reason(
    place: Place, capsys: pytest.CaptureFixture[str]
):
    place.hub.faults[:] = [Fault("status", path=BIG, status=404, times=-1)]
    assert main(arguments(place.hub)) == 1
    err = capsys.readouterr().err
    (job,) = place.jobs()
    assert job["state"] == "failed"
    assert job["code"]
    assert job["message"] in err


def test_a_second_command_follows_the_first_one(place: Place):
    hub = place.hub
    with place.started(arguments(hub)) as first:
        place.wait_until_held()
        with place.started(arguments(hub, "--json")) as second:
            line = second.process.stderr.readline()  # pyright: ignore[reportOptionalMemberAccess]
            assert f"another qwen-tui (process {first.process.pid})" in line
            hub.release.set()
            assert first.end() == 0
            assert second.end() == 0
    assert hub.file_bytes(BIG) - len(CONTENT) <= STEP_BYTES
    done = json_lines(second.out)[-1]
    assert (done["event"], done["path"]) == ("done", first.out.strip())
    assert place.jobs() == []


def test_a_second_command_takes_over_when_the_first_one_dies(place: Place):
    with FakeHub() as other, place.started(arguments(place.hub)) as first:
        other.add_repo(REPO, {"config.json": b"{}", BIG: CONTENT})
        kept = place.wait_until_held()
        with place.started(arguments(other)) as second:
            second.process.stderr.readline()  # pyright: ignore[reportOptionalMemberAccess]
            first.process.kill()
            assert first.end() == -signal.SIGKILL
            assert second.end() == 0
        (rest,) = other.requests(BIG, "cdn")
        assert rest.first_byte >= kept
    assert "goes on here" in second.err
    place.assert_whole(Path(second.out.strip()))


def test_ctrl_c_in_the_second_command_leaves_the_first_one_alone(place: Place):
    with place.started(arguments(place.hub)) as first:
        place.wait_until_held()
        with place.started(arguments(place.hub)) as second:
            second.process.stderr.readline()  # pyright: ignore[reportOptionalMemberAccess]
            assert second.end(signal.SIGINT) == 130
        assert "still being downloaded" in second.err
        place.hub.release.set()
        assert first.end() == 0
    place.assert_whole(Path(first.out.strip()))
