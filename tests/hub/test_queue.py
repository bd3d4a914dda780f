"""The queue of download jobs: order, pause, resume, cancel, and what it tells."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fake_hub import FakeHub
from tests.helpers import until
from tests.hub.conftest import BIG, BIG_BYTES, REPO
from tests.hub.models import same_as
from tests.hub.queues import Place, holding

OTHER = "owner/other"


@pytest.fixture
async def place(
    hub: FakeHub, files: dict[str, bytes], tmp_path: Path, no_proxy: None
) -> AsyncIterator[Place]:
    own = ("HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH")
    environ = {name: value for name, value in os.environ.items() if name not in own}
    hub.add_repo(REPO, files)
    place = Place(hub, tmp_path, environ | {"HF_HOME": str(tmp_path / "home")})
    yield place
    hub.release.set()
    await place.close()


async def test_a_job_goes_from_queued_to_done(
    place: Place, files: dict[str, bytes]
) -> None:
    watched = await place.open()
    job = await place.add(watched)
    assert job.is_active
    done = await watched.reaches("done")
    assert same_as(Path(done.path), files)
    assert done.done_bytes == done.total_bytes == sum(map(len, files.values()))
    assert {f.path for f in done.files} == set(files)
    assert all(f.have_bytes == f.size_bytes for f in done.files)
    await until(lambda: place.written_states() == ["done"])


async def test_a_paused_job_goes_on_inside_the_file(
    place: Place, hub: FakeHub, files: dict[str, bytes]
) -> None:
    watched = await place.open()
    with holding(hub):
        job = await place.add(watched)
        kept = await place.held()
        await watched.queue.pause(job.id)
    assert watched.states == place.written_states() == ["paused"]
    assert not watched.queue.is_busy
    await watched.queue.resume(job.id)
    done = await watched.reaches("done")
    assert same_as(Path(done.path), files)
    assert [s.first_byte for s in hub.requests(BIG, "cdn")] == [0, kept]
    assert hub.file_bytes(BIG) - BIG_BYTES <= 256 * 1024
