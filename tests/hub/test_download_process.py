"""Downloads in a process of their own: killed, paused, and gone on with."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from qwen_tui import wire
from qwen_tui.child import Child
from qwen_tui.hub.jobs import DownloadEvent, download_request, run_download
from tests.fake_hub import FakeHub, Fault, etag
from tests.helpers import bytes_in, files_named, until, wait_until
from tests.hub.conftest import BIG, BIG_BYTES, REPO
from tests.hub.models import same_as

STILL_S = 0.3
STEP_BYTES = 256 * 1024
HELD_BYTES = 1_200_000
NOTE_HOSTS = """
import sys
def note(event, arguments):
    if event == "socket.getaddrinfo":
        with open({log!r}, "a") as log:
            print(arguments[0], file=log)
sys.addaudithook(note)
"""


async def until_still(count: Callable[[], int]) -> None:
    """Wait until a count has stayed the same for a while."""
    seen, since_s = count(), time.monotonic()
    while time.monotonic() - since_s < STILL_S:
        await asyncio.sleep(0.02)
        if count() != seen:
            seen, since_s = count(), time.monotonic()


class Runner:
    """Runs downloads of the fake hub's repo."""

    def __init__(
        self, hub: FakeHub, big: bytes, tmp_path: Path, environ: dict[str, str]
    ) -> None:
        self.hub = hub
        self.etag = etag(BIG, big)
        self.cache_dir = tmp_path / "hub"
        self.log_dir = tmp_path / "log"
        self.environ = environ
        self.local_dir: Path | None = None

    @property
    def request(self) -> wire.Download:
        return download_request(
            REPO,
            endpoint=self.hub.url,
            cache_dir=self.cache_dir,
            local_dir=self.local_dir,
            environ=self.environ,
        )

    def start(self) -> AsyncGenerator[DownloadEvent]:
        return run_download(self.request, log_dir=self.log_dir, environ=self.environ)

    async def start_child(self) -> Child:
        """The process alone, to be treated badly."""
        log_file = self.log_dir / "download.log"
        child = await Child.start("qwen_tui.hub", env=self.environ, log_file=log_file)
        await child.send(self.request)
        return child

    async def run(self) -> list[DownloadEvent]:
        return [event async for event in self.start()]

    def partial_bytes(self) -> int:
        """Of the large file."""
        root = self.local_dir or self.cache_dir
        found = files_named(f"{self.etag}.incomplete", root)
        return bytes_in(found[0]) if found else 0


@pytest.fixture
def runner(
    hub: FakeHub, files: dict[str, bytes], tmp_path: Path, environ: dict[str, str]
) -> Runner:
    hub.add_repo(REPO, files)
    return Runner(hub, files[BIG], tmp_path, environ)


async def test_a_download_tells_plan_progress_and_the_end(
    runner: Runner, files: dict[str, bytes]
) -> None:
    events = await runner.run()
    assert isinstance(events[0], wire.DownloadPlan)
    assert events[0].files == len(files)
    assert {item.path: item.size_bytes for item in events[0].items} == {
        path: len(content) for path, content in files.items()
    }
    progress = [e for e in events if isinstance(e, wire.DownloadProgress)]
    assert progress[-1].done_bytes == progress[-1].total_bytes
    assert isinstance(events[-1], wire.DownloadDone)
    assert same_as(Path(events[-1].path), files)


async def test_a_saved_token_reaches_no_other_endpoint(
    runner: Runner, hub: FakeHub
) -> None:
    runner.environ["HF_TOKEN"] = "hf_variable"
    await runner.run()
    assert len(hub.seen) > 5
    assert "hf_" not in str([seen.headers for seen in hub.seen])


@pytest.mark.parametrize("plain", [False, True])
async def test_a_killed_download_goes_on_inside_the_file(
    runner: Runner,
    hub: FakeHub,
    files: dict[str, bytes],
    tmp_path: Path,
    plain: bool,
) -> None:
    runner.local_dir = tmp_path / "plain" if plain else None
    hub.faults.append(Fault("hold", path=BIG, after_bytes=HELD_BYTES))
    child = await runner.start_child()
    await until(lambda: runner.partial_bytes() > HELD_BYTES - STEP_BYTES)
    os.kill(child.pid, signal.SIGKILL)
    assert await child.wait() == -signal.SIGKILL

    kept = runner.partial_bytes()
    done = (await runner.run())[-1]
    assert isinstance(done, wire.DownloadDone)
    assert same_as(Path(done.path), files)
    assert [s.first_byte for s in hub.requests(BIG, "cdn")] == [0, kept]
    assert hub.file_bytes(BIG) - BIG_BYTES <= STEP_BYTES
    assert runner.partial_bytes() == 0


async def test_a_kill_in_full_flow_loses_at_most_a_step(
    runner: Runner, hub: FakeHub
) -> None:
    content = os.urandom(24 * 1024 * 1024)
    hub.add_repo(REPO, {BIG: content})
    runner.etag = etag(BIG, content)
    hub.send_buffer_bytes = 16 * 1024  # so that the hub's count is what we were sent
    child = await runner.start_child()
    await until(lambda: runner.partial_bytes() > 0)
    os.kill(child.pid, signal.SIGSTOP)
    await until_still(lambda: hub.file_bytes(BIG))  # every buffer is full
    assert runner.partial_bytes() < len(content) / 2
    child.kill()
    await child.wait()
    lost = hub.file_bytes(BIG) - runner.partial_bytes()
    assert 0 < lost <= STEP_BYTES + 4 * hub.send_buffer_bytes


async def test_closing_the_iterator_pauses(
    runner: Runner, hub: FakeHub, files: dict[str, bytes]
) -> None:
    hub.faults.append(Fault("hold", path=BIG, after_bytes=HELD_BYTES))
    async with aclosing(runner.start()) as events:
        async for event in events:
            # whichever file came last: a small one may, while the large one is held
            if isinstance(event, wire.DownloadProgress):
                await until(lambda: runner.partial_bytes() > HELD_BYTES - STEP_BYTES)
                break
    kept = runner.partial_bytes()
    assert kept > HELD_BYTES - STEP_BYTES
    second = await runner.run()
    assert isinstance(second[0], wire.DownloadPlan)
    assert second[0].have_bytes >= kept
    assert isinstance(second[-1], wire.DownloadDone)
    assert same_as(Path(second[-1].path), files)
    assert hub.file_bytes(BIG) - BIG_BYTES <= STEP_BYTES


async def test_a_pause_in_full_flow_gives_back_what_was_claimed(
    runner: Runner, hub: FakeHub
) -> None:
    hub.add_repo(REPO, {f"{n}.safetensors": bytes([n]) * BIG_BYTES for n in (1, 2)})
    hub.bytes_per_s = BIG_BYTES // 20
    child = await runner.start_child()
    await until(lambda: len(files_named("*.owner", runner.cache_dir)) == 2)
    await child.stop()
    assert child.returncode == 0
    assert not list(runner.cache_dir.rglob("*.owner"))


async def test_two_processes_fetch_every_file_once(
    runner: Runner, hub: FakeHub, files: dict[str, bytes]
) -> None:
    first, second = await asyncio.gather(runner.run(), runner.run())
    assert isinstance(first[-1], wire.DownloadDone)
    assert isinstance(second[-1], wire.DownloadDone)
    assert hub.file_bytes(BIG) == BIG_BYTES
    assert hub.file_bytes("config.json") == len(files["config.json"])


async def test_a_second_process_tells_whom_it_waits_for(
    runner: Runner, hub: FakeHub, files: dict[str, bytes]
) -> None:
    hub.faults.append(Fault("hold", path=BIG, after_bytes=HELD_BYTES))
    first = await runner.start_child()
    await until(lambda: runner.partial_bytes() > 0)
    events: list[DownloadEvent] = []
    async for event in runner.start():
        events.append(event)
        if isinstance(event, wire.DownloadRetry) and event.file == BIG:
            hub.release.set()
    waits = [e.reason for e in events if isinstance(e, wire.DownloadRetry)]
    assert str(first.pid) in waits[0]
    assert isinstance(events[-1], wire.DownloadDone)
    assert same_as(Path(events[-1].path), files)
    assert hub.file_bytes(BIG) == BIG_BYTES
    await first.stop()


async def test_no_other_host_is_asked_for_anything(
    runner: Runner, files: dict[str, bytes], tmp_path: Path
) -> None:
    log, site = tmp_path / "hosts", tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(NOTE_HOSTS.format(log=str(log)))
    runner.environ["PYTHONPATH"] = str(site)
    assert isinstance((await runner.run())[-1], wire.DownloadDone)
    assert set(log.read_text().split()) == {"127.0.0.1", "localhost"}


async def test_a_refusal_arrives_with_its_code_and_hint(
    runner: Runner, hub: FakeHub, files: dict[str, bytes]
) -> None:
    hub.add_repo(REPO, files, gated=True)
    end = (await runner.run())[-1]
    assert isinstance(end, wire.DownloadFailed)
    assert end.code == "gated"
    assert end.hint


async def test_a_refusal_speaks_the_users_language(
    runner: Runner, hub: FakeHub, files: dict[str, bytes]
) -> None:
    from qwen_tui.i18n import set_language

    hub.add_repo(REPO, files, gated=True)
    set_language("zh")
    try:
        end = (await runner.run())[-1]
    finally:
        set_language("en")
    assert isinstance(end, wire.DownloadFailed)
    assert not end.message.isascii()


def test_the_process_goes_when_its_input_ends(runner: Runner, hub: FakeHub) -> None:
    hub.faults.append(Fault("hold", path=BIG, after_bytes=HELD_BYTES))
    with subprocess.Popen(
        [sys.executable, "-m", "qwen_tui.hub"],
        env=runner.environ | {"PYTHONPATH": str(Path(wire.__file__).parent.parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(wire.encode(runner.request))
        process.stdin.flush()
        wait_until(lambda: runner.partial_bytes() > HELD_BYTES - STEP_BYTES)
        process.stdin.close()
        assert process.wait(30) == 0
    assert len(hub.requests(BIG, "cdn")) == 1  # it did not go on for a second try


async def test_a_process_that_cannot_start_is_told(runner: Runner) -> None:
    runner.environ["PYTHONHOME"] = "/nowhere"
    (end,) = await runner.run()
    assert isinstance(end, wire.DownloadFailed)
    assert end.code == "download_died"
    assert "download.log" in end.message


async def test_progress_also_counts_what_was_there(
    runner: Runner, hub: FakeHub, files: dict[str, bytes]
) -> None:
    blob = etag(BIG, files[BIG])
    folder = runner.cache_dir / "models--owner--model" / "blobs"
    folder.mkdir(parents=True)
    (folder / f"{blob}.incomplete").write_bytes(files[BIG][:500_000])
    events = await runner.run()
    progress = [e for e in events if isinstance(e, wire.DownloadProgress)]
    assert min(e.done_bytes for e in progress) >= 500_000
    assert max(e.done_bytes for e in progress) == progress[-1].total_bytes
