"""Servers that understand "from byte n on" in their own way."""

import pytest

from tests.fake_hub import FakeHub, Fault, etag
from tests.hub.conftest import BIG, BIG_BYTES, QUICK, Mover, failure
from tests.hub.models import same_as


def test_an_ignored_range_starts_the_file_again(
    mover: Mover, files: dict[str, bytes], hub: FakeHub
) -> None:
    hub.faults.append(Fault("close", path=BIG, after_bytes=500_000))
    hub.faults.append(Fault("ignore_range", path=BIG, times=-1))
    assert same_as(mover.fetch(), files)
    assert hub.file_bytes(BIG) == BIG_BYTES + 500_000


@pytest.mark.parametrize("from_byte", [0, 300_000])
def test_a_range_that_begins_too_early_costs_nothing_that_is_here(
    mover: Mover, files: dict[str, bytes], hub: FakeHub, from_byte: int
) -> None:
    hub.faults.append(Fault("close", path=BIG, after_bytes=500_000))
    early = Fault("wrong_range", path=BIG, after_bytes=from_byte)
    hub.faults.append(early)
    assert same_as(mover.fetch(), files)
    assert early.times == 0
    assert [s.first_byte for s in hub.requests(BIG, "cdn")] == [0, 500_000]


def test_a_break_in_a_range_that_begins_too_early_keeps_what_is_here(
    mover: Mover, files: dict[str, bytes], hub: FakeHub
) -> None:
    hub.faults.append(Fault("close", path=BIG, after_bytes=500_000))
    hub.faults.append(Fault("close", path=BIG, after_bytes=200_000, whole=True))
    assert same_as(mover.fetch(), files)
    asked = [s.first_byte for s in hub.requests(BIG, "cdn")]
    assert asked == [0, 500_000, 500_000]


def test_a_range_that_begins_too_late_is_not_taken(mover: Mover, hub: FakeHub) -> None:
    hub.faults.append(Fault("close", path=BIG, after_bytes=500_000))
    hub.faults.append(Fault("wrong_range", path=BIG, after_bytes=600_000, times=-1))
    assert failure(mover).code == "bad_reply"


def test_a_server_that_breaks_at_the_same_byte_is_not_asked_for_ever(
    mover: Mover, hub: FakeHub
) -> None:
    fault = Fault("close", path=BIG, after_bytes=400_000, times=-1, whole=True)
    hub.faults.append(fault)
    assert failure(mover).code == "unreachable"
    assert len(hub.requests(BIG, "cdn")) == QUICK.attempts


def test_a_range_the_server_refuses_starts_the_file_again(
    mover: Mover, files: dict[str, bytes], hub: FakeHub
) -> None:
    partial = mover.blob(etag(BIG, files[BIG]) + ".incomplete")
    partial.parent.mkdir(parents=True)
    partial.write_bytes(files[BIG][:100])
    hub.faults.append(Fault("status", path=BIG, origin="cdn", status=416))
    assert same_as(mover.fetch(), files)
    assert [s.first_byte for s in hub.requests(BIG, "cdn")] == [100, 0]
