"""Two programs on one list of downloads: each job runs once, and both see it."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import qwen_tui
from qwen_tui import wire
from qwen_tui.errors import QwenTuiError
from tests.fake_hub import FakeHub, Fault
from tests.helpers import until
from tests.hub.conftest import BIG, BIG_BYTES, REPO
from tests.hub.models import same_as
from tests.hub.queues import HELD_BYTES, STEP_BYTES, Place, Script, holding

SECOND = "owner/second"
_PROGRAM = """
import asyncio, os, sys
from pathlib import Path
from qwen_tui.hub.queue import JobQueue

async def main():
    file, url, cache_dir = sys.argv[1:]
    queue = JobQueue(Path(file), log_dir=Path(file).parent / "log")
    await queue.open()
    await queue.add("owner/model", endpoint=url, cache_dir=Path(cache_dir))
    await queue.add("owner/second", endpoint=url, cache_dir=Path(cache_dir))
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def program(place: Place):
    """Another program that downloads the repo and lets a second one wait."""
    with subprocess.Popen(
        [
            *(sys.executable, "-c", _PROGRAM),
            *(str(place.file), place.hub.url, str(place.cache_dir)),
        ],
        env=place.environ | {"PYTHONPATH": str(Path(qwen_tui.__file__).parent.parent)},
    ) as process:
        yield process
        process.kill()


def change_entry(place: Place, **fields: Any) -> None:
    body = json.loads(place.file.read_text())
    body["jobs"][0].update(fields)
    place.file.write_text(json.dumps(body))


async def test_a_second_program_sees_the_job_and_who_runs_it(
    place: Place, hub: FakeHub, program: "subprocess.Popen[bytes]"
) -> None:
    hub.faults.append(Fault("hold", path=BIG, origin="cdn", after_bytes=HELD_BYTES))
    await place.held()
    watched = await place.open()
    assert watched.states == ["running", "queued"]
    job = watched.queue.jobs[0]
    assert f"process {program.pid}" in job.holder
    with pytest.raises(QwenTuiError) as caught:
        await watched.queue.resume(job.id)
    assert caught.value.code == "job_elsewhere"
    same = await place.add(watched)
    assert (same.id, same.state) == (job.id, "running")
    await until(lambda: watched.queue.jobs[0].done_bytes > HELD_BYTES - STEP_BYTES)
    assert not watched.queue.is_busy
    assert len(hub.requests(BIG, "cdn")) == 1


async def test_a_killed_programs_jobs_are_paused_and_go_on_here(
    place: Place,
    hub: FakeHub,
    files: dict[str, bytes],
    program: "subprocess.Popen[bytes]",
) -> None:
    hub.faults.append(Fault("hold", path=BIG, origin="cdn", after_bytes=HELD_BYTES))
    kept = await place.held()
    watched = await place.open()
    assert watched.states == ["running", "queued"]
    program.send_signal(signal.SIGKILL)
    jobs = await watched.reach("paused", "paused")
    assert all(job.was_left and not job.holder for job in jobs)
    await watched.queue.resume(jobs[0].id)
    await until(lambda: watched.states[0] == "done")
    assert same_as(Path(watched.queue.jobs[0].path), files)
    first, rest = hub.requests(BIG, "cdn")
    assert first.first_byte == 0
    assert rest.first_byte >= kept  # what was on its way was written at the end
    assert hub.file_bytes(BIG) - BIG_BYTES <= STEP_BYTES


async def test_a_program_started_after_the_kill_finds_the_job_paused(
    place: Place, hub: FakeHub, program: "subprocess.Popen[bytes]"
) -> None:
    hub.faults.append(Fault("hold", path=BIG, origin="cdn", after_bytes=HELD_BYTES))
    await place.held()
    program.send_signal(signal.SIGKILL)
    program.wait()
    watched = await place.open()
    assert watched.states == ["paused", "paused"]


async def test_two_that_add_the_same_at_once_fetch_it_once(
    place: Place, hub: FakeHub
) -> None:
    first, second = await place.open(), await place.open()
    jobs = await asyncio.gather(place.add(first), place.add(second))
    assert jobs[0].id == jobs[1].id
    await asyncio.gather(first.reach("done"), second.reach("done"))
    assert hub.file_bytes(BIG) == BIG_BYTES
    assert [bool(job.holder) for job in jobs].count(True) == 1


async def test_the_limit_counts_the_jobs_of_all_programs(place: Place) -> None:
    script = Script()
    first = await place.open(run=script.run)
    second = await place.open(run=script.run)
    await place.add(first)
    await place.add(second, SECOND)
    assert second.states == ["running", "queued"]
    script.say(wire.DownloadDone(1, "/there"))
    await second.reach("done", "running")


async def test_a_pause_from_the_other_program_is_done(
    place: Place, hub: FakeHub
) -> None:
    first, second = await place.open(), await place.open()
    with holding(hub):
        job = await place.add(first)
        await place.held()
        await until(lambda: bool(second.queue.jobs))
        await second.queue.pause(job.id)
        await first.reach("paused")
        (seen,) = await second.reach("paused")
    assert not seen.was_left
    await second.queue.resume(job.id)
    await asyncio.gather(first.reach("done"), second.reach("done"))


async def test_a_cancel_from_the_other_program_is_done(
    place: Place, hub: FakeHub
) -> None:
    first, second = await place.open(), await place.open()
    with holding(hub):
        job = await place.add(first)
        await place.held()
        await until(lambda: bool(second.queue.jobs))
        await second.queue.cancel(job.id)
        await asyncio.gather(first.reach(), second.reach())
    assert place.partials() == []
    assert place.written() == []


async def test_what_the_other_program_adds_and_forgets_is_told(place: Place) -> None:
    script = Script()
    first, second = await place.open(run=script.run), await place.open()
    job = await place.add(first)
    await second.reach("running")
    assert None in second.told
    script.say(wire.DownloadDone(1, "/there"))
    await second.reach("done")
    second.told.clear()
    await first.queue.forget(job.id)
    await second.reach()
    assert second.told[0] is None


async def test_a_list_that_vanishes_is_written_again(place: Place) -> None:
    watched = await place.open(run=Script().run)
    await place.add(watched)
    place.file.unlink()
    await until(place.file.exists)
    await place.reach_written("running")


async def test_a_list_that_becomes_unusable_stops_no_download(place: Place) -> None:
    script = Script()
    watched = await place.open(run=script.run)
    await place.add(watched)
    whole = place.file.read_text()
    place.file.write_text('{"version": 99}')
    await until(lambda: "newer" in watched.queue.notice)
    assert None in watched.told
    script.say(wire.DownloadDone(1, "/there"))
    await watched.reach("done")
    place.file.write_text(whole)
    await place.reach_written("done")
    await until(lambda: watched.queue.notice == "")


@pytest.mark.parametrize(("silence_s", "state"), [(5, "running"), (90, "paused")])
async def test_a_program_on_another_host_is_dead_after_a_minute_of_silence(
    place: Place, silence_s: float, state: str
) -> None:
    first = await place.open(run=Script().run)
    await place.add(first, REPO)
    await first.queue.close()
    far = {"process": {"host": "far", "pid": 1, "started": "x"}, "queue": "q"}
    body = json.loads(place.file.read_text())
    body["jobs"][0]["job"]["state"] = "running"
    place.file.write_text(json.dumps(body))
    change_entry(place, owner=far, seen_at=time.time() - silence_s)
    second = await place.open()
    assert second.states == [state]
    assert ("far" in second.queue.jobs[0].holder) == (state == "running")


async def test_a_job_that_another_host_took_over_is_left_to_it(place: Place) -> None:
    script = Script()
    watched = await place.open(run=script.run)
    await place.add(watched)
    await until(lambda: script.n_running == 1)
    far = {"process": {"host": "far", "pid": 1, "started": "x"}, "queue": "q"}
    change_entry(place, owner=far, seen_at=time.time())
    await until(lambda: script.n_running == 0)
    (job,) = await watched.reach("running")
    assert "far" in job.holder
