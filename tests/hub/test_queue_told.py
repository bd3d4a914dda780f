"""What a job tells while it runs: speed, time left, retries, and why it waits."""

from qwen_tui import wire
from qwen_tui.hub.queue_job import DownloadJob, JobProgress
from tests.helpers import until
from tests.hub.conftest import BIG
from tests.hub.queues import Place, Script

MB = 1_000_000
SMALL_FILE = wire.FileState("config.json", 20, 0, "a" * 40)
LARGE_FILE = wire.FileState(BIG, 100 * MB, 0, "b" * 64)
PLAN = wire.DownloadPlan(1, 2, 100 * MB + 20, 0, items=(SMALL_FILE, LARGE_FILE))


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def progress(done: int, speed: float = 0.0, *items: wire.FileState):
    return wire.DownloadProgress(1, done, 100 * MB + 20, speed, BIG, items)


def running(clock: Clock | None = None) -> JobProgress:
    job = DownloadJob("id", "owner/model", "main", "mirror", "/hub", "", 2, 0.0)
    running = JobProgress(job, clock or Clock())
    running.take(PLAN)
    return running


def test_the_time_left_follows_from_bytes_and_speed() -> None:
    job = running()
    job.take(progress(40 * MB + 20, 2.0 * MB))
    assert job.job.eta_s == 30  # 60 MB at 2 MB/s
    job.take(progress(40 * MB + 20, 0.0))
    assert job.job.eta_s is None


def test_each_files_bytes_are_kept_in_the_plans_order() -> None:
    job = running()
    job.take(progress(5, 1.0, wire.FileState(BIG, 100 * MB, 5, "b" * 64)))
    assert [(f.path, f.have_bytes) for f in job.job.files] == [
        ("config.json", 0),
        (BIG, 5),
    ]


def test_a_retry_tells_its_reason_and_counts_down() -> None:
    clock = Clock()
    job = running(clock)
    job.take(wire.DownloadRetry(1, BIG, "the hub is tired", 8.0))
    assert job.job.retries == 1
    assert job.job.waiting == f"the hub is tired; trying again in 8 s ({BIG})"
    clock.now += 6
    job.take(progress(0))
    assert "in 2 s" in job.job.waiting
    clock.now += 3
    job.take(progress(0))
    assert job.job.waiting == f"the hub is tired; trying again ({BIG})"
    job.take(progress(10))
    assert job.job.waiting == ""


def test_waiting_for_another_program_is_no_retry() -> None:
    job = running()
    job.take(wire.DownloadRetry(1, BIG, "another program has it", 2.0, is_lock=True))
    assert job.job.retries == 0
    assert job.job.waiting.startswith("another program has it")


def test_bytes_of_another_file_do_not_hide_that_one_waits() -> None:
    clock = Clock()
    job = running(clock)
    job.take(wire.DownloadRetry(1, BIG, "the hub is tired", 8.0))
    clock.now += 1
    job.take(progress(10))
    assert "in 7 s" in job.job.waiting


def test_a_check_of_a_file_is_told_until_it_is_through() -> None:
    clock = Clock()
    job = running(clock)
    job.take(wire.DownloadVerify(1, BIG, 25 * MB, 100 * MB))
    assert job.job.waiting == f"checking {BIG}: 25 %"
    job.take(progress(0))
    assert job.job.waiting
    job.take(wire.DownloadVerify(1, BIG, 100 * MB, 100 * MB))
    assert job.job.waiting == ""
    job.take(wire.DownloadVerify(1, BIG, 25 * MB, 100 * MB))
    clock.now += 3  # no more news of it: it was stopped
    job.take(progress(0))
    assert job.job.waiting == ""


def test_a_silence_is_told_with_its_length() -> None:
    clock = Clock()
    job = running(clock)
    job.take(progress(10))
    clock.now += 4
    job.take(progress(10))
    assert job.job.waiting == ""
    clock.now += 3
    job.take(progress(10))
    assert job.job.waiting == "no data for 7 s"
    job.take(progress(11))
    assert job.job.waiting == ""
    job.take(progress(100 * MB + 20))
    clock.now += 60  # all is here: it is being checked and written
    job.take(progress(100 * MB + 20))
    assert job.job.waiting == ""


def test_a_new_plan_replaces_what_was_known() -> None:
    job = running()
    job.take(wire.DownloadPlan(1, 1, 20, 20, items=(SMALL_FILE,)))
    assert [f.path for f in job.job.files] == ["config.json"]
    assert (job.job.done_bytes, job.job.total_bytes) == (20, 20)


async def test_a_flood_of_messages_is_told_in_a_few_changes(place: Place) -> None:
    script = Script()
    watched = await place.open(run=script.run)
    heard: list[wire.DownloadProgress] = []

    def hear(job: DownloadJob, event: object) -> None:
        if isinstance(event, wire.DownloadProgress):
            heard.append(event)

    watched.queue.on_event = hear
    await place.add(watched)
    script.say(PLAN, *(progress(n) for n in range(1, 501)))
    await until(lambda: len(heard) == 500)
    script.say(wire.DownloadDone(1, "/there"))
    await watched.reach("done")
    told = [job for job in watched.told if job is not None]
    # queued to running, the flood's first and last at most, the end; disk work may
    # take so long that a few more quarters of a second pass
    assert len(told) < 50
    assert told[-1].state == "done"


async def test_the_last_of_a_flood_is_told_though_nothing_follows(place: Place) -> None:
    script = Script()
    watched = await place.open(run=script.run)
    await place.add(watched)
    script.say(PLAN, progress(1), progress(2), progress(3))
    await until(
        lambda: any(job is not None and job.done_bytes == 3 for job in watched.told)
    )
    assert watched.states == ["running"]
