"""The queue of download jobs: order, pause, resume, cancel."""

import os
from pathlib import Path

import pytest

from qwen_tui import wire
from qwen_tui.errors import QwenTuiError, UsageError
from qwen_tui.hub.held import locked
from qwen_tui.hub.queue_partials import CancelPreview
from tests.e2e.terminal import is_alive
from tests.fake_hub import FakeHub, Fault, etag
from tests.helpers import until
from tests.hub.conftest import BIG, BIG_BYTES, REPO
from tests.hub.models import same_as
from tests.hub.queues import STEP_BYTES, Place, Script, holding

SECOND, THIRD = "owner/second", "owner/third"


def done(path: str = "/there") -> wire.DownloadDone:
    return wire.DownloadDone(1, path)


def child_of(pid: int) -> int:
    """The one process that `pid` started and that still runs."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        fields = status.read_text().rpartition(")")[2].split()
        if int(fields[1]) == pid and fields[0] != "Z":
            return int(status.parent.name)
    raise AssertionError("no child runs")


async def test_a_job_goes_from_queued_to_done(
    place: Place, files: dict[str, bytes]
) -> None:
    watched = await place.open()
    job = await place.add(watched)
    assert job.is_active
    assert watched.queue.is_busy
    (end,) = await watched.reach("done")
    assert same_as(Path(end.path), files)
    assert end.done_bytes == end.total_bytes == sum(map(len, files.values()))
    assert {f.path for f in end.files} == set(files)
    assert all(f.have_bytes == f.size_bytes for f in end.files)
    await place.reach_written("done")
    assert not watched.queue.is_busy


async def test_jobs_run_one_at_a_time_in_the_order_they_were_queued(
    place: Place,
) -> None:
    script = Script()
    watched = await place.open(run=script.run)
    for repo in (REPO, SECOND, THIRD):
        await place.add(watched, repo)
    for n_done in range(3):
        await until(lambda n=n_done: len(script.requests) == n + 1)
        assert watched.states == ["done"] * n_done + ["running"] + ["queued"] * (
            2 - n_done
        )
        script.say(done())
    await watched.reach("done", "done", "done")
    assert [r.repo for r in script.requests] == [REPO, SECOND, THIRD]
    assert watched.most_running == 1


async def test_as_many_jobs_run_as_are_wished_for(place: Place) -> None:
    script = Script()
    watched = await place.open(at_once=2, run=script.run)
    for repo in (REPO, SECOND, THIRD):
        await place.add(watched, repo)
    await watched.reach("running", "running", "queued")
    await watched.queue.set_at_once(3)
    await until(lambda: script.n_running == 3)


async def test_a_paused_job_goes_on_inside_the_file(
    place: Place, hub: FakeHub, files: dict[str, bytes]
) -> None:
    watched = await place.open()
    with holding(hub):
        job = await place.add(watched)
        await place.held()
        await watched.queue.pause(job.id)
    kept = place.partial_bytes()
    assert watched.states == ["paused"]
    assert [e["job"]["state"] for e in place.written()] == ["paused"]
    assert not watched.queue.is_busy
    await watched.queue.resume(job.id)
    (end,) = await watched.reach("done")
    assert same_as(Path(end.path), files)
    assert [s.first_byte for s in hub.requests(BIG, "cdn")] == [0, kept]
    assert hub.file_bytes(BIG) - BIG_BYTES <= STEP_BYTES


async def test_what_was_paused_goes_on_from_another_endpoint(
    place: Place, hub: FakeHub, files: dict[str, bytes]
) -> None:
    watched = await place.open()
    with holding(hub):
        job = await place.add(watched)
        await place.held()
        await watched.queue.pause(job.id)
    kept = place.partial_bytes()
    before = len(hub.requests())
    with FakeHub() as other:
        other.add_repo(REPO, files)
        await watched.queue.resume(job.id, endpoint=other.url)
        (end,) = await watched.reach("done")
        assert [s.first_byte for s in other.requests(BIG, "cdn")] == [kept]
        assert other.file_bytes(BIG) == BIG_BYTES - kept
    assert end.endpoint == other.url
    assert len(hub.requests()) == before
    assert same_as(Path(end.path), files)


async def test_a_running_job_changes_over_to_another_endpoint_and_keeps_its_turn(
    place: Place, hub: FakeHub, files: dict[str, bytes]
) -> None:
    watched = await place.open()
    with holding(hub), FakeHub() as other:
        other.add_repo(REPO, files)
        job = await place.add(watched)
        await place.add(watched, SECOND)
        kept = await place.held()
        await watched.queue.resume(job.id, endpoint=other.url)
        assert watched.states == ["running", "queued"]
        await until(lambda: watched.states[0] == "done")
        (rest,) = other.requests(BIG, "cdn")
        assert rest.first_byte >= kept


async def test_a_job_that_waits_can_be_paused_and_comes_last_again(
    place: Place,
) -> None:
    script = Script()
    watched = await place.open(run=script.run)
    first = await place.add(watched)
    second = await place.add(watched, SECOND)
    await place.add(watched, THIRD)
    await watched.queue.pause(second.id)
    assert watched.states == ["running", "paused", "queued"]
    await watched.queue.resume(second.id)
    script.say(done())
    await watched.reach("done", "queued", "running")
    await watched.queue.pause(first.id)  # it is done: nothing to pause
    assert watched.states == ["done", "queued", "running"]


async def test_the_same_download_again_is_the_same_job(
    place: Place, tmp_path: Path
) -> None:
    watched = await place.open(run=Script().run)
    job = await place.add(watched)
    again = await place.add(watched, endpoint="mirror")
    assert (again.id, again.endpoint) == (job.id, job.endpoint)
    await watched.queue.pause(job.id)
    resumed = await place.add(watched, endpoint="mirror", connections=5)
    assert resumed.id == job.id
    assert (resumed.state, resumed.endpoint) == ("running", "mirror")
    assert resumed.connections == 5
    elsewhere = await place.add(watched, local_dir=tmp_path / "plain")
    other_revision = await place.add(watched, revision="v2")
    assert len({job.id, elsewhere.id, other_revision.id}) == 3


async def test_a_repair_fetches_its_files_alone_and_never_narrows_a_whole_download(
    place: Place,
) -> None:
    script = Script()
    watched = await place.open(run=script.run)
    job = await place.add(watched, only=(BIG,))
    await until(lambda: len(script.requests) == 1)
    assert script.requests[0].only == (BIG,)
    await watched.queue.pause(job.id)
    whole = await place.add(watched)
    await watched.queue.pause(whole.id)
    assert (await place.add(watched, only=(BIG,))).only == ()


async def test_a_chosen_quantisation_is_kept_until_its_download_is_done(
    place: Place,
) -> None:
    script = Script()
    watched = await place.open(run=script.run)
    job = await place.add(watched, gguf="Q8_0")
    await until(lambda: len(script.requests) == 1)
    await watched.queue.pause(job.id)
    await place.add(watched)  # goes on where it stopped
    await until(lambda: len(script.requests) == 2)
    script.say(done())
    await watched.reach("done")
    await place.add(watched)
    await until(lambda: len(script.requests) == 3)
    assert [request.gguf for request in script.requests] == ["Q8_0", "Q8_0", ""]


async def test_a_failure_keeps_its_reason_and_can_be_tried_again(
    place: Place, hub: FakeHub, files: dict[str, bytes]
) -> None:
    watched = await place.open()
    hub.add_repo(REPO, files, gated=True)
    job = await place.add(watched)
    (failed,) = await watched.reach("failed")
    assert failed.code == "gated"
    assert failed.message
    assert failed.hint
    await place.reach_written("failed")
    hub.add_repo(REPO, files)
    await watched.queue.retry(job.id)
    (end,) = await watched.reach("done")
    assert (end.code, end.message, end.hint) == ("", "", "")


@pytest.mark.parametrize(
    "wrong",
    [{"repo": "../x"}, {"revision": "../x"}, {"endpoint": "nowhere"}],
    ids=str,
)
async def test_a_wrong_request_is_refused_and_not_queued(
    place: Place, wrong: dict[str, str]
) -> None:
    watched = await place.open()
    with pytest.raises(UsageError):
        await place.add(watched, **wrong)
    assert watched.queue.jobs == []


async def test_offline_nothing_is_queued(place: Place) -> None:
    place.environ["HF_HUB_OFFLINE"] = "1"
    watched = await place.open()
    with pytest.raises(QwenTuiError) as caught:
        await place.add(watched)
    assert "HF_HUB_OFFLINE" in caught.value.message
    assert watched.queue.jobs == []


async def test_a_job_that_is_gone_is_told(place: Place) -> None:
    watched = await place.open()
    for act in (
        watched.queue.pause,
        watched.queue.resume,
        watched.queue.cancel,
        watched.queue.forget,
    ):
        with pytest.raises(QwenTuiError) as caught:
            await act("nobody")
        assert caught.value.code == "no_job"


async def test_cancel_deletes_the_unfinished_files_it_named_before(
    place: Place, hub: FakeHub, files: dict[str, bytes]
) -> None:
    watched = await place.open()
    blobs = place.cache_dir / "models--owner--model" / "blobs"
    whole = len(files) - 1
    with holding(hub):
        job = await place.add(watched)
        await place.held()
        await until(lambda: len([b for b in blobs.iterdir() if not b.suffix]) == whole)
        await watched.queue.pause(job.id)
        kept = place.partial_bytes()
        preview = await watched.queue.cancel_preview(job.id)
        assert preview == CancelPreview(kept, 1, whole)
        await watched.queue.cancel(job.id)
    assert place.partials() == []
    assert watched.queue.jobs == place.written() == []
    assert len(list(blobs.iterdir())) == whole


async def test_cancel_stops_a_running_job_first(place: Place, hub: FakeHub) -> None:
    watched = await place.open()
    with holding(hub):
        job = await place.add(watched)
        await place.held()
        process = child_of(os.getpid())
        await watched.queue.cancel(job.id)
    assert not is_alive(process)
    assert place.partials() == []
    assert watched.queue.jobs == []


async def test_cancel_in_a_plain_folder_leaves_what_is_the_users(
    place: Place, hub: FakeHub, tmp_path: Path
) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "notes.incomplete").write_text("mine")
    watched = await place.open()
    with holding(hub):
        job = await place.add(watched, local_dir=folder)
        await place.held()
        await watched.queue.cancel(job.id)
    assert place.partials() == [folder / "notes.incomplete"]


async def test_cancel_spares_what_another_job_goes_on_with(
    place: Place, hub: FakeHub, files: dict[str, bytes]
) -> None:
    hub.add_repo(REPO, files | {"config.json": b"{}"}, revision="v2")
    watched = await place.open()
    with holding(hub, times=2):
        job = await place.add(watched)
        await place.held()
        await watched.queue.pause(job.id)
        other = await place.add(watched, revision="v2")
        await until(lambda: bool(watched.queue.job(other.id).files))
        await watched.queue.pause(other.id)
    kept = place.partial_bytes()
    assert (await watched.queue.cancel_preview(job.id)).n_partials == 0
    await watched.queue.cancel(job.id)
    assert place.partial_bytes() == kept
    await watched.queue.cancel(other.id)
    assert place.partials() == []


async def test_cancel_spares_what_another_program_is_fetching(
    place: Place, hub: FakeHub, files: dict[str, bytes]
) -> None:
    watched = await place.open()
    with holding(hub):
        job = await place.add(watched)
        await place.held()
        await watched.queue.pause(job.id)
    locks = place.cache_dir / ".locks" / "models--owner--model"
    with locked(locks / f"{etag(BIG, files[BIG])}.lock") as is_ours:
        assert is_ours
        await watched.queue.cancel(job.id)
    assert place.partial_bytes() > 0


async def test_a_finished_job_can_be_forgotten_and_stays_on_the_disk(
    place: Place, files: dict[str, bytes]
) -> None:
    watched = await place.open()
    job = await place.add(watched)
    (end,) = await watched.reach("done")
    await watched.queue.forget(job.id)
    assert watched.queue.jobs == place.written() == []
    assert same_as(Path(end.path), files)


async def test_a_running_job_cannot_be_forgotten(place: Place) -> None:
    watched = await place.open(run=Script().run)
    job = await place.add(watched)
    await watched.queue.forget(job.id)
    assert watched.states == ["running"]


async def test_closing_pauses_what_runs_and_what_waits(
    place: Place, hub: FakeHub, files: dict[str, bytes]
) -> None:
    watched = await place.open()
    with holding(hub):
        job = await place.add(watched)
        await place.add(watched, SECOND)
        await place.held()
        await watched.queue.close()
    kept = place.partial_bytes()
    assert [e["owner"] for e in place.written()] == [None, None]
    later = await place.open()
    assert later.states == ["paused", "paused"]
    assert all(j.was_left for j in later.queue.jobs)
    await later.queue.resume(job.id)
    await until(lambda: later.states[0] == "done")
    assert [s.first_byte for s in hub.requests(BIG, "cdn")] == [0, kept]


async def test_kill_ends_the_process_and_is_no_failure(
    place: Place, hub: FakeHub
) -> None:
    watched = await place.open()
    with holding(hub):
        await place.add(watched)
        await place.held()
        process = child_of(os.getpid())
        watched.queue.kill()
        watched.queue.kill()
        await until(lambda: not is_alive(process))
        await watched.reach("paused")
    await place.reach_written("paused")


async def test_a_download_process_that_dies_fails_its_job(
    place: Place, hub: FakeHub
) -> None:
    watched = await place.open()
    hub.faults.append(Fault("hold", path=BIG, after_bytes=1000))
    await place.add(watched)
    await until(lambda: place.partial_bytes() > 0)
    os.kill(child_of(os.getpid()), 9)
    (failed,) = await watched.reach("failed")
    assert failed.code == "download_died"


async def test_the_token_goes_to_the_hub_and_not_into_the_file(place: Place) -> None:
    place.environ["HF_TOKEN"] = "hf_secret"
    script = Script()
    watched = await place.open(run=script.run)
    await place.add(watched, endpoint="official")
    await until(lambda: len(script.requests) == 1)
    assert script.requests[0].token == "hf_secret"
    await watched.queue.close()
    assert "hf_secret" not in place.file.read_text()


@pytest.mark.parametrize("allowed", [False, True])
async def test_the_token_goes_to_an_allowed_host_alone(
    place: Place, hub: FakeHub, allowed: bool
) -> None:
    place.environ["HF_TOKEN"] = "hf_secret"
    watched = await place.open(token_hosts=(hub.url,) if allowed else ())
    await place.add(watched)
    await watched.reach("done")
    with_token = {s.origin for s in hub.requests() if "authorization" in s.headers}
    assert with_token == ({"hub"} if allowed else set())
    assert "hf_secret" not in place.file.read_text()
