"""The line of a running download at every width, in both languages."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from qwen_tui.cli.cells import cell_width
from qwen_tui.cli.download_bar import bar_line, clock_text, progress_text
from qwen_tui.hub.queue_job import DownloadJob
from qwen_tui.i18n import set_language

GB = 1_000_000_000
JOB = DownloadJob(
    id="id",
    repo="Qwen/Qwen3-4B",
    revision="main",
    endpoint="mirror",
    cache_dir="/hub",
    local_dir="",
    connections=2,
    created_at=0.0,
    state="running",
    done_bytes=2 * GB,
    total_bytes=8 * GB,
    bytes_per_s=11_200_000.0,
    eta_s=535.0,
    retries=2,
)
WAITING = replace(
    JOB,
    bytes_per_s=0.0,
    waiting="hf-mirror.com 暂时无法连接; trying again in 4 s (a.txt)",
)
UNKNOWN = replace(JOB, done_bytes=0, total_bytes=0)
TINY = replace(JOB, done_bytes=3, total_bytes=10, eta_s=None)


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    set_language(request.param)
    yield request.param
    set_language("en")


@pytest.mark.parametrize("job", [JOB, WAITING, UNKNOWN, TINY], ids=range(4))
def test_the_line_fits_every_width(job: DownloadJob, language: str):
    for width in range(1, 200):
        assert cell_width(bar_line(job, width)) <= width


def test_a_wide_line_tells_everything():
    assert bar_line(JOB, 100) == (
        "[#######.......................] "
        "25 %  2.0 GB of 8.0 GB  11.2 MB/s  8:55 to go  2 retries"
    )


def test_a_narrow_line_keeps_the_numbers_and_a_bar():
    assert bar_line(JOB, 37) == "[#....] 25% 2.0/8.0 GB 11.2 MB/s 8:55"
    assert bar_line(JOB, 30) == "25% 2.0/8.0 GB 11.2 MB/s 8:55"


def test_a_line_that_waits_says_why_first():
    assert bar_line(WAITING, 30) == "25 %  hf-mirror.com 暂时无..."
    assert bar_line(WAITING, 100).endswith("trying again in 4 s (a.txt)")


def test_a_file_that_waits_does_not_hide_that_others_come():
    line = bar_line(replace(WAITING, bytes_per_s=2_000_000.0), 100)
    assert "25 %  2.0 MB/s  hf-mirror.com" in line


def test_before_the_plan_it_says_what_is_going_on():
    assert bar_line(UNKNOWN, 80) == "asking the hub what there is"
    assert bar_line(replace(UNKNOWN, waiting="no route"), 80) == "no route"


def test_a_repo_of_empty_files_is_whole():
    assert progress_text(UNKNOWN).startswith("100 %")


def test_what_a_server_says_cannot_move_the_cursor():
    hostile = replace(JOB, waiting="\x1b[2Jgone\r\n\u202e")
    assert bar_line(hostile, 80).isprintable()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (65, "1:05"), (3725, "1:02:05")]
)
def test_times_are_shown_as_clocks_do(seconds: float, text: str):
    assert clock_text(seconds) == text
